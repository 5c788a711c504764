import type { ChannelView } from '@nexus/channels'
import type { Snapshot } from '@nexus/crdt-ledger'
import type { RelayCounts } from '@nexus/vrf-lottery'

/** What makes a node part of an economy; without it the node relays for free and pays nobody. */
export interface EconomyOptions {
  /** The snapshot that the network began with: it names the network. */
  readonly genesis: Snapshot
  /** Nobody may owe more than this, nor more than a quarter of its balance, credit left out; in whole μNXS. */
  readonly exposureLimitMicro: bigint
}

/** One neighbour's packets, both ways. */
export interface LotteryStatus {
  readonly nodeId: Uint8Array
  /** As the relay of its packets. */
  readonly relay: Readonly<RelayCounts>
  readonly exposureMicro: number
  /** What may still be claimed for packets that it was handed. */
  readonly pendingMicro: number
}

export interface EconomyStatus {
  readonly epoch: bigint
  readonly balanceMicro: bigint
  readonly settlements: number
  readonly channels: readonly ChannelView[]
  readonly lottery: readonly LotteryStatus[]
}
