import { Bulk } from './bulk.ts'
import { BODY_MAX_BYTES } from './limits.ts'
import {
  type FailureReason,
  isSettled,
  type MessageState,
  NEXT_STEPS,
  type Outgoing,
  type WaitingFor,
} from './outgoing.ts'

/** What is known of one message, for people and programs. */
export interface MessageStatus {
  /** The handle that `send` returned. */
  readonly id: bigint
  readonly destination: Uint8Array
  readonly anonymous: boolean
  readonly bytes: number
  readonly state: MessageState
  /** With `failed` only. */
  readonly reason?: FailureReason
  readonly nextStep?: string
  /** What holds up a message that is neither delivered nor failed. */
  readonly waitingFor?: WaitingFor
  /** Transmissions since the last sign of progress. */
  readonly tries: number
  /** Running time left before it fails; 0 once settled. */
  readonly expiresInMs: number
}

/** A message at work: what is on disk, and what is not worth the disk. */
export interface OutboxEntry {
  readonly message: Outgoing
  /** Absent where the body fits one packet. */
  bulk?: Bulk
  waitingFor: WaitingFor
  tries: number
  /** Clock reading of the next step; infinite where only an event helps. */
  nextMs: number
  lastSentMs: number
  offersStored: number
  newer: number
}

/** An entry that has its first step at once. */
export function makeEntry(message: Outgoing): OutboxEntry {
  return {
    message,
    ...(message.anonymous || message.bodyBytes <= BODY_MAX_BYTES ? {} : { bulk: new Bulk(message.bodyBytes) }),
    waitingFor: 'turn',
    tries: 0,
    nextMs: Number.NEGATIVE_INFINITY,
    lastSentMs: Number.NEGATIVE_INFINITY,
    offersStored: message.offers,
    newer: message.newerStored,
  }
}

/** The status of a message, with its entry while it is at work. */
export function statusOf(message: Outgoing, runMs: number, entry?: OutboxEntry): MessageStatus {
  const { handle, destination, anonymous, bodyBytes, state, reason, expiresRunMs } = message
  return {
    id: handle,
    destination: destination.slice(),
    anonymous,
    bytes: bodyBytes,
    state,
    ...(reason === undefined ? {} : { reason, nextStep: NEXT_STEPS[reason] }),
    ...(entry === undefined ? {} : { waitingFor: entry.waitingFor }),
    tries: entry?.tries ?? 0,
    expiresInMs: isSettled(message) ? 0 : Math.max(0, expiresRunMs - runMs),
  }
}

/** Why a message that was not answered in time failed. */
export function expiryReason({ message, waitingFor }: OutboxEntry): FailureReason {
  if (message.offers > 0) return 'expired'
  if (waitingFor === 'key') return 'no-key'
  return waitingFor === 'route' ? 'no-route' : 'no-turn'
}
