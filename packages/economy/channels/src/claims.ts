import { ByteReader } from '@nexus/codec'
import type { Crypto } from '@nexus/crypto'
import { ask } from './asking.ts'
import type { Channel, ChannelLink, Claim } from './channel.ts'
import { isSameState } from './channel.ts'
import { type Context, send } from './context.ts'
import { SEQUENCE_LIMIT } from './limits.ts'
import { type ChannelMessage, REFUSAL } from './messages.ts'
import { accept, finishPending, isPendingFor, pay, sendPending, takePayment } from './payments.ts'
import { type ChannelRecord, HALT } from './record.ts'
import { NO_SIGNATURE } from './state.ts'

type Message<K extends ChannelMessage['kind']> = Extract<ChannelMessage, { kind: K }>

/** How REFUSE names a claim: the first 8 bytes of its BLAKE3 as u64, the top bit set, so that it is no sequence. */
export function claimDigest(crypto: Crypto, body: Uint8Array): bigint {
  return new ByteReader(crypto.blake3(body)).u64() | SEQUENCE_LIMIT
}

/** Gives the free slot to whoever waits for it. */
export function pump(context: Context, nowMs: number, channel: Channel): void {
  const { link, open: record } = channel
  if (link?.phase !== 'ready' || record === undefined || record.halt !== HALT.none || link.awaited !== undefined) return
  if (channel.side === 'a') {
    if (link.claimed !== undefined || record.pending !== undefined) return
    const { deferred } = link
    link.deferred = undefined
    if (deferred !== undefined && judge(context, nowMs, channel, record, link.next, deferred)) return
  }
  const [claim] = channel.claims
  if (claim === undefined || link.claimed !== undefined) return
  link.claimed = { claim, sequence: channel.side === 'a' ? link.next : 0n }
  link.claiming.start(nowMs, link.spacingMs)
  sendClaim(context, channel, link)
}

export function sendClaim(context: Context, channel: Channel, link: ChannelLink): void {
  if (link.claimed === undefined) return
  const { claim, sequence } = link.claimed
  channel.unanswered = claim
  send(context, channel, { kind: 'claim', sequence, body: claim.body })
}

/** The peer claims: this side is the payer. */
export function onClaim(context: Context, nowMs: number, channel: Channel, message: Message<'claim'>): void {
  const { link, open: record } = channel
  if (link?.phase !== 'ready' || record === undefined || link.awaited !== undefined) return
  if (record.halt !== HALT.none) return refuse(context, channel, message.body, REFUSAL.readOnly)
  if (record.pending !== undefined) {
    if (isPendingFor(record, message.body)) sendPending(context, channel, link, record)
    return
  }
  if (channel.side === 'a') {
    if (message.sequence !== 0n) return refuse(context, channel, message.body, REFUSAL.sequence)
    // One slot at a time: it waits for the own claim that is out.
    if (link.claimed !== undefined) link.deferred = message.body
    else judge(context, nowMs, channel, record, link.next, message.body)
    return
  }
  const isSlot = message.sequence >= channel.floor(record) && message.sequence <= link.next
  if (!isSlot) return refuse(context, channel, message.body, REFUSAL.sequence)
  judge(context, nowMs, channel, record, message.sequence, message.body)
}

/** Pays or refuses; true where a payment is pending now. */
function judge(
  context: Context,
  nowMs: number,
  channel: Channel,
  record: ChannelRecord,
  sequence: bigint,
  claim: Uint8Array,
): boolean {
  const { link } = channel
  if (link === undefined) return false
  const verdict = context.ports.judge(nowMs, channel.peerId, claim)
  if ('refuse' in verdict) {
    refuse(context, channel, claim, verdict.refuse)
    return false
  }
  if (verdict.payMicro <= 0n || verdict.payMicro > channel.mineMicro(record.newest)) {
    refuse(context, channel, claim, REFUSAL.amount)
    return false
  }
  pay(context, channel, record, sequence, { claim, paidMicro: verdict.payMicro })
  link.pendingAs = 'update'
  link.paying.start(nowMs, link.spacingMs)
  sendPending(context, channel, link, channel.record!)
  return true
}

/** The payer's signature: for the claim that is out, or for one that this side has forgotten. */
export function onUpdate(context: Context, nowMs: number, channel: Channel, message: Message<'update'>): boolean {
  const { link, open: record } = channel
  if (link === undefined || record === undefined) return false
  const { newest } = record
  const sumMicro = newest.balanceAMicro + newest.balanceBMicro
  if (message.balanceAMicro > sumMicro) return false
  const unsigned = {
    ...newest,
    sequence: message.sequence,
    balanceAMicro: message.balanceAMicro,
    balanceBMicro: sumMicro - message.balanceAMicro,
    signatureA: NO_SIGNATURE,
    signatureB: NO_SIGNATURE,
  }
  if (isSameState(unsigned, newest)) {
    // Signed before: ACCEPT was lost.
    accept(context, channel, newest)
    return false
  }
  const paidMicro = takePayment(context, channel, channel.signed(unsigned, 'theirs', message.signature), 1n)
  if (paidMicro === undefined) {
    const isLater = message.sequence > newest.sequence && record.pending === undefined
    if (isLater) send(context, channel, { kind: 'refuse', sequence: message.sequence, code: REFUSAL.sequence })
    return false
  }
  earn(context, nowMs, channel, paidMicro)
  finishPending(context, nowMs, channel)
  return true
}

/** A payment was signed by both: it ends the claim that is out. */
export function earn(context: Context, nowMs: number, channel: Channel, paidMicro: bigint): void {
  const { unanswered: claim, record } = channel
  if (claim !== undefined && record !== undefined) {
    endClaim(channel, claim)
    channel.change({ packetsPaid: record.packetsPaid + claim.packets })
  }
  const expectedMicro = claim?.expectedMicro ?? 0n
  const body = claim === undefined ? {} : { claim: claim.body }
  context.ports.earned(nowMs, channel.peerId, { paidMicro, expectedMicro, ...body })
}

/** A claim, an update or a settlement is not taken. */
export function onRefuse(context: Context, nowMs: number, channel: Channel, message: Message<'refuse'>): void {
  const { link, record } = channel
  if (link === undefined || record === undefined) return
  if (link.claimed !== undefined && claimDigest(context.crypto, link.claimed.claim.body) === message.sequence) {
    const { claim } = link.claimed
    if (message.code === REFUSAL.sequence) return ask(context, nowMs, channel)
    endClaim(channel, claim)
    context.ports.claimRefused(nowMs, channel.peerId, claim.body, message.code)
    return pump(context, nowMs, channel)
  }
  // Only inside its slot: after re-establishing, what is pending is repeated until the peer has it.
  const isPending = record.pending?.state.sequence === message.sequence && link.paying.isOn
  if (isPending && message.code === REFUSAL.sequence && link.phase === 'ready') ask(context, nowMs, channel)
}

function refuse(context: Context, channel: Channel, claim: Uint8Array, code: number): void {
  send(context, channel, { kind: 'refuse', sequence: claimDigest(context.crypto, claim), code })
}

function endClaim(channel: Channel, claim: Claim): void {
  channel.unanswered = undefined
  if (channel.link !== undefined) {
    channel.link.claimed = undefined
    channel.link.claiming.stop()
  }
  const at = channel.claims.indexOf(claim)
  if (at >= 0) channel.claims.splice(at, 1)
}
