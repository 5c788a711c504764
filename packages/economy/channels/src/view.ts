import type { Channel } from './channel.ts'
import type { Context } from './context.ts'
import { type Exposure, exposureTo } from './exposure.ts'
import { HALT } from './record.ts'

/** A channel as people and programs see it. */
export interface ChannelView {
  readonly peerId: Uint8Array
  readonly channelId: Uint8Array
  /** `opening` until both signed state 0; `asking` and `behind`: re-establishing; `fork`, `closing`: nothing is signed. */
  readonly phase: 'offline' | 'opening' | 'asking' | 'behind' | 'ready' | 'fork' | 'closing'
  readonly sequence: bigint
  /** What the peer owes since the last settlement; below 0: this node owes. */
  readonly owedMicro: bigint
  readonly settledSequence: bigint | undefined
  /** A payment that the peer has not signed yet. */
  readonly pendingMicro: bigint
  readonly claimsWaiting: number
  readonly exposure: Exposure
}

export function viewOf(context: Context, channel: Channel): ChannelView | undefined {
  const { record } = channel
  if (record === undefined) return undefined
  return {
    peerId: channel.peerId,
    channelId: record.newest.channelId,
    phase: phaseOf(channel),
    sequence: record.newest.sequence,
    owedMicro: record.openingNonce === undefined ? channel.owedMicro(record) : 0n,
    settledSequence: record.base?.sequence,
    pendingMicro: record.pending?.paidMicro ?? 0n,
    claimsWaiting: channel.claims.length,
    exposure: exposureTo(context, channel.peerId, channel),
  }
}

function phaseOf({ record, link }: Channel): ChannelView['phase'] {
  if (record?.halt === HALT.fork) return 'fork'
  if (record?.halt === HALT.closing) return 'closing'
  if (record?.openingNonce !== undefined) return 'opening'
  return link === undefined || link.phase === 'idle' || link.phase === 'opening' ? 'offline' : link.phase
}
