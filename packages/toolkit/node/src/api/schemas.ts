import { z } from 'zod'
import { interfaceCongestionSchema, linkCongestionSchema } from './congestion.ts'
import { channelDisputeSchema, channelSettleSchema, channelStatusSchema, economyStatusSchema } from './economy.ts'
import { nodeIdSchema } from './ids.ts'
import { segmentSchema } from './segment.ts'

/**
 * What a running node answers, over its control socket and to its page: one table of methods, each with the schema of
 * its parameters and of its result. `docs/schemas/` holds the same as JSON Schema.
 */

const publicKeySchema = z.string().regex(/^[0-9a-f]{64}$/, 'a public key is 64 hexadecimal digits')
const count = z.number().int().nonnegative()
const countsByReason = z.record(z.string(), count)
const milliseconds = z.number().nonnegative()

export const interfaceStatusSchema = z.object({
  id: z.string(),
  /** Where it waits for others to connect; each connection is an interface of its own. Absent on all others. */
  listens: z.string().optional(),
  kind: z.enum(['memory', 'udp', 'tcp', 'serial', 'lora', 'websocket', 'reticulum']),
  mtuBytes: count,
  bitrateBps: z.number().positive(),
  duplex: z.enum(['half', 'full']),
  dutyCycle: z.number().positive().max(1),
  links: count,
  queuedBytes: count,
  sentBytes: count,
  receivedBytes: count,
  sentFrames: count,
  receivedFrames: count,
  /** Bytes of routing, gossip, handshakes, beacons and probes sent, of `sentBytes`. */
  controlBytes: count,
  /** The most that `controlBytes` may grow by per second: 10 % of the usable bandwidth. */
  controlBudgetBps: z.number().nonnegative(),
  congestion: interfaceCongestionSchema,
  refused: countsByReason,
})

export const linkStatusSchema = z.object({
  id: count,
  interfaceId: z.string(),
  peer: nodeIdSchema,
  label: z.string().optional(),
  trusted: z.boolean(),
  address: z.string().optional(),
  rttMs: milliseconds.nullable(),
  bitrateBps: z.number().positive(),
  upForMs: milliseconds,
  heardAgoMs: milliseconds,
  /** Fill of the queue towards this neighbour, 0 to 1. */
  queueFill: z.number().min(0).max(1),
  congestion: linkCongestionSchema,
  sentBytes: count,
  receivedBytes: count,
  /** What this node adds to the cost of what this neighbour hands it, μNXS per MiB. */
  addedCost: z.number().nonnegative(),
})

export const routeStatusSchema = z.object({
  destination: nodeIdSchema,
  label: z.string().optional(),
  nextHop: nodeIdSchema,
  interfaceId: z.string(),
  /** μNXS per MiB for the whole path. */
  cost: z.number().nonnegative(),
  latencyMs: milliseconds,
  bandwidthBps: z.number().nonnegative(),
  hops: count,
  /** 0 unknown to 1. */
  reliability: z.number().min(0).max(1),
  state: z.enum(['live', 'stale']),
  expiresInMs: milliseconds,
  /** Other next hops that would serve at once. */
  alternatives: count,
})

export const peerSchema = z.object({
  nodeId: nodeIdSchema,
  publicKey: publicKeySchema.optional(),
  name: z.string().max(64).optional(),
  /** Where to dial it, as `<interface id> <address>`. */
  address: z.string().max(256).optional(),
  /** What it is charged, in whole μNXS per MiB; without a price it is relayed for free. */
  priceMicroPerMib: count.max(1_000_000_000).optional(),
  /** What it may owe beyond what its balance covers, in whole μNXS; its friends a tenth of it. Not with a price. */
  creditLineMicro: z
    .string()
    .regex(/^\d{1,19}$/, 'a line of credit is a whole number of μNXS')
    .optional(),
  /** Whether others are told that it is trusted, so that they may give it credit. Not with a price. */
  vouched: z.boolean().optional(),
})

export const statusSchema = z.object({
  schema: z.literal('nexus-status/1'),
  node: z.object({
    nodeId: nodeIdSchema,
    publicKey: publicKeySchema,
    label: z.string().optional(),
    version: z.string(),
    upForMs: milliseconds,
    roundMs: milliseconds,
    policy: z.string(),
    crypto: z.string(),
    admission: z.enum(['open', 'trusted']),
    networkKey: z.boolean(),
  }),
  interfaces: z.array(interfaceStatusSchema),
  links: z.array(linkStatusSchema),
  routes: z.array(routeStatusSchema),
  routesTotal: count,
  knownNodes: count,
  gossip: z.array(z.object({ tier: z.number().int(), records: count })),
  messages: z.object({ queued: count, sent: count, delivered: count, failed: count, inbox: count }),
  counters: z.object({
    forwarded: count,
    delivered: count,
    announcesVerified: count,
    announcesRefused: count,
    dropped: countsByReason,
  }),
  economy: economyStatusSchema.optional(),
})
export type Status = z.infer<typeof statusSchema>

export const eventSchema = z.object({
  /** Rising by one; a gap means that older events were forgotten. */
  sequence: count,
  /** Wall-clock time at this node, ISO 8601. */
  at: z.string(),
  kind: z.enum([
    'started',
    'stopping',
    'interface-up',
    'interface-down',
    'link-up',
    'link-down',
    'route-up',
    'route-changed',
    'route-down',
    'message-received',
    'message-state',
    'refused',
    'duplicate-identity',
    'advisory',
    'segment',
    'win',
    'paid',
    'settled',
    'channel',
    'problem',
  ]),
  /** One sentence for people. */
  text: z.string(),
  facts: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])),
})
export type NodeEvent = z.infer<typeof eventSchema>

export const messageStateSchema = z.object({
  id: z.string(),
  to: nodeIdSchema,
  state: z.enum(['queued', 'sent', 'delivered', 'failed']),
  /** Present where failed: a stable code, and what the user can do. */
  reason: z.string().optional(),
  next: z.string().optional(),
  /** Transmissions since the last sign of progress. */
  attempts: count,
  /** Time left before it fails; 0 once settled. */
  expiresInMs: milliseconds,
})
export type MessageStatus = z.infer<typeof messageStateSchema>

export const receivedMessageSchema = z.object({
  key: z.string(),
  from: nodeIdSchema.nullable(),
  fromLabel: z.string().optional(),
  /** The body as text where it is valid UTF-8, else absent. */
  text: z.string().optional(),
  bodyHex: z.string(),
  receivedAt: z.string(),
})
export type ReceivedMessage = z.infer<typeof receivedMessageSchema>

export const traceHopSchema = z.object({
  /** First 8 bytes of its NodeID, or the whole where known. */
  node: z.string(),
  label: z.string().optional(),
  medium: z.string(),
  rttMs: milliseconds.nullable(),
  queueFill: z.number().min(0).max(1),
  /** μNXS per MiB that this hop adds. */
  addedCost: z.number().nonnegative().nullable(),
})

export const traceResultSchema = z.object({
  to: nodeIdSchema,
  outcome: z.enum(['arrived', 'no-route', 'hop-limit', 'link-down', 'full', 'timeout']),
  /** What the outcome means and what to try. */
  explanation: z.string(),
  rttMs: milliseconds.nullable(),
  hops: z.array(traceHopSchema),
})
export type TraceResult = z.infer<typeof traceResultSchema>

export const candidateSchema = z.object({
  nextHop: nodeIdSchema,
  label: z.string().optional(),
  interfaceId: z.string(),
  cost: z.number().nonnegative().nullable(),
  latencyMs: milliseconds,
  bandwidthBps: z.number().nonnegative(),
  hops: count,
  reliability: z.number().min(0).max(1),
  feasible: z.boolean(),
  score: z.number().nullable(),
  chosen: z.boolean(),
  /** Why it is, or is not, the next hop. */
  why: z.string(),
})
export const pathResultSchema = z.object({
  to: nodeIdSchema,
  known: z.boolean(),
  policy: z.string(),
  candidates: z.array(candidateSchema),
  explanation: z.string(),
})
export type PathResult = z.infer<typeof pathResultSchema>

const toSchema = z.object({ to: z.string().min(1).describe('NodeID, or the name or label of a node known here') })

/** Every method: parameters and result. Streams send many results until they are cancelled. */
export const methods = {
  status: { params: z.object({ routesMax: count.default(1_000) }), result: statusSchema, stream: false },
  events: { params: z.object({ after: count.optional() }), result: eventSchema, stream: true },
  send: {
    params: toSchema.extend({
      text: z.string().optional(),
      bodyHex: z
        .string()
        .regex(/^([0-9a-fA-F]{2})*$/)
        .optional(),
      anonymous: z.boolean().default(false),
      expiresMs: z.number().int().positive().optional(),
    }),
    result: messageStateSchema,
    stream: false,
  },
  message: { params: z.object({ id: z.string() }), result: messageStateSchema, stream: false },
  outbox: { params: z.object({}), result: z.object({ messages: z.array(messageStateSchema) }), stream: false },
  cancel: { params: z.object({ id: z.string() }), result: messageStateSchema, stream: false },
  /**
   * Messages as they come, those not yet taken first. With `take` each counts as taken when it was written to the caller;
   * a caller that must lose none leaves that to the method `take`.
   */
  listen: { params: z.object({ take: z.boolean().default(true) }), result: receivedMessageSchema, stream: true },
  /** Says that a message was dealt with for good; until then `listen` brings it again. */
  take: {
    params: z.object({ key: z.string().regex(/^\d{1,20}$/, 'the key of a received message') }),
    result: z.object({ taken: z.boolean().describe('false: it was taken before') }),
    stream: false,
  },
  ping: {
    params: toSchema.extend({ timeoutMs: z.number().int().positive().max(60_000).default(10_000) }),
    result: traceResultSchema,
    stream: false,
  },
  trace: {
    params: toSchema.extend({ timeoutMs: z.number().int().positive().max(60_000).default(30_000) }),
    result: traceResultSchema,
    stream: false,
  },
  path: { params: toSchema, result: pathResultSchema, stream: false },
  'peer-list': { params: z.object({}), result: z.object({ peers: z.array(peerSchema) }), stream: false },
  'peer-add': { params: peerSchema, result: peerSchema, stream: false },
  'peer-remove': { params: z.object({ nodeId: nodeIdSchema }), result: peerSchema, stream: false },
  /** Offers a neighbour a channel, which packets that won do by themselves. */
  'channel-open': { params: toSchema, result: channelStatusSchema, stream: false },
  /** Has what is owed settled now, whoever owes it. */
  'channel-settle': { params: toSchema, result: channelSettleSchema, stream: false },
  /** Demands payment without the peer, by the ledger; nothing more is signed on this channel. */
  'channel-dispute': { params: toSchema, result: channelDisputeSchema, stream: false },
  segment: { params: z.object({}), result: segmentSchema, stream: false },
  stop: { params: z.object({}), result: z.object({ stopping: z.literal(true) }), stream: false },
} as const satisfies Record<string, { params: z.ZodType; result: z.ZodType; stream: boolean }>

export type MethodName = keyof typeof methods
export type MethodParams<M extends MethodName> = z.input<(typeof methods)[M]['params']>
export type MethodResult<M extends MethodName> = z.infer<(typeof methods)[M]['result']>

/** Why a method was not carried out: a stable code, a sentence, and the next step where there is one. */
export const apiErrorSchema = z.object({
  code: z.enum([
    'bad-request',
    'unknown-method',
    'unknown-node',
    'not-found',
    'limit',
    'too-large',
    'stopping',
    'internal',
  ]),
  message: z.string(),
  next: z.string().optional(),
})
export type ApiErrorDetail = z.infer<typeof apiErrorSchema>
