import { z } from 'zod'
import { nodeIdSchema } from './ids.ts'

const count = z.number().int().nonnegative()
/** Whole μNXS as a decimal string: more than 2^53 can be owed. */
const amount = z.string().regex(/^-?\d+$/, 'an amount is a whole number of μNXS')

export const channelStatusSchema = z.object({
  peer: nodeIdSchema,
  channelId: z.string().regex(/^[0-9a-f]{32}$/),
  /** `opening`: not signed by both yet; `asking`, `behind`: being re-established; `fork`, `closing`: nothing is signed any more. */
  phase: z.enum(['offline', 'opening', 'asking', 'behind', 'ready', 'fork', 'closing']),
  sequence: amount,
  /** What the peer owes since the last settlement; below 0: what this node owes. */
  owedMicro: amount,
  /** The most that the peer may owe, and what of it is left. */
  limitMicro: amount,
  roomMicro: amount,
})

export type ChannelStatus = z.infer<typeof channelStatusSchema>

export const channelSettleSchema = z.object({
  /** Whether the settlement was asked for; false: nothing to settle, or the peer is not there. */
  asked: z.boolean(),
  channel: channelStatusSchema,
})

export const channelDisputeSchema = z.object({
  /** `not-yet`: only once the peer said its newest state, or after a whole epoch; `nothing`: it owes nothing. */
  outcome: z.enum(['published', 'not-yet', 'nothing']),
  channel: channelStatusSchema,
})

export const lotteryStatusSchema = z.object({
  peer: nodeIdSchema,
  /** Priced packets of this neighbour: taken to be relayed, and not. */
  taken: count,
  refused: count,
  drawn: count,
  wins: count,
  /** What it paid for wins, and what nobody can claim any more. */
  paidMicro: amount,
  expiredMicro: amount,
  refusedClaims: count,
  /** Expected cost of its packets that are not paid yet. */
  exposureMicro: z.number().nonnegative(),
  /** The same of packets that it was handed. */
  pendingMicro: z.number().nonnegative(),
})

/** Paid relaying at a node; absent where everything is free. */
export const economyStatusSchema = z.object({
  epoch: amount,
  balanceMicro: amount,
  settlements: count,
  channels: z.array(channelStatusSchema),
  lottery: z.array(lotteryStatusSchema),
})
export type EconomyReport = z.infer<typeof economyStatusSchema>
