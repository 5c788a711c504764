import { equalBytes } from '@nexus/codec'
import type { Channel } from './channel.ts'
import { isSameState } from './channel.ts'
import { CLOSE_TAG, type CloseRecord, closeSignedBytes, closeState } from './close-record.ts'
import { type Context, keysOf, publish } from './context.ts'
import { ABANDONED_EPOCHS, SETTLEMENT_AMOUNT_MIN_MICRO } from './limits.ts'
import { REFUSAL } from './messages.ts'
import { adopt } from './payments.ts'
import { HALT } from './record.ts'
import { refreshBase } from './settling.ts'
import { isDualSigned } from './state.ts'

/**
 * What became of a close without the peer. `not-yet`: this process has not heard the peer's standing, and no whole epoch
 * has passed since its start, so the newest state held may be an old one. `nothing`: there is no state beyond the settled
 * one, or none that can be shown.
 */
export type DisputeResult = 'published' | 'not-yet' | 'nothing' | 'no-channel'

/** Publishes the newest state, without the other (docs/spec/channels.md, Close). */
export function dispute(context: Context, channel: Channel): DisputeResult {
  const { open: record } = channel
  if (record === undefined) return 'no-channel'
  if (!mayClose(context, channel)) return 'not-yet'
  refreshBase(context, channel)
  const { base, newest } = channel.open ?? record
  if (base === undefined || !isDualSigned(base) || newest.sequence <= base.sequence) return 'nothing'
  const draft = { channelId: newest.channelId, ...keysOf(context, channel), base, last: newest, epoch: context.epoch }
  const closer = channel.side
  const signature = context.identity.sign(CLOSE_TAG, context.networkId, closeSignedBytes({ ...draft, closer }))
  const close: CloseRecord = { ...draft, closer, signature }
  channel.change({ close, halt: record.halt === HALT.fork ? HALT.fork : HALT.closing })
  channel.isAnswerDue = false
  publish(context, { kind: 'close', close })
  return 'published'
}

/** A state that was restored from a backup can't be told from the newest: so nobody closes on one right after a start. */
function mayClose(context: Context, channel: Channel): boolean {
  return channel.isSynced || context.epoch > context.startEpoch + 1n
}

/** A valid close of this channel is in the ledger: it is answered where a newer state is held, and learnt from. */
export function closeSeen(context: Context, nowMs: number, channel: Channel, close: CloseRecord): void {
  const { open: record } = channel
  if (record === undefined || !equalBytes(record.newest.channelId, close.channelId)) return
  const { newest } = record
  const last = closeState(context.crypto, close, 'last')
  if (last.sequence === newest.sequence && !isSameState(last, newest)) {
    channel.change({ halt: HALT.fork })
    return
  }
  if (record.halt === HALT.none) channel.change({ halt: HALT.closing })
  if (last.sequence > newest.sequence) adopt(context, nowMs, channel, last)
  else if (last.sequence < newest.sequence) {
    channel.isAnswerDue = true
    answerClose(context, channel)
  }
}

/** Answers a close of an older state, as soon as that may be done. */
export function answerClose(context: Context, channel: Channel): void {
  if (channel.isAnswerDue) dispute(context, channel)
}

/** Whether a close was paid out, or a settlement, to the newest state and for good: nothing is left of the channel. */
export function isOver(context: Context, channel: Channel): boolean {
  const { open: record } = channel
  if (record === undefined || record.halt === HALT.none) return false
  const { keyA, keyB } = keysOf(context, channel)
  return context.ports.finalSequence(record.newest.channelId, keyA, keyB) >= record.newest.sequence
}

/** Forgets a channel; what waits to be claimed in it never will be. */
export function forget(context: Context, nowMs: number, channel: Channel): void {
  context.book.forget(channel)
  for (const { body } of channel.claims) {
    context.ports.claimRefused(nowMs, channel.peerId, body, REFUSAL.readOnly)
  }
}

/** Whether the peer was silent for so long that its debt is to be claimed without it. */
export function isAbandoned(context: Context, channel: Channel): boolean {
  const { open: record, link } = channel
  if (record === undefined || link !== undefined || record.close !== undefined) return false
  const isSilent = context.epoch >= record.heardEpoch + ABANDONED_EPOCHS
  return isSilent && channel.owedMicro(record) >= SETTLEMENT_AMOUNT_MIN_MICRO
}
