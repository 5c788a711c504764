import { z } from 'zod'
import { nodeIdSchema } from './ids.ts'

/** What a node knows of the link-local segments that it takes part in (docs/spec/anchor-truth.md). */

const count = z.number().int().nonnegative()
const milliseconds = z.number().nonnegative()
const ego = z.number().int().min(0).max(255)
const countsByKind = z.object({ pulse: count, epoch: count, request: count })

export const segmentMemberSchema = z.object({
  nodeId: nodeIdSchema,
  publicKey: z.string(),
  /** With the zone of the interface: `fe80:…%eth0`. */
  address: z.string(),
  name: z.string(),
  type: z.enum(['Bridge', 'Rig-Hub', 'Data-Mule', 'Agent']),
  /** By name where this node knows it, else `#` and its hash. */
  zone: z.string(),
  ego,
  isAnchor: z.boolean(),
  /** As it says itself. */
  uptimeSeconds: count,
  heardAgoMs: milliseconds,
})
export type SegmentMember = z.infer<typeof segmentMemberSchema>

export const segmentInterfaceSchema = z.object({
  interface: z.string(),
  address: z.string(),
  phase: z.enum(['down', 'asking', 'member', 'anchor']),
  admission: z.enum(['open', 'passphrase', 'allow-list']),
  ego,
  anchor: z.object({ nodeId: nodeIdSchema, ego, heardAgoMs: milliseconds }).nullable(),
  epoch: z.object({ number: count, id: z.string(), ageMs: milliseconds }).nullable(),
  /** The others, heard within three pulses. */
  members: z.array(segmentMemberSchema),
  sent: countsByKind,
  received: countsByKind,
  /** Datagrams that changed nothing, by reason. */
  drops: z.record(z.string(), count),
})
export type SegmentInterface = z.infer<typeof segmentInterfaceSchema>

export const segmentSchema = z.object({
  schema: z.literal('nexus-segment/1'),
  nodeId: nodeIdSchema,
  name: z.string(),
  type: z.enum(['Bridge', 'Rig-Hub', 'Data-Mule', 'Agent']),
  zone: z.string(),
  /** One segment per network interface. */
  interfaces: z.array(segmentInterfaceSchema),
})
export type SegmentReport = z.infer<typeof segmentSchema>
