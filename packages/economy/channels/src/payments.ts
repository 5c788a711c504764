import { equalBytes } from '@nexus/codec'
import { type Channel, type ChannelLink, greatest, isSameState } from './channel.ts'
import { type Context, isSignedBy, send, signState } from './context.ts'
import type { ChannelMessage } from './messages.ts'
import { type ChannelRecord, HALT } from './record.ts'
import { type ChannelState, NO_SIGNATURE } from './state.ts'

/** Signs, as payer, the state that moves `paidMicro` at `sequence`; it is pending until the peer signs too. */
export function signPayment(
  context: Context,
  channel: Channel,
  record: ChannelRecord,
  sequence: bigint,
  payment: { readonly claim: Uint8Array; readonly paidMicro: bigint },
): void {
  if (sequence < channel.floor(record)) throw new Error('channels: a sequence below the floor')
  const unsigned = channel.moved(record.newest, sequence, -payment.paidMicro, NO_SIGNATURE)
  channel.change({ pending: { ...payment, state: signState(context, channel, unsigned) }, ownSequence: sequence })
}

/** Sends the pending payment, as UPDATE inside its slot or as STATE after re-establishing. */
export function sendPending(context: Context, channel: Channel, link: ChannelLink, record: ChannelRecord): void {
  if (record.pending === undefined) return
  const { state } = record.pending
  if (link.pendingAs === 'state') {
    send(context, channel, { kind: 'state', state })
    return
  }
  const { sequence, balanceAMicro } = state
  send(context, channel, { kind: 'update', sequence, balanceAMicro, signature: channel.mineSignature(state) })
}

/**
 * A state with the payer's signature alone, at its payee: signed where it pays this side at least `leastMicro` and its
 * sequence is free. Returns what it pays, or undefined where it was not signed.
 */
export function takePayment(
  context: Context,
  channel: Channel,
  state: ChannelState,
  leastMicro: bigint,
): bigint | undefined {
  const { link, open: record } = channel
  if (link?.phase !== 'ready' || record === undefined || record.halt !== HALT.none) return undefined
  const paidMicro = channel.mineMicro(state) - channel.mineMicro(record.newest)
  const isFree = state.sequence >= channel.floor(record) && state.sequence <= link.next
  // With a payment of one's own pending, a state of the peer may hold it already: ACCEPT is on its way. Only where both
  // said that they hold one that the other has not signed, the sequencer's goes first.
  const isTurn = record.pending === undefined || (channel.side === 'b' && link.awaited !== undefined)
  if (!isFree || !isTurn || paidMicro < leastMicro || !isSignedBy(context, channel, state, 'theirs')) return undefined
  const signed = signState(context, channel, state)
  channel.change({ newest: signed, ownSequence: state.sequence })
  channel.isConfirmed = true
  advance(channel, link, state.sequence)
  accept(context, channel, signed)
  return paidMicro
}

export function accept(context: Context, channel: Channel, state: ChannelState): void {
  const signature = channel.mineSignature(state)
  send(context, channel, { kind: 'accept', sequence: state.sequence, signature })
}

/** The peer signed the pending payment. */
export function onAccept(
  context: Context,
  nowMs: number,
  channel: Channel,
  message: Extract<ChannelMessage, { kind: 'accept' }>,
): boolean {
  const { link, open: record } = channel
  const pending = record?.pending
  if (link === undefined || pending?.state.sequence !== message.sequence) return false
  const state = channel.signed(pending.state, 'theirs', message.signature)
  if (!isSignedBy(context, channel, state, 'theirs')) return false
  channel.change({ newest: state, pending: undefined })
  // One that an earlier process signed may be older than this one's memory: it confirms nothing.
  if (channel.signedHere === state.sequence) channel.isConfirmed = true
  link.paying.stop()
  advance(channel, link, state.sequence)
  if (pending.claim.length > 0) context.ports.paid(nowMs, channel.peerId, pending.claim)
  return true
}

/**
 * Takes a state with both signatures that is newer than the newest held. A pending payment is in it: while one was
 * pending, this side signed nothing else. Where it was signed anew above, that signature is still to be answered.
 */
export function adopt(context: Context, nowMs: number, channel: Channel, state: ChannelState): void {
  const { open: record, link } = channel
  if (record === undefined) return
  const { pending } = record
  const ownSequence = greatest(record.ownSequence, state.sequence)
  const isOver = pending === undefined || pending.state.sequence <= state.sequence
  const left = isOver ? undefined : { ...pending, claim: NO_CLAIM, paidMicro: 0n }
  channel.change({ newest: state, ownSequence, pending: left })
  if (link !== undefined && isOver) link.paying.stop()
  if (pending !== undefined && pending.claim.length > 0) context.ports.paid(nowMs, channel.peerId, pending.claim)
}

/** After re-establishing: the payment that the peer has not signed goes first, where it must in a sequence that is free. */
export function finishPending(context: Context, nowMs: number, channel: Channel): void {
  const { link, open: record } = channel
  if (link?.peer === undefined || record?.pending === undefined || record.halt !== HALT.none) return
  const { pending, newest } = record
  const { peer } = link
  const peerHas = greatest(peer.newestSequence, peer.ownSequence)
  const isFree = pending.state.sequence > peerHas + peer.jump && pending.state.sequence > newest.sequence
  const due = channel.moved(newest, pending.state.sequence, -pending.paidMicro, NO_SIGNATURE)
  if (!isFree || !isSameState(due, pending.state)) pay(context, channel, record, link.next, pending)
  link.pendingAs = 'state'
  link.paying.start(nowMs, link.spacingMs)
  sendPending(context, channel, link, channel.record!)
}

/** Signs in this process, and remembers that it did. */
export function pay(
  context: Context,
  channel: Channel,
  record: ChannelRecord,
  sequence: bigint,
  payment: { readonly claim: Uint8Array; readonly paidMicro: bigint },
): void {
  signPayment(context, channel, record, sequence, payment)
  channel.signedHere = sequence
}

/** A state has both signatures: the next slot is the one after it, or stays where a jump put it. */
function advance(channel: Channel, link: ChannelLink, sequence: bigint): void {
  link.next = greatest(link.next, sequence + 1n)
  if (link.awaited !== undefined && sequence >= link.awaited) {
    link.awaited = undefined
    link.awaiting.stop()
  }
  if (channel.side === 'a' && link.claimed !== undefined && link.claimed.sequence <= sequence) link.claimed = undefined
}

/** Whether the pending payment is the one that `claim` asks for. */
export function isPendingFor(record: ChannelRecord, claim: Uint8Array): boolean {
  return record.pending !== undefined && equalBytes(record.pending.claim, claim)
}

/** Of a pending state whose claim was paid by an earlier one. */
const NO_CLAIM = new Uint8Array(0)
