import { z } from 'zod'

const hash = z.string().regex(/^[0-9a-f]{32}$/)
const count = z.number().int().nonnegative()

/** What `nexus-rns` prints with `--json`. */

export const rnsStatusSchema = z.object({
  schema: z.literal('nexus-rns-status/1'),
  interfaces: z.array(
    z.object({
      name: z.string(),
      bitrateBps: z.number().positive().describe('nominal'),
      framesIn: count,
      framesOut: count,
      bytesIn: count,
      bytesOut: count,
      announcesOut: count.describe('announces of others that were passed on'),
      refused: count.describe('frames that were no packets for this interface'),
      announcesDropped: count.describe('announces that were not checked or not passed on, for there were too many'),
    }),
  ),
  destinations: z.array(
    z.object({
      hash,
      identity: hash,
      appData: z
        .string()
        .regex(/^[0-9a-f]*$/)
        .nullable()
        .describe('of its last announce; null where it had none'),
      hops: z.number().int().positive().nullable().describe('1: a neighbour; null: no path is known'),
      interface: z.string().nullable(),
    }),
  ),
})

export const rnsPathSchema = z.object({
  schema: z.literal('nexus-rns-path/1'),
  hash,
  hops: z.number().int().positive(),
  nextHop: hash.describe('the destination itself, where it is a neighbour'),
  interface: z.string(),
})

export const rnsProbeSchema = z.object({
  schema: z.literal('nexus-rns-probe/1'),
  hash,
  hops: z.number().int().positive(),
  rttMs: z.number().nonnegative().nullable().describe('null: no proof came in time'),
})

export const rnsCopiedSchema = z.object({
  schema: z.literal('nexus-rns-copied/1'),
  file: z.string(),
  bytes: count,
  seconds: z.number().nonnegative(),
})

export const rnsReceivingSchema = z.object({ schema: z.literal('nexus-rns-receiving/1'), hash })

export const rnsReceivedSchema = z.object({
  schema: z.literal('nexus-rns-received/1'),
  file: z.string().describe('where it is now'),
  bytes: count,
  from: hash.nullable().describe('identity of the sender; null where it did not say'),
})

export const rnsLxmfSentSchema = z.object({
  schema: z.literal('nexus-rns-lxmf-sent/1'),
  id: z.string().regex(/^[0-9a-f]{64}$/),
  to: hash,
})

export const rnsLxmfListeningSchema = z.object({ schema: z.literal('nexus-rns-lxmf-listening/1'), hash })

export const rnsLxmfSchema = z.object({
  schema: z.literal('nexus-rns-lxmf/1'),
  id: z.string().regex(/^[0-9a-f]{64}$/),
  from: hash,
  timestamp: z.number().describe('Unix time in seconds, as the sender says'),
  signature: z.enum(['valid', 'forged', 'unknown']).describe('unknown: the network does not know the sender'),
  method: z.enum(['direct', 'opportunistic']),
  title: z.string(),
  content: z.string(),
})
