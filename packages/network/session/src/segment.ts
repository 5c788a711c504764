import { ByteReader, ByteWriter } from '@nexus/codec'
import { SessionError } from './errors.ts'
import { ACK_RANGES_MAX, SEGMENT_MAX_BYTES } from './limits.ts'
import type { Range } from './range-set.ts'

/** Which counters came, and how far the peer may send. */
export interface Acknowledgement {
  /** Half-open ranges of counters, highest first, at least one. */
  readonly ranges: readonly Range[]
  /** How long the newest was held back, ms. */
  readonly delayMs: number
  /** The stream offset below which the peer may send. */
  readonly credit: number
}

/** Bytes of the stream; `fin` where its end is theirs. */
export interface Chunk {
  readonly offset: number
  readonly bytes: Uint8Array
  readonly fin: boolean
}

/** The plaintext of a stream packet. */
export interface Segment {
  readonly ack?: Acknowledgement
  readonly chunk?: Chunk
  /** Asks for an acknowledgement, as chunks do. */
  readonly ping: boolean
  /** Ends the stream at once, with an application's code. */
  readonly resetCode?: number
}

const KIND = { ack: 1, chunk: 2, fin: 4, ping: 8, reset: 16 } as const
const KINDS = 31
const U48 = 2 ** 48

/** Bytes of an acknowledgement with `ranges` ranges. */
export function ackBytes(ranges: number): number {
  return 4 + 2 + 6 + 1 + 2 + 4 * (ranges - 1)
}

/** Bytes of a chunk's head and of the kind. */
export const SEGMENT_HEAD_BYTES: number = 1 + 6

/**
 * Reads the plaintext of a stream packet (docs/spec/session.md, Streams). `kind` has a bit for each part that follows.
 *
 * | part  |  bit | fields                                                                                            |
 * | ----- | ---: | ------------------------------------------------------------------------------------------------- |
 * | kind  |      | u8                                                                                                |
 * | ack   |    1 | largest u32, delay ms u16, credit u48, more u8 ≤ 16, run u16, more × (gap u16, run u16)           |
 * | reset |   16 | code u8                                                                                           |
 * | chunk |    2 | offset u48, bytes to the end; with bit 4 they end the stream, and may be none                     |
 * | ping  |    8 | nothing                                                                                           |
 *
 * The first range is the `run` + 1 counters up to `largest`; each next one lies below a gap of `gap` + 1. The chunk's bytes are a
 * view of the plaintext.
 *
 * @throws {SessionError} `session/length`, `session/segment`
 */
export function decodeSegment(plaintext: Uint8Array): Segment {
  if (plaintext.length > SEGMENT_MAX_BYTES) throw length(SEGMENT_MAX_BYTES, plaintext.length)
  const reader = new ByteReader(plaintext, () => length(plaintext.length + 1, plaintext.length))
  const kind = reader.u8()
  const has = (bit: number) => (kind & bit) !== 0
  if (kind === 0 || kind > KINDS || (has(KIND.fin) && !has(KIND.chunk)) || (has(KIND.reset) && has(KIND.chunk)))
    throw malformed(kind)
  const ack = has(KIND.ack) ? { ack: readAck(reader, kind) } : {}
  const reset = has(KIND.reset) ? { resetCode: reader.u8() } : {}
  const segment = { ...ack, ...reset, ping: has(KIND.ping) }
  if (!has(KIND.chunk)) {
    if (reader.remaining > 0) throw malformed(kind)
    return segment
  }
  const offset = readU48(reader)
  const fin = has(KIND.fin)
  if ((reader.remaining === 0 && !fin) || offset + reader.remaining >= U48) throw malformed(kind)
  return { ...segment, chunk: { offset, bytes: reader.view(reader.remaining), fin } }
}

/** Writes what {@link decodeSegment} reads. */
export function encodeSegment({ ack, chunk, ping, resetCode }: Segment): Uint8Array {
  const size =
    1 +
    (ack === undefined ? 0 : ackBytes(ack.ranges.length)) +
    (resetCode === undefined ? 0 : 1) +
    (chunk === undefined ? 0 : 6 + chunk.bytes.length)
  const writer = new ByteWriter(size).u8(
    (ack === undefined ? 0 : KIND.ack) |
      (chunk === undefined ? 0 : KIND.chunk) |
      (chunk?.fin ? KIND.fin : 0) |
      (ping ? KIND.ping : 0) |
      (resetCode === undefined ? 0 : KIND.reset),
  )
  if (ack !== undefined) writeAck(writer, ack)
  if (resetCode !== undefined) writer.u8(resetCode)
  if (chunk !== undefined) writeU48(writer, chunk.offset).bytes(chunk.bytes)
  return writer.finish()
}

function readAck(reader: ByteReader, kind: number): Acknowledgement {
  const largest = reader.u32()
  const delayMs = reader.u16()
  const credit = readU48(reader)
  const more = reader.u8()
  if (more > ACK_RANGES_MAX) throw malformed(kind)
  const ranges: Range[] = [{ start: largest - reader.u16(), end: largest + 1 }]
  for (let index = 0; index < more; index++) {
    const end = ranges[index]!.start - reader.u16() - 1
    ranges.push({ start: end - 1 - reader.u16(), end })
  }
  if (ranges.at(-1)!.start < 0) throw malformed(kind)
  return { ranges, delayMs, credit }
}

function writeAck(writer: ByteWriter, { ranges, delayMs, credit }: Acknowledgement): void {
  const first = ranges[0]!
  writer.u32(first.end - 1).u16(delayMs)
  writeU48(writer, credit)
    .u8(ranges.length - 1)
    .u16(first.end - 1 - first.start)
  for (let index = 1; index < ranges.length; index++) {
    const { start, end } = ranges[index]!
    writer.u16(ranges[index - 1]!.start - end - 1).u16(end - 1 - start)
  }
}

function readU48(reader: ByteReader): number {
  const low = reader.u32()
  return low + reader.u16() * 0x1_0000_0000
}

function writeU48(writer: ByteWriter, value: number): ByteWriter {
  return writer.u32(value % 0x1_0000_0000).u16(Math.floor(value / 0x1_0000_0000))
}

function malformed(kind: number): SessionError {
  return new SessionError({ code: 'session/segment', kind })
}

function length(wantBytes: number, gotBytes: number): SessionError {
  return new SessionError({ code: 'session/length', wantBytes, gotBytes })
}
