import type { Channel } from './channel.ts'
import type { Context } from './context.ts'
import { PACKETS_PER_ODDS, SETTLEMENT_AMOUNT_MIN_MICRO } from './limits.ts'

/** How far a payer is served on trust. */
export interface Exposure {
  /** X = min(own limit, payer's balance in the last snapshot / 4) + credit line, μNXS. */
  readonly limitMicro: bigint
  /** What the payer owes since the last settlement; below 0: what it is owed. */
  readonly owedMicro: bigint
  /** What it may yet owe, not below 0; 0 where X is below what can be settled, or nothing more is signed. */
  readonly roomMicro: bigint
  /** Greatest n of its odds 1/n, by the packets it paid for. */
  readonly oddsMax: number
}

export function exposureLimitMicro(context: Context, payerId: Uint8Array): bigint {
  const quarter = context.ports.balanceInSnapshotMicro(payerId) / 4n
  const own = context.exposureLimitMicro
  return (own < quarter ? own : quarter) + context.ports.creditLineMicro(payerId)
}

export function exposureTo(context: Context, payerId: Uint8Array, channel: Channel | undefined): Exposure {
  const limitMicro = exposureLimitMicro(context, payerId)
  const record = channel?.open
  const owedMicro = channel === undefined || record === undefined ? 0n : channel.owedMicro(record)
  const isServed = limitMicro >= SETTLEMENT_AMOUNT_MIN_MICRO && channel?.isHalted() !== true && owedMicro < limitMicro
  const paid = (record?.packetsPaid ?? 0n) / PACKETS_PER_ODDS
  return {
    limitMicro,
    owedMicro,
    roomMicro: isServed ? limitMicro - owedMicro : 0n,
    oddsMax: Number(paid < 10_000n ? paid : 10_000n),
  }
}

/** What a payer owes when its payee asks for a settlement: max(1 000, X / 2). */
export function settleAtMicro(context: Context, payerId: Uint8Array): bigint {
  const half = exposureLimitMicro(context, payerId) / 2n
  return half > SETTLEMENT_AMOUNT_MIN_MICRO ? half : SETTLEMENT_AMOUNT_MIN_MICRO
}
