import { readBigEndian, writeBigEndian } from './bytes.ts'
import { bz2Decompress } from './bz2-decode.ts'
import { ReticulumError } from './errors.ts'
import { ENVELOPE_BYTES, STREAM_HEADER_BYTES, STREAM_ID_MAX } from './limits.ts'

/** The message type of streams; types from F000 on are Reticulum's own. */
export const STREAM_MESSAGE_TYPE = 0xff00
export const MESSAGE_TYPE_MAX = 0xefff

/** A message of a channel. */
export interface Envelope {
  readonly messageType: number
  readonly sequence: number
  readonly data: Uint8Array
}

/** `message type u16 | sequence u16 | length u16 | data`, high bytes first. @throws {RangeError} */
export function encodeEnvelope({ messageType, sequence, data }: Envelope): Uint8Array {
  if (data.length > 0xffff) throw new RangeError(`a channel message of ${data.length} bytes`)
  const bytes = new Uint8Array(ENVELOPE_BYTES + data.length)
  writeBigEndian(messageType, bytes, 0, 2)
  writeBigEndian(sequence, bytes, 2, 2)
  writeBigEndian(data.length, bytes, 4, 2)
  bytes.set(data, ENVELOPE_BYTES)
  return bytes
}

/** @throws {ReticulumError} `reticulum/length` */
export function decodeEnvelope(bytes: Uint8Array): Envelope {
  if (bytes.length < ENVELOPE_BYTES || readBigEndian(bytes, 4, 2) !== bytes.length - ENVELOPE_BYTES) {
    throw new ReticulumError({ code: 'reticulum/length', what: 'a channel message', gotBytes: bytes.length })
  }
  return {
    messageType: readBigEndian(bytes, 0, 2),
    sequence: readBigEndian(bytes, 2, 2),
    data: bytes.slice(ENVELOPE_BYTES),
  }
}

/** A piece of a byte stream within a channel. */
export interface StreamMessage {
  readonly streamId: number
  readonly endOfStream: boolean
  readonly compressed: boolean
  /** As it is on the wire. */
  readonly payload: Uint8Array
}

/** `bit 15 end of stream, bit 14 compressed, 14 bits stream id | payload`. @throws {RangeError} */
export function encodeStreamMessage({ streamId, endOfStream, compressed, payload }: StreamMessage): Uint8Array {
  if (!(streamId >= 0 && streamId <= STREAM_ID_MAX)) throw new RangeError(`stream ${streamId}`)
  const bytes = new Uint8Array(STREAM_HEADER_BYTES + payload.length)
  writeBigEndian((endOfStream ? 0x8000 : 0) | (compressed ? 0x4000 : 0) | streamId, bytes, 0, 2)
  bytes.set(payload, STREAM_HEADER_BYTES)
  return bytes
}

/** @throws {ReticulumError} `reticulum/length` */
export function decodeStreamMessage(bytes: Uint8Array): StreamMessage {
  if (bytes.length < STREAM_HEADER_BYTES) {
    throw new ReticulumError({ code: 'reticulum/length', what: 'a stream message', gotBytes: bytes.length })
  }
  const head = readBigEndian(bytes, 0, 2)
  return {
    streamId: head & STREAM_ID_MAX,
    endOfStream: (head & 0x8000) !== 0,
    compressed: (head & 0x4000) !== 0,
    payload: bytes.slice(STREAM_HEADER_BYTES),
  }
}

/** The bytes that were written, whole. @throws {ReticulumError} `reticulum/bz2` also where they are more than `bytesMax` */
export function streamBytes(message: StreamMessage, bytesMax: number): Uint8Array {
  return message.compressed ? bz2Decompress(message.payload, bytesMax) : message.payload
}
