import type { ChannelView } from '@nexus/channels'
import { toHex } from '@nexus/codec'
import type { ChannelStatus, EconomyReport } from '../api/economy.ts'
import type { Economy } from '../core/economy/economy.ts'

/** Balances, channels and wins, as `status` shows them. */
export function economyStatusOf(economy: Economy): EconomyReport {
  const { epoch, balanceMicro, settlements, channels, lottery } = economy.status()
  return {
    epoch: `${epoch}`,
    balanceMicro: `${balanceMicro}`,
    settlements,
    channels: channels.map(channelStatusOf),
    lottery: lottery.map(({ nodeId, relay, exposureMicro, pendingMicro }) => ({
      peer: toHex(nodeId),
      taken: relay.taken,
      refused: relay.refused,
      drawn: relay.drawn,
      wins: relay.wins,
      paidMicro: `${relay.paidMicro}`,
      expiredMicro: `${relay.expiredMicro}`,
      refusedClaims: relay.refusedClaims,
      exposureMicro,
      pendingMicro,
    })),
  }
}

export function channelStatusOf(view: ChannelView): ChannelStatus {
  const { peerId, channelId, phase, sequence, owedMicro, exposure } = view
  return {
    peer: toHex(peerId),
    channelId: toHex(channelId),
    phase,
    sequence: `${sequence}`,
    owedMicro: `${owedMicro}`,
    limitMicro: `${exposure.limitMicro}`,
    roomMicro: `${exposure.roomMicro}`,
  }
}
