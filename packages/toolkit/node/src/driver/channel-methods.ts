import { toHex } from '@nexus/codec'
import { ApiError } from '../api/error.ts'
import type { MethodResult } from '../api/schemas.ts'
import type { Economy } from '../core/economy/economy.ts'
import { channelStatusOf } from './economy-status.ts'

/** Offers the neighbour a channel, unless there is one. @throws {ApiError} `not-found` without a link */
export function openChannel(
  economy: Economy | undefined,
  nowMs: number,
  peerId: Uint8Array,
): MethodResult<'channel-open'> {
  const { channels } = channelsOf(economy)
  if (!channels.open(nowMs, peerId)) {
    const message = `no link with ${toHex(peerId)}, or no room for one more channel`
    throw new ApiError({ code: 'not-found', message, next: 'nexus-status shows the links' })
  }
  return channelStatusOf(channels.view(peerId)!)
}

/** Has what is owed settled. @throws {ApiError} `not-found` without a channel */
export function settleChannel(
  economy: Economy | undefined,
  nowMs: number,
  peerId: Uint8Array,
): MethodResult<'channel-settle'> {
  const { channels } = channelsOf(economy)
  viewOf(channels, peerId)
  const asked = channels.settle(nowMs, peerId)
  return { asked, channel: channelStatusOf(viewOf(channels, peerId)) }
}

/** Demands payment without the peer. @throws {ApiError} `not-found` without a channel */
export function disputeChannel(economy: Economy | undefined, peerId: Uint8Array): MethodResult<'channel-dispute'> {
  const { channels } = channelsOf(economy)
  viewOf(channels, peerId)
  const outcome = channels.dispute(peerId)
  if (outcome === 'no-channel') throw noChannel(peerId)
  return { outcome, channel: channelStatusOf(viewOf(channels, peerId)) }
}

function channelsOf(economy: Economy | undefined): Economy['money'] {
  if (economy === undefined) {
    const next = 'economy.genesisFile in its configuration names one'
    throw new ApiError({ code: 'not-found', message: 'this node takes part in no economy', next })
  }
  return economy.money
}

function viewOf(channels: Economy['money']['channels'], peerId: Uint8Array) {
  const view = channels.view(peerId)
  if (view === undefined) throw noChannel(peerId)
  return view
}

function noChannel(peerId: Uint8Array): ApiError {
  return new ApiError({ code: 'not-found', message: `there is no channel with ${toHex(peerId)}` })
}
