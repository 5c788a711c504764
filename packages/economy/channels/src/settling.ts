import { equalBytes } from '@nexus/codec'
import { type Channel, greatest } from './channel.ts'
import { closeState } from './close-record.ts'
import { type Context, keysOf, publish, send } from './context.ts'
import { settleAtMicro } from './exposure.ts'
import {
  OFFERS_MAX,
  OPENING_BALANCE_MICRO,
  SETTLE_RETRY_MS,
  SETTLEMENT_AMOUNT_MIN_MICRO,
  SHORT_HASH_BYTES,
} from './limits.ts'
import { type ChannelMessage, REFUSAL } from './messages.ts'
import { type ChannelRecord, HALT, type Terms } from './record.ts'
import {
  SETTLEMENT_TAG,
  type Settlement,
  settlementFault,
  settlementHash,
  settlementSignedBytes,
  settlementVerifyJobs,
} from './settlement.ts'
import { type ChannelState, holds, isDualSigned, NO_SIGNATURE } from './state.ts'

type Message<K extends ChannelMessage['kind']> = Extract<ChannelMessage, { kind: K }>

/** Asks for a settlement, or proposes one where this side owes; again every minute until it is done. */
export function settle(context: Context, nowMs: number, channel: Channel): boolean {
  const { link, open: record } = channel
  if (link === undefined || record === undefined || record.base === undefined || record.halt === HALT.fork) return false
  const owedMicro = channel.owedMicro(record)
  if (owedMicro < SETTLEMENT_AMOUNT_MIN_MICRO && owedMicro > -SETTLEMENT_AMOUNT_MIN_MICRO) return false
  link.settleAtMs = nowMs + SETTLE_RETRY_MS
  if (link.phase !== 'ready') return true
  if (owedMicro > 0n) {
    link.settling.start(nowMs, link.spacingMs)
    send(context, channel, { kind: 'settleAsk' })
  } else propose(context, nowMs, channel, record)
  return true
}

/** After a payment: whether the payer owes enough by now. */
export function settleIfDue(context: Context, nowMs: number, channel: Channel): void {
  const { link, open: record } = channel
  if (link === undefined || record === undefined || link.settleAtMs !== Number.POSITIVE_INFINITY) return
  if (link.settling.isOn || channel.owedMicro(record) < settleAtMicro(context, channel.peerId)) return
  settle(context, nowMs, channel)
}

/** Sends again what settling waits for. */
export function repeatSettling(context: Context, channel: Channel): void {
  const { open: record } = channel
  if (record === undefined) return
  const { draft } = record
  if (draft !== undefined) {
    send(context, channel, { kind: 'settleSeq', finalSequence: draft.state.sequence, payerSeq: draft.payerSeq })
  } else if (channel.owedMicro(record) >= SETTLEMENT_AMOUNT_MIN_MICRO) send(context, channel, { kind: 'settleAsk' })
}

/** The number of this node's next debit. */
function nextPayerSeq(context: Context): bigint {
  return greatest(context.book.payerSeq, context.ports.payerSeqSeen()) + 1n
}

/** As payer: names the state and the number of the debit. One draft is repeated as long as its number is the next. */
function propose(context: Context, nowMs: number, channel: Channel, record: ChannelRecord): void {
  const { link } = channel
  if (link === undefined || !context.isReconciled || record.base === undefined) return
  const payerSeq = nextPayerSeq(context)
  const isCurrent = record.draft?.payerSeq === payerSeq && record.draft.state.sequence > record.base.sequence
  if (!isCurrent) channel.change({ draft: { state: record.newest, payerSeq } })
  link.settling.start(nowMs, link.spacingMs)
  repeatSettling(context, channel)
}

export function onSettleAsk(context: Context, nowMs: number, channel: Channel): void {
  const { link, open: record } = channel
  if (link?.phase !== 'ready' || record === undefined || link.settling.isOn) return
  if (channel.owedMicro(record) <= -SETTLEMENT_AMOUNT_MIN_MICRO) settle(context, nowMs, channel)
}

/** As payee, who signs first: only what would apply in its own replica now. */
export function onSettleSeq(context: Context, channel: Channel, message: Message<'settleSeq'>): void {
  const { link, open: record } = channel
  if (link?.phase !== 'ready' || record === undefined) return
  const refusal = { kind: 'refuse', sequence: message.finalSequence, code: REFUSAL.settlement } as const
  const { base, offers, newest } = record
  const known = [newest, ...offers.map(({ state }) => state)].find(({ sequence }) => sequence === message.finalSequence)
  const terms = known && { state: known, payerSeq: message.payerSeq }
  const settlement = base && terms && settlementOf(context, channel, base, terms)
  if (settlement === undefined || payee(settlement) !== channel.side || !context.ports.wouldApply(settlement)) {
    return send(context, channel, refusal)
  }
  // What has an earlier number can no more apply: that number was used.
  const open = offers.filter(({ payerSeq }) => payerSeq >= message.payerSeq)
  const isOffered = open.some(
    (offer) => offer.payerSeq === message.payerSeq && offer.state.sequence === message.finalSequence,
  )
  if (!isOffered) {
    if (open.length >= OFFERS_MAX) return send(context, channel, refusal)
    channel.change({ offers: [...open, terms!] })
  }
  sendSignature(context, channel, settlement)
}

function sendSignature(context: Context, channel: Channel, settlement: Settlement): void {
  const hash = settlementHash(context.crypto, settlement).slice(0, SHORT_HASH_BYTES)
  send(context, channel, { kind: 'settleSig', hash, signature: signSettlement(context, settlement) })
}

/** The other's signature: completes a draft at its payer, or an offer at its payee. */
export function onSettleSig(context: Context, channel: Channel, message: Message<'settleSig'>): void {
  const { open: record } = channel
  if (record?.base === undefined) return
  if (record.draft !== undefined) complete(context, channel, record, record.base, record.draft, message)
  for (const offer of record.offers) receive(context, channel, record.base, offer, message)
}

/** As payer: stores, signs, publishes; one record for each number, ever. */
function complete(
  context: Context,
  channel: Channel,
  record: ChannelRecord,
  base: ChannelState,
  draft: Terms,
  message: Message<'settleSig'>,
): void {
  const half = withTheirs(context, channel, settlementOf(context, channel, base, draft), message)
  if (half === undefined || draft.payerSeq !== nextPayerSeq(context) || !context.isReconciled) return
  if (record.halt === HALT.fork) return
  const mine = signSettlement(context, half)
  const settlement = channel.side === 'a' ? { ...half, signatureA: mine } : { ...half, signatureB: mine }
  context.book.payerSeq = draft.payerSeq
  channel.change({ base: draft.state, draft: undefined, settlement })
  endSettling(channel)
  publish(context, { kind: 'settlement', settlement })
  send(context, channel, { kind: 'settleSig', hash: message.hash, signature: mine })
}

/** As payee: the payer signed what was offered. */
function receive(
  context: Context,
  channel: Channel,
  base: ChannelState,
  offer: Terms,
  message: Message<'settleSig'>,
): void {
  const half = withTheirs(context, channel, settlementOf(context, channel, base, offer), message)
  if (half === undefined) return
  const mine = signSettlement(context, half)
  const settlement = channel.side === 'a' ? { ...half, signatureA: mine } : { ...half, signatureB: mine }
  channel.change({ base: offer.state, offers: [], settlement })
  endSettling(channel)
  publish(context, { kind: 'settlement', settlement })
}

/** A payee refuses a settlement: its draft is made anew when settling is next tried. */
export function onSettleRefused(channel: Channel, finalSequence: bigint): void {
  const { record } = channel
  if (record?.draft?.state.sequence !== finalSequence) return
  channel.change({ draft: undefined })
  channel.link?.settling.stop()
}

/** Follows what the ledger applied; `state` is one more that the peer sent. */
export function refreshBase(context: Context, channel: Channel, state?: ChannelState): void {
  const { open: record } = channel
  if (record === undefined) return
  const { newest, base, draft, offers, close } = record
  const { keyA, keyB } = keysOf(context, channel)
  const settled = context.ports.settledSequence(newest.channelId, keyA, keyB)
  const isCurrent = base !== undefined && base.sequence >= settled
  if (isCurrent && isDualSigned(base)) return
  const wanted = isCurrent ? base.sequence : settled
  const closed = close && closeState(context.crypto, close, 'last')
  const held = [state, newest, draft?.state, closed, ...offers.map((offer) => offer.state)]
  const found =
    held.find((candidate) => candidate?.sequence === wanted) ?? (isCurrent ? base : unsignedZero(newest, wanted))
  if (found === base) return
  channel.change({
    base: found,
    ...(draft !== undefined && draft.state.sequence <= wanted ? { draft: undefined } : {}),
    offers: offers.filter((offer) => offer.state.sequence > wanted),
  })
}

/** State 0 is known without its signatures: enough for sums, not for a close. */
function unsignedZero(newest: ChannelState, sequence: bigint): ChannelState | undefined {
  if (sequence !== 0n) return undefined
  const balances = { balanceAMicro: OPENING_BALANCE_MICRO, balanceBMicro: OPENING_BALANCE_MICRO }
  return { ...newest, ...balances, sequence, signatureA: NO_SIGNATURE, signatureB: NO_SIGNATURE }
}

function endSettling(channel: Channel): void {
  if (channel.link === undefined) return
  channel.link.settling.stop()
  channel.link.settleAtMs = Number.POSITIVE_INFINITY
}

function payee({ amountAToBMicro }: Settlement): 'a' | 'b' {
  return amountAToBMicro > 0n ? 'b' : 'a'
}

/** The record that the terms give, unsigned; undefined where they give none, as by a number that no debit has. */
function settlementOf(context: Context, channel: Channel, base: ChannelState, terms: Terms): Settlement | undefined {
  const settlement: Settlement = {
    channelId: base.channelId,
    ...keysOf(context, channel),
    amountAToBMicro: base.balanceAMicro - terms.state.balanceAMicro,
    prevSequence: base.sequence,
    finalSequence: terms.state.sequence,
    payerSeq: terms.payerSeq,
    signatureA: NO_SIGNATURE,
    signatureB: NO_SIGNATURE,
  }
  return settlementFault(settlement) === undefined ? settlement : undefined
}

function signSettlement(context: Context, settlement: Settlement): Uint8Array {
  return context.identity.sign(SETTLEMENT_TAG, context.networkId, settlementSignedBytes(settlement))
}

/** The settlement with the other's signature, where the message names it and the signature holds. */
function withTheirs(
  context: Context,
  channel: Channel,
  settlement: Settlement | undefined,
  { hash, signature }: Message<'settleSig'>,
): Settlement | undefined {
  if (settlement === undefined) return undefined
  if (!equalBytes(settlementHash(context.crypto, settlement).subarray(0, SHORT_HASH_BYTES), hash)) return undefined
  const half =
    channel.side === 'a' ? { ...settlement, signatureB: signature } : { ...settlement, signatureA: signature }
  const [jobA, jobB] = settlementVerifyJobs(context.networkId, half)
  return holds(context.crypto, channel.side === 'a' ? jobB : jobA) ? half : undefined
}
