import { ByteReader, ByteWriter, type CodecErrorDetail } from '@nexus/codec'

/** Contexts 44 and 45 (docs/spec/trace.md). A trace is diagnostic: relays write what they claim, nothing is signed. */

/** What one relay, or the destination, wrote about itself and the way it sent the trace on. */
export interface TraceHop {
  /** First 8 bytes of its NodeID. */
  readonly nodeIdHead: Uint8Array
  /** Round trip to the hop it chose, 0xFFFF unknown; at the destination 0. */
  readonly rttMs: number
  /** Fill of the queue towards that hop, 0 empty to 255 full. */
  readonly queueFill: number
  /** Cost that this relay adds, encoded as in docs/spec/path-cost.md. */
  readonly addedCost: number
  /** Kind of the medium that the trace left by: {@link MEDIA}. */
  readonly medium: number
}

/** Kinds of medium by their number in a trace. */
export const MEDIA = ['none', 'memory', 'udp', 'tcp', 'serial', 'lora', 'websocket', 'reticulum'] as const

export interface TraceRequest {
  readonly traceId: bigint
  /** Who is to be answered: a packet has no source address. */
  readonly origin: Uint8Array
  /** Whether relays add themselves; false is a mere ping. */
  readonly record: boolean
  readonly hops: readonly TraceHop[]
}

/** Why a trace ended where it did. */
export const TRACE_OUTCOMES = ['arrived', 'no-route', 'hop-limit', 'link-down', 'full'] as const
export type TraceOutcome = (typeof TRACE_OUTCOMES)[number]

export interface TraceAnswer {
  readonly traceId: bigint
  readonly outcome: TraceOutcome
  readonly hops: readonly TraceHop[]
}

/** More do not fit a packet. */
export const TRACE_HOPS_MAX = 31
const HOP_BYTES = 14
const REQUEST_HEADER_BYTES = 25
const ANSWER_HEADER_BYTES = 9

export type TraceErrorDetail =
  | { readonly code: 'trace/malformed'; readonly fault: CodecErrorDetail }
  | { readonly code: 'trace/value'; readonly field: string; readonly value: number }

/** A trace that cannot be read. */
export class TraceError extends Error {
  override readonly name = 'TraceError'
  readonly detail: TraceErrorDetail
  constructor(detail: TraceErrorDetail) {
    super(
      detail.code === 'trace/malformed' ? `cut or too long (${detail.fault.code})` : `${detail.field} ${detail.value}`,
    )
    this.detail = detail
  }
}

/**
 * Data of a packet of context 44: `trace id u64 | origin 16 | flags u8 (bit 0: record) | n × hop 14`,
 * hop = `node id head 8 | rtt ms u16 | queue u8 | added cost u16 | medium u8`.
 */
export function encodeTraceRequest(request: TraceRequest): Uint8Array {
  const writer = new ByteWriter(REQUEST_HEADER_BYTES + request.hops.length * HOP_BYTES)
    .u64(request.traceId)
    .bytes(request.origin, 16)
    .u8(request.record ? 1 : 0)
  writeHops(writer, request.hops)
  return writer.finish()
}

/** The inverse. @throws {TraceError} */
export function decodeTraceRequest(bytes: Uint8Array): TraceRequest {
  const reader = readerOf(bytes)
  const traceId = reader.u64()
  const origin = reader.bytes(16)
  const flags = reader.u8()
  if (flags > 1) throw new TraceError({ code: 'trace/value', field: 'flags', value: flags })
  return { traceId, origin, record: flags === 1, hops: readHops(reader) }
}

/** Data of a packet of context 45: `trace id u64 | outcome u8 | n × hop 14`. */
export function encodeTraceAnswer(answer: TraceAnswer): Uint8Array {
  const writer = new ByteWriter(ANSWER_HEADER_BYTES + answer.hops.length * HOP_BYTES)
    .u64(answer.traceId)
    .u8(TRACE_OUTCOMES.indexOf(answer.outcome))
  writeHops(writer, answer.hops)
  return writer.finish()
}

/** The inverse. @throws {TraceError} */
export function decodeTraceAnswer(bytes: Uint8Array): TraceAnswer {
  const reader = readerOf(bytes)
  const traceId = reader.u64()
  const code = reader.u8()
  const outcome = TRACE_OUTCOMES[code]
  if (outcome === undefined) throw new TraceError({ code: 'trace/value', field: 'outcome', value: code })
  return { traceId, outcome, hops: readHops(reader) }
}

function writeHops(writer: ByteWriter, hops: readonly TraceHop[]): void {
  if (hops.length > TRACE_HOPS_MAX) throw new RangeError(`${hops.length} hops`)
  for (const hop of hops) {
    writer.bytes(hop.nodeIdHead, 8).u16(hop.rttMs).u8(hop.queueFill).u16(hop.addedCost).u8(hop.medium)
  }
}

function readHops(reader: ByteReader): TraceHop[] {
  const count = Math.ceil(reader.remaining / HOP_BYTES)
  if (count > TRACE_HOPS_MAX) throw new TraceError({ code: 'trace/value', field: 'hops', value: count })
  return Array.from({ length: count }, () => ({
    nodeIdHead: reader.bytes(8),
    rttMs: reader.u16(),
    queueFill: reader.u8(),
    addedCost: reader.u16(),
    medium: reader.u8(),
  }))
}

const readerOf = (bytes: Uint8Array): ByteReader =>
  new ByteReader(bytes, (fault) => new TraceError({ code: 'trace/malformed', fault }))
