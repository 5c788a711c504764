import { z } from 'zod'
import { segmentSettingsSchema } from '../segment/schema.ts'
import { interfaceSchema } from './interfaces.ts'

const text = z.string().min(1)
const loopback = z.enum(['127.0.0.1', '::1'])
const port = z.number().int().min(0).max(65_535)

/**
 * The configuration of a node. It is the source of the file's format, of the NEXUS_ variables, of the flags of
 * `nexus-node start`, and of the table in docs/guides/operator.md.
 */
export const configSchema = z.strictObject({
  stateDir: text.optional().describe('folder of the node’s state; the user’s data folder, if not given'),
  socket: text.optional().describe('control socket; control.sock in the state folder, if not given'),
  identity: z
    .strictObject({
      file: text.optional().describe('identity file; identity in the state folder, if not given'),
      passphraseFile: text.optional().describe('file whose first line is the passphrase of the identity'),
    })
    .prefault({}),
  label: z
    .string()
    .refine((label) => Buffer.byteLength(label) <= 32, 'expected at most 32 bytes of UTF-8')
    .refine((label) => !/\p{Cc}/u.test(label), 'expected no control characters')
    .optional()
    .describe('name that the node’s announces carry, for people'),
  networkKeyFile: text.optional().describe('network key file of a closed network, from nexus-keygen network-key'),
  admission: z
    .enum(['open', 'trusted'])
    .default('open')
    .describe('whom to link with: anyone, or only peers added with nexus-peer'),
  policy: z
    .enum(['balanced', 'cheapest', 'fastest', 'mostReliable'])
    .default('balanced')
    .describe('how to choose among paths'),
  priceMicroPerMib: z
    .number()
    .int()
    .min(0)
    .max(1_000_000_000)
    .default(1_000)
    .describe('price of forwarding, in µNXS per MiB; slow media are dearer in proportion'),
  economy: z
    .strictObject({
      genesisFile: text
        .optional()
        .describe('genesis file of the economy, from nexus-ledger genesis; without it the node relays for free'),
      exposureLimitMicro: z
        .number()
        .int()
        .min(0)
        .default(1_000_000)
        .describe(
          'most that a neighbour may owe before it settles, in µNXS; a quarter of its balance, if that is less',
        ),
    })
    .prefault({}),
  receipts: z
    .enum(['known', 'anyone'])
    .default('known')
    .describe('who gets a receipt for a message: senders whose announce was heard, or anyone'),
  roundMs: z
    .number()
    .int()
    .min(1_000)
    .max(600_000)
    .default(60_000)
    .describe('length of a round; all nodes of a network alike'),
  interfaces: z
    .array(interfaceSchema)
    .max(64)
    .default([{ type: 'udp', port: 4_242, peers: [], multicast: true }])
    .describe('what the node is connected by'),
  segment: segmentSettingsSchema.prefault({}),
  page: z
    .strictObject({
      enabled: z.boolean().default(false).describe('serve the live page on this machine'),
      host: loopback.default('127.0.0.1').describe('loopback address'),
      port: port.default(4_280).describe('first port to try'),
    })
    .prefault({}),
  metrics: z
    .strictObject({
      enabled: z.boolean().default(false).describe('serve /metrics for Prometheus, /health and /ready on this machine'),
      host: loopback.default('127.0.0.1').describe('loopback address'),
      port: port.default(9_427).describe('port'),
    })
    .prefault({}),
  log: z
    .strictObject({
      level: z
        .enum(['debug', 'info', 'warn', 'error', 'silent'])
        .default('info')
        .describe('least level that is logged'),
      format: z.enum(['auto', 'json', 'pretty']).default('auto').describe('JSON, or lines for people; auto: who reads'),
    })
    .prefault({}),
})

export type Config = z.output<typeof configSchema>
