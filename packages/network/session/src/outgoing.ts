import { ByteReader, ByteWriter } from '@nexus/codec'
import { SessionError } from './errors.ts'
import { DIGEST_BYTES } from './limits.ts'

/** Where a message stands; `delivered` is said only on a valid signed receipt. */
export type MessageState = 'queued' | 'sent' | 'delivered' | 'failed'

/** Why a message failed. */
export type FailureReason =
  | 'no-key'
  | 'no-route'
  | 'no-turn'
  | 'expired'
  | 'refused'
  | 'too-old'
  | 'interrupted'
  | 'cancelled'

/** What a message that is not settled waits for. */
export type WaitingFor = 'key' | 'route' | 'turn' | 'receipt' | 'peer'

/** What a person can do about a failure. */
export const NEXT_STEPS: Readonly<Record<FailureReason, string>> = {
  'no-key': 'Nothing was sent: no announce of the destination was heard. Check its address, or add it as a contact.',
  'no-route': 'Nothing was sent: no path to the destination was found in time. Send again when it is reachable.',
  'no-turn':
    'Nothing was sent: earlier messages to the destination were not answered. Send again when it is reachable.',
  expired: 'It was sent, and no receipt came back in time; it may have been shown. Ask the receiver, or send again.',
  refused: 'The receiver has no room for it or does not take messages from this identity. Send again later.',
  'too-old': 'The receiver no longer knows whether it was shown. Ask the receiver, or send again.',
  interrupted: 'The node stopped while it was sent; it may have been shown. Anonymous messages are not repeated.',
  cancelled: 'It was cancelled here; if it had been sent before, it may have been shown.',
}

/** A message that is or was in the outbox. */
export interface Outgoing {
  /** Names the message here for ever. */
  readonly handle: bigint
  /** Id on the wire; another one after the receiver found the first too old. */
  wireId: bigint
  readonly destination: Uint8Array
  readonly anonymous: boolean
  readonly bodyBytes: number
  /** Empty once settled. */
  body: Uint8Array
  digest: Uint8Array
  state: MessageState
  reason?: FailureReason
  /** How often the present id may have left this node: 0, 1, or 2 for more. */
  offers: number
  reIds: number
  /** Messages sent to the destination since this one was: an upper bound, on disk before it is reached. */
  newerStored: number
  readonly createdRunMs: number
  readonly expiresRunMs: number
}

const VERSION = 1
const STATES: readonly MessageState[] = ['queued', 'sent', 'delivered', 'failed']
const REASONS: readonly (FailureReason | undefined)[] = [
  undefined,
  'no-key',
  'no-route',
  'no-turn',
  'expired',
  'refused',
  'too-old',
  'interrupted',
  'cancelled',
]
const HEAD_BYTES = 7 + 2 + 4 + 8 * 4 + 16 + DIGEST_BYTES

/**
 * `version 1 | state u8 | reason u8 | anonymous u8 | offers u8 | reIds u8 | settled u8 | newer u16 | body bytes u32 | handle u64 |
 * wire id u64 | created u64 | expires u64 | destination 16 | digest 16 | body`, times in ms of running time; a settled
 * message has no body.
 */
export function encodeOutgoing(message: Outgoing): Uint8Array {
  const settled = isSettled(message)
  const body = settled ? new Uint8Array(0) : message.body
  return new ByteWriter(HEAD_BYTES + body.length)
    .u8(VERSION)
    .u8(STATES.indexOf(message.state))
    .u8(REASONS.indexOf(message.reason))
    .u8(message.anonymous ? 1 : 0)
    .u8(message.offers)
    .u8(message.reIds)
    .u8(settled ? 1 : 0)
    .u16(message.newerStored)
    .u32(message.bodyBytes)
    .u64(message.handle)
    .u64(message.wireId)
    .u64(BigInt(Math.floor(message.createdRunMs)))
    .u64(BigInt(Math.ceil(message.expiresRunMs)))
    .bytes(message.destination, 16)
    .bytes(message.digest, DIGEST_BYTES)
    .bytes(body)
    .finish()
}

/** Reads what {@link encodeOutgoing} wrote. @throws {SessionError} `session/record`, `session/length` */
export function decodeOutgoing(record: Uint8Array): Outgoing {
  const reader = new ByteReader(record, () => length(HEAD_BYTES, record.length))
  const version = reader.u8()
  const bad = new SessionError({ code: 'session/record', version })
  if (version !== VERSION) throw bad
  const state = STATES[reader.u8()]
  const reasonAt = reader.u8()
  const reason = REASONS[reasonAt]
  const [anonymous, offers, reIds, settled] = [reader.u8(), reader.u8(), reader.u8(), reader.u8()]
  if (state === undefined || reasonAt >= REASONS.length || anonymous > 1 || settled > 1) throw bad
  if ((reason !== undefined) !== (state === 'failed')) throw bad
  const newerStored = reader.u16()
  const bodyBytes = reader.u32()
  const ids = { handle: reader.u64(), wireId: reader.u64() }
  const times = { createdRunMs: Number(reader.u64()), expiresRunMs: Number(reader.u64()) }
  if (!Number.isSafeInteger(times.createdRunMs) || !Number.isSafeInteger(times.expiresRunMs)) throw bad
  const message: Outgoing = {
    ...ids,
    ...times,
    destination: reader.bytes(16),
    digest: reader.bytes(DIGEST_BYTES),
    anonymous: anonymous === 1,
    bodyBytes,
    body: reader.rest(),
    state,
    offers,
    reIds,
    newerStored,
    ...(reason === undefined ? {} : { reason }),
  }
  if (isSettled(message) !== (settled === 1)) throw bad
  if (message.body.length !== (settled === 1 ? 0 : bodyBytes)) throw length(HEAD_BYTES + bodyBytes, record.length)
  return message
}

/** Whether nothing more will be done for the message. An anonymous one is never answered: sent is all there is. */
export function isSettled({ state, anonymous }: Outgoing): boolean {
  return state === 'delivered' || state === 'failed' || (anonymous && state === 'sent')
}

function length(wantBytes: number, gotBytes: number): SessionError {
  return new SessionError({ code: 'session/length', wantBytes, gotBytes })
}
