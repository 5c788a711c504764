import { equalBytes } from '@nexus/codec'
import { ask, sendStanding } from './asking.ts'
import type { Channel, ChannelLink } from './channel.ts'
import { type Context, isSignedBy, send, signState } from './context.ts'
import { NONCE_BYTES, SETTLEMENT_AMOUNT_MIN_MICRO } from './limits.ts'
import { type ChannelMessage, REFUSAL } from './messages.ts'
import { type ChannelRecord, HALT } from './record.ts'
import { type ChannelState, openingState } from './state.ts'

type Message<K extends ChannelMessage['kind']> = Extract<ChannelMessage, { kind: K }>

/** Offers the peer a channel: state 0 under a fresh nonce, with this side's signature. */
export function offerChannel(context: Context, nowMs: number, channel: Channel): void {
  const nonce = context.random(NONCE_BYTES)
  const newest = signState(context, channel, stateZero(context, channel, nonce))
  channel.begin({ ...freshRecord(context, channel, newest), openingNonce: nonce })
  channel.hasFreshNonce = true
  if (channel.link !== undefined) sendOpen(context, nowMs, channel, channel.link)
}

export function sendOpen(context: Context, nowMs: number, channel: Channel, link: ChannelLink): void {
  const { record } = channel
  if (record?.openingNonce === undefined) return
  if (link.phase !== 'opening') {
    link.phase = 'opening'
    link.ask.start(nowMs, link.spacingMs)
  }
  const signature = channel.mineSignature(record.newest)
  send(context, channel, { kind: 'open', nonce: record.openingNonce, signature })
}

/** The peer offers a channel. Of two offers at once that of party a lives. */
export function onOpen(context: Context, nowMs: number, channel: Channel, message: Message<'open'>): boolean {
  const { link, record } = channel
  if (link === undefined) return false
  const unsigned = stateZero(context, channel, message.nonce)
  const state = channel.signed(unsigned, 'theirs', message.signature)
  if (record !== undefined && record.openingNonce === undefined) {
    const isKnown = equalBytes(record.newest.channelId, state.channelId)
    // OPENED was lost, or the peer has forgotten the channel that there is.
    if (isKnown && record.newest.sequence === 0n) sendOpened(context, channel, record.newest)
    else if (nowMs >= link.askedMs + link.spacingMs) sendStanding(context, nowMs, channel, link)
    return false
  }
  if (record?.openingNonce !== undefined && channel.side === 'a') return false
  if (!isSignedBy(context, channel, state, 'theirs')) return false
  if (record === undefined && !makeRoom(context)) {
    send(context, channel, { kind: 'refuse', sequence: 0n, code: REFUSAL.full })
    return false
  }
  const newest = signState(context, channel, state)
  channel.begin({ ...freshRecord(context, channel, newest), base: newest })
  // The nonce is the peer's: an earlier process may have signed states of this very channel.
  channel.isConfirmed = false
  channel.hasFreshNonce = false
  sendOpened(context, channel, newest)
  ask(context, nowMs, channel)
  return true
}

export function onOpened(context: Context, nowMs: number, channel: Channel, message: Message<'opened'>): boolean {
  const { link, record } = channel
  if (link === undefined || record?.openingNonce === undefined) return false
  const state = channel.signed(record.newest, 'theirs', message.signature)
  if (!isSignedBy(context, channel, state, 'theirs')) return false
  channel.change({ openingNonce: undefined, newest: state, base: state })
  channel.isConfirmed = channel.hasFreshNonce
  ask(context, nowMs, channel)
  return true
}

/** Whether one more channel can be kept; forgets the longest unheard one without link, claims and money for it. */
export function makeRoom(context: Context): boolean {
  const { book, limits } = context
  if (book.count < limits.channelsMax) return true
  let oldest: Channel | undefined
  for (const channel of book.all()) {
    const { record, link } = channel
    const isIdle = link === undefined && channel.claims.length === 0
    if (record === undefined || !isIdle || !isWorthless(channel, record)) continue
    const isOlder =
      oldest?.record === undefined ||
      record.heardEpoch < oldest.record.heardEpoch ||
      (record.heardEpoch === oldest.record.heardEpoch && channel.heardMs < oldest.heardMs)
    if (isOlder) oldest = channel
  }
  if (oldest === undefined) return false
  book.forget(oldest)
  return true
}

/** Nothing in it but what is too little to settle. */
export function isWorthless(channel: Channel, record: ChannelRecord): boolean {
  const owedMicro = channel.owedMicro(record)
  const isDust = owedMicro < SETTLEMENT_AMOUNT_MIN_MICRO && owedMicro > -SETTLEMENT_AMOUNT_MIN_MICRO
  const isAtRest = record.pending === undefined && record.settlement === undefined && record.halt === HALT.none
  return isDust && isAtRest && record.base !== undefined
}

function stateZero(context: Context, channel: Channel, nonce: Uint8Array): ChannelState {
  const [mine, theirs] = [context.identity.nodeId, channel.peerId]
  const [a, b] = channel.side === 'a' ? [mine, theirs] : [theirs, mine]
  return openingState(context.crypto, a, b, nonce)
}

function sendOpened(context: Context, channel: Channel, state: ChannelState): void {
  send(context, channel, { kind: 'opened', signature: channel.mineSignature(state) })
}

/** A record of nothing but its newest state. */
export function freshRecord(context: Context, channel: Channel, newest: ChannelState): ChannelRecord {
  return {
    peerKey: channel.peerKey,
    openingNonce: undefined,
    newest,
    base: undefined,
    ownSequence: 0n,
    pending: undefined,
    draft: undefined,
    offers: [],
    settlement: undefined,
    halt: HALT.none,
    close: undefined,
    packetsPaid: 0n,
    heardEpoch: context.epoch,
  }
}
