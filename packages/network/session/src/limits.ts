/** Data bytes of a packet with one address (docs/spec/framing.md). */
export const PACKET_DATA_MAX_BYTES = 465

export const TAG_BYTES = 16
export const EPHEMERAL_BYTES = 32
/** What a sealed box adds to its plaintext. */
export const BOX_OVERHEAD_BYTES: number = EPHEMERAL_BYTES + TAG_BYTES
export const PLAINTEXT_MAX_BYTES: number = PACKET_DATA_MAX_BYTES - BOX_OVERHEAD_BYTES

export const SIGNATURE_BYTES = 64
/** mode, sender key, message id. */
export const SIGNED_HEAD_BYTES: number = 1 + 32 + 8
export const BODY_MAX_BYTES: number = PLAINTEXT_MAX_BYTES - SIGNED_HEAD_BYTES - SIGNATURE_BYTES
export const ANONYMOUS_BODY_MAX_BYTES: number = PLAINTEXT_MAX_BYTES - 1

export const DIGEST_BYTES = 16
/** id, digest, status. */
export const RECEIPT_BYTES: number = 8 + DIGEST_BYTES + 1

/** Body bytes of one fragment, after its index and last index. */
export const PART_BYTES: number = BODY_MAX_BYTES - 2
export const MESSAGE_MAX_BYTES: number = 64 * 1024
export const PARTS_MAX: number = Math.ceil(MESSAGE_MAX_BYTES / PART_BYTES)
export const BITMAP_MAX_BYTES: number = Math.ceil(PARTS_MAX / 8)

/** Ids remembered per sender. */
export const WINDOW_IDS = 1024
/** Boxes of anonymous senders remembered, all together. */
export const ANONYMOUS_WINDOW_BOXES = 1024
/** Shared floors that take the highest id of a sender whose window is dropped. */
export const FLOOR_CELLS = 65_536
export const FLOOR_PAGE_CELLS = 512

/** session id u32, counter u32. */
export const STREAM_HEAD_BYTES = 8
export const SEGMENT_MAX_BYTES: number = PACKET_DATA_MAX_BYTES - STREAM_HEAD_BYTES - TAG_BYTES
/** What either side may send before it heard an acknowledgement; every receive buffer is at least that. */
export const STREAM_CREDIT_BYTES_FIRST: number = 16 * 1024
/** Ranges of an acknowledgement, after the first. */
export const ACK_RANGES_MAX = 16
/** A stream ends before a counter would repeat; 2^32 − 1 itself is never used. */
export const COUNTER_LIMIT = 0xffff_ffff

/** Table sizes and times of a messenger; every one may be lowered or raised by the host. */
export interface Limits {
  /** Messages not yet settled, and the bytes of their bodies. */
  readonly outboxMessagesMax: number
  readonly outboxBytesMax: number
  /** Settled messages whose outcome is still told by `status`. */
  readonly settledMax: number
  /** Messages on the way to one destination that have not been answered. */
  readonly inFlightMax: number
  /** Newer messages that may be sent to a destination above one that is not settled: below {@link WINDOW_IDS}. */
  readonly newerMax: number
  readonly expiresMsDefault: number
  readonly expiresMsMax: number
  /** Timed transmissions of one message before it only waits to hear the destination. */
  readonly triesMax: number
  readonly retryMsFirst: number
  readonly retryMsMin: number
  readonly retryMsMax: number
  /** Least time between two transmissions that hearing the destination sets off. */
  readonly heardMsMin: number
  /** Messages and bytes that wait for the application, in all and of one sender. */
  readonly inboxMessagesMax: number
  readonly inboxBytesMax: number
  readonly inboxSenderShare: number
  /** Senders whose windows are kept, and how long one must be silent before it can be dropped. */
  readonly sendersMax: number
  readonly senderIdleMs: number
  readonly receiptSendersMax: number
  readonly receiptsPerSenderMax: number
  readonly receiptSpacingMs: number
  readonly reassembliesMax: number
  readonly reassembliesPerSenderMax: number
  readonly reassemblyBytesMax: number
  readonly reassemblyIdleMs: number
  /** Streams open or opening. */
  readonly streamsMax: number
  readonly streamsPerPeerMax: number
  readonly streamsHalfOpenMax: number
  /** Bytes a stream buffers in each direction. */
  readonly streamBufferBytes: number
  /** Silence after which a stream is closed. */
  readonly streamIdleMs: number
  /** Timeouts in a row, each twice as long, after which a stream is closed; also of a handshake. */
  readonly streamTriesMax: number
}

const MINUTE = 60_000
const HOUR = 60 * MINUTE

export const DEFAULT_LIMITS: Limits = {
  outboxMessagesMax: 1024,
  outboxBytesMax: 4 * 1024 * 1024,
  settledMax: 1024,
  inFlightMax: 16,
  newerMax: 960,
  expiresMsDefault: 7 * 24 * HOUR,
  expiresMsMax: 30 * 24 * HOUR,
  triesMax: 8,
  retryMsFirst: 15_000,
  retryMsMin: 3_000,
  retryMsMax: HOUR,
  heardMsMin: MINUTE,
  inboxMessagesMax: 1024,
  inboxBytesMax: 4 * 1024 * 1024,
  inboxSenderShare: 4,
  sendersMax: 1024,
  senderIdleMs: 24 * HOUR,
  receiptSendersMax: 1024,
  receiptsPerSenderMax: 64,
  receiptSpacingMs: 1_000,
  reassembliesMax: 32,
  reassembliesPerSenderMax: 2,
  reassemblyBytesMax: 1024 * 1024,
  reassemblyIdleMs: HOUR,
  streamsMax: 64,
  streamsPerPeerMax: 8,
  streamsHalfOpenMax: 32,
  streamBufferBytes: 256 * 1024,
  streamIdleMs: HOUR,
  streamTriesMax: 8,
}
