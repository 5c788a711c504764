import { equalBytes } from '@nexus/codec'
import { ask, sendStanding } from './asking.ts'
import { type Channel, type ChannelLink, greatest, isSameState } from './channel.ts'
import { earn, pump } from './claims.ts'
import { answerClose } from './closing.ts'
import { type Context, isSignedBy, NO_HASH, send } from './context.ts'
import { BALANCE_SUM_LIMIT, OPENING_BALANCE_MICRO, SEQUENCE_LIMIT, UNPROVEN_SEQUENCES_MAX } from './limits.ts'
import { REFUSAL, type Standing } from './messages.ts'
import { freshRecord, makeRoom } from './opening.ts'
import { accept, adopt, finishPending, takePayment } from './payments.ts'
import { type ChannelRecord, HALT } from './record.ts'
import { refreshBase } from './settling.ts'
import { type ChannelState, isDualSigned, stateHash } from './state.ts'

/** The peer's standing: what both hold, who is behind, and from which sequence on slots are given. */
export function onReestablish(context: Context, nowMs: number, channel: Channel, peer: Standing): void {
  const { link, record } = channel
  if (link === undefined) return
  if (record === undefined || !equalBytes(record.newest.channelId, peer.channelId)) {
    return onUnknown(context, nowMs, channel, link, peer)
  }
  link.unknownId = undefined
  const isAnswered = link.phase === 'asking' || link.phase === 'behind'
  // Nobody restarts within a link: less than what it signed here before was said before.
  if (link.phase === 'ready' && peer.ownSequence < record.newest.sequence) return
  if (!isAnswered && nowMs < link.askedMs + link.spacingMs && link.phase !== 'idle') return
  if (isTooFar(record, peer)) return
  link.reset()
  link.peer = peer
  if (!isAnswered) sendStanding(context, nowMs, channel, link)
  if (record.openingNonce !== undefined) return
  compare(context, nowMs, channel, link)
}

/**
 * A peer may not move the sequence far from what is proved; and where either side is near the end of what states can carry,
 * nothing is signed any more: the slots of one more link, and its jumps, have to fit.
 */
function isTooFar(record: ChannelRecord, peer: Standing): boolean {
  const proved = greatest(record.newest.sequence, record.ownSequence, peer.newestSequence)
  const isFar = peer.ownSequence > proved + UNPROVEN_SEQUENCES_MAX
  return isFar || greatest(proved, peer.ownSequence) >= SEQUENCE_LIMIT - UNPROVEN_SEQUENCES_MAX
}

function compare(context: Context, nowMs: number, channel: Channel, link: ChannelLink): void {
  const { open: record } = channel
  const { peer } = link
  if (record === undefined || peer === undefined) return
  const { newest, base } = record
  link.next = 1n + greatest(newest.sequence, record.ownSequence, peer.newestSequence, peer.ownSequence)
  link.next += channel.jump + peer.jump
  const isSame =
    peer.newestSequence === newest.sequence && equalBytes(peer.newestHash, stateHash(context.crypto, newest))
  const holdsNothing = equalBytes(peer.newestHash, NO_HASH)
  if (peer.newestSequence > newest.sequence) {
    link.phase = 'behind'
    link.ask.backOff(nowMs, link.spacingMs, 1)
    return
  }
  if (holdsNothing || !isSame) {
    if (base !== undefined && base.sequence !== newest.sequence && isDualSigned(base)) {
      send(context, channel, { kind: 'state', state: base })
    }
    send(context, channel, { kind: 'state', state: newest })
  }
  if (peer.newestSequence === newest.sequence && !isSame && !holdsNothing) {
    // One of both lies, or signed twice: nothing is signed here until a later standing agrees, or the fork is proved.
    link.phase = 'behind'
    link.ask.backOff(nowMs, link.spacingMs, 1)
    return
  }
  becomeReady(context, nowMs, channel, link, peer)
}

function becomeReady(context: Context, nowMs: number, channel: Channel, link: ChannelLink, peer: Standing): void {
  const { open: record } = channel
  if (record === undefined) return
  link.phase = 'ready'
  link.ask.stop()
  channel.isSynced = true
  const known = greatest(record.newest.sequence, peer.newestSequence)
  if (peer.ownSequence > known) link.awaited = peer.ownSequence
  if (link.awaited !== undefined) link.awaiting.start(nowMs, link.spacingMs * 4)
  refreshBase(context, channel)
  answerClose(context, channel)
  finishPending(context, nowMs, channel)
  pump(context, nowMs, channel)
}

/** The peer names a channel that is not held here: it may be one that this node forgot. */
function onUnknown(context: Context, nowMs: number, channel: Channel, link: ChannelLink, peer: Standing): void {
  const isKept = channel.open !== undefined
  if (isKept || peer.newestHash.every((byte) => byte === 0)) {
    const isDue = nowMs >= link.askedMs + link.spacingMs
    if (isKept && isDue) sendStanding(context, nowMs, channel, link)
    return
  }
  link.unknownId = peer.channelId
  link.peer = peer
  sendStanding(context, nowMs, channel, link)
}

/** A whole state: one that this side lacks, or a payment that the peer has signed and this side not yet. */
export function onState(context: Context, nowMs: number, channel: Channel, state: ChannelState): boolean {
  const { link, record } = channel
  if (link === undefined || !isOurs(context, channel, state)) return false
  if (!isSignedBy(context, channel, state, 'theirs')) return false
  const isDual = isSignedBy(context, channel, state, 'mine')
  if (record === undefined || record.openingNonce !== undefined) {
    return isDual && learn(context, nowMs, channel, link, state)
  }
  if (!equalBytes(record.newest.channelId, state.channelId)) return false
  if (!isDual) return onPayment(context, nowMs, channel, record, state)
  if (state.sequence === record.newest.sequence) {
    if (!isSameState(state, record.newest)) channel.change({ halt: HALT.fork })
    else refreshBase(context, channel)
    return false
  }
  if (state.sequence < record.newest.sequence) {
    refreshBase(context, channel, state)
    return false
  }
  adopt(context, nowMs, channel, state)
  refreshBase(context, channel)
  const { peer } = link
  if (link.phase === 'behind' && peer !== undefined && state.sequence >= peer.newestSequence) {
    link.next = greatest(link.next, 1n + state.sequence + channel.jump + peer.jump)
    becomeReady(context, nowMs, channel, link, peer)
  }
  return true
}

function onPayment(
  context: Context,
  nowMs: number,
  channel: Channel,
  record: ChannelRecord,
  state: ChannelState,
): boolean {
  if (isSameState(state, record.newest)) {
    accept(context, channel, record.newest)
    return false
  }
  const paidMicro = takePayment(context, channel, state, 0n)
  if (paidMicro === undefined) return false
  if (paidMicro > 0n) earn(context, nowMs, channel, paidMicro)
  finishPending(context, nowMs, channel)
  return true
}

/** Whether the state is of this pair, and of the money that a channel has. */
function isOurs(context: Context, channel: Channel, state: ChannelState): boolean {
  const [mine, theirs] = [context.identity.nodeId, channel.peerId]
  const [a, b] = channel.side === 'a' ? [mine, theirs] : [theirs, mine]
  const sumMicro = state.balanceAMicro + state.balanceBMicro
  return (
    equalBytes(state.partyA, a) &&
    equalBytes(state.partyB, b) &&
    sumMicro === 2n * OPENING_BALANCE_MICRO &&
    sumMicro < BALANCE_SUM_LIMIT
  )
}

/** A channel that this node had forgotten: its own signature proves it. */
function learn(context: Context, nowMs: number, channel: Channel, link: ChannelLink, state: ChannelState): boolean {
  const isNamed = link.unknownId !== undefined && equalBytes(link.unknownId, state.channelId)
  const isOpening = channel.record !== undefined && equalBytes(channel.record.newest.channelId, state.channelId)
  if (!isNamed && !isOpening) return false
  if (channel.record === undefined && !makeRoom(context)) {
    send(context, channel, { kind: 'refuse', sequence: 0n, code: REFUSAL.full })
    return false
  }
  channel.begin({
    ...freshRecord(context, channel, state),
    ownSequence: state.sequence,
  })
  link.unknownId = undefined
  refreshBase(context, channel)
  ask(context, nowMs, channel)
  return true
}
