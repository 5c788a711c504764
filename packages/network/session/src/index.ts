/** End-to-end messages: sealed boxes, signed receipts, fragments, an outbox and an inbox that survive (docs/spec/session.md). */
export {
  type AnonymousContent,
  type Content,
  decodeContent,
  encodeContent,
  MODE,
  messageDigest,
  SIGNING_TAG,
  type SignedContent,
  signContent,
  verifyContent,
} from './content.ts'
export { SessionError, type SessionErrorDetail } from './errors.ts'
export { decodeFragment, encodeFragment, type Fragment } from './fragment.ts'
export { decodeHandshake, encodeHandshake, type HandshakePacket } from './handshake.ts'
export type { InboxMessage } from './inbox.ts'
export {
  ANONYMOUS_BODY_MAX_BYTES,
  BODY_MAX_BYTES,
  DEFAULT_LIMITS,
  type Limits,
  MESSAGE_MAX_BYTES,
  PLAINTEXT_MAX_BYTES,
} from './limits.ts'
export {
  Messenger,
  type MessengerOptions,
  type MessengerPorts,
  type MessengerStats,
  type Received,
  type SessionPacket,
} from './messenger.ts'
export type { SendOptions } from './outbox.ts'
export type { MessageStatus } from './outbox-entry.ts'
export { type FailureReason, type MessageState, NEXT_STEPS, type WaitingFor } from './outgoing.ts'
export { decodeReceipt, encodeReceipt, type Receipt, STATUS } from './receipt.ts'
export { type OpenedBox, openBox, sealBox } from './sealed-box.ts'
export { type Acknowledgement, type Chunk, decodeSegment, encodeSegment, type Segment } from './segment.ts'
export { MemoryStore, type Store } from './store.ts'
export type { Stream, StreamEnd, StreamEventKind } from './stream.ts'
export { type SessionKeys, StreamCrypter } from './stream-crypter.ts'
export type { StreamEvent, StreamOptions } from './streams.ts'
export type { Priority, SendPacket, SendResult } from './transmitter.ts'
