import type { NodeType } from '@nexus/anchor-truth'
import { z } from 'zod'

/** Zones that have a name on every node; another name is a zone too, shown by its hash to those who do not know it. */
export const ZONES = ['Command', 'Medical', 'Logistics'] as const
const TYPES = ['Bridge', 'Rig-Hub', 'Data-Mule', 'Agent'] as const satisfies readonly NodeType[]

const PUBLIC_KEY = /^[0-9a-f]{64}$/
const ego = z.number().int().min(0).max(255)
const port = z.number().int().min(1).max(65_535)

/** Settings of a segment: the table `[segment]` of a file, for `nexus-segment` and `nexus-node` alike; variables NX0_… win. */
export const segmentSettingsSchema = z.strictObject({
  enabled: z
    .boolean()
    .default(false)
    .describe('take part in the link-local segments of this machine, as nexus-segment does'),
  name: z
    .string()
    .refine((name) => Buffer.byteLength(name) <= 24, 'expected at most 24 bytes of UTF-8')
    .optional()
    .describe('name shown to the others, at most 24 bytes; the label of the node, if not given'),
  type: z.enum(TYPES).default('Agent').describe('what this node is for'),
  zone: z
    .string()
    .max(64)
    .default('Command')
    .describe(`zone it works in: ${ZONES.join(', ')} or any other`),
  ego: ego.default(10).describe('0 to 255; the greatest leads'),
  port: port.default(19_541).describe('UDP port of the segment'),
  interfaces: z.array(z.string()).optional().describe('network interfaces to use; all, if not given'),
  admission: z.enum(['open', 'passphrase', 'allow-list']).optional().describe('who may join'),
  passphraseFile: z.string().optional().describe('file whose first line is the passphrase'),
  allow: z
    .record(z.string().regex(PUBLIC_KEY, 'a public key has 64 hexadecimal digits'), z.union([ego, z.literal('any')]))
    .optional()
    .describe('public keys that may join, each with its ego or "any"'),
  stateDir: z
    .string()
    .optional()
    .describe('of nexus-segment: folder of the identity, the boot counter and the control socket'),
  meshPeers: z
    .boolean()
    .default(true)
    .describe('of a node: dial the members that are found; they are not trusted for it'),
  meshPort: port
    .optional()
    .describe('UDP port that their meshes listen on; that of this node’s first udp interface, if not given'),
})

export type SegmentTable = z.output<typeof segmentSettingsSchema>
