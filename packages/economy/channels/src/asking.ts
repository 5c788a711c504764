import type { Channel, ChannelLink } from './channel.ts'
import { type Context, NO_HASH, send, standingOf } from './context.ts'

/** Begins a round of REESTABLISH: nothing is signed before the peer's has come. */
export function ask(context: Context, nowMs: number, channel: Channel): void {
  const { link } = channel
  if (link === undefined) return
  link.reset()
  link.phase = 'asking'
  link.peer = undefined
  link.ask.start(nowMs, link.spacingMs)
  sendStanding(context, nowMs, channel, link)
}

export function sendStanding(context: Context, nowMs: number, channel: Channel, link: ChannelLink): void {
  const { record } = channel
  link.askedMs = nowMs
  if (record !== undefined && link.unknownId === undefined) {
    send(context, channel, { kind: 'reestablish', ...standingOf(context, channel, record) })
    return
  }
  if (link.unknownId === undefined) return
  const nothing = { newestSequence: 0n, newestHash: NO_HASH, ownSequence: 0n, jump: channel.jump }
  send(context, channel, { kind: 'reestablish', channelId: link.unknownId, ...nothing })
}
