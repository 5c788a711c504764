import { ByteReader, ByteWriter, type CodecErrorDetail } from '@nexus/codec'
import { COST_UNREACHABLE, isCost, type PathCost, writePathCost } from '@nexus/compact-path-cost'
import { RoutingError } from './errors.ts'
import { DESTINATION_BYTES, REQUEST_BYTES, UPDATE_BYTES, UPDATES_MAX } from './limits.ts'

/** Second byte of a link message of type 3. */
export const ROUTE_FRAME = { UPDATE: 1, REQUEST: 2 } as const

/** What a neighbour says of one destination at a lamport that both know. */
export interface RouteUpdate {
  /** 16 bytes. */
  readonly destination: Uint8Array
  /** 0 in a withdrawal of a destination that the sender knows nothing of. */
  readonly lamport: bigint
  /** Cost 0xFFFF: withdrawn, all else 0. */
  readonly path: PathCost
}

/** A search for an announce of `destination` with at least this lamport; 0 for any. */
export interface RouteRequest {
  readonly destination: Uint8Array
  readonly wanted: bigint
}

export type RouteFrame =
  | { readonly kind: 'update'; readonly updates: readonly RouteUpdate[] }
  | { readonly kind: 'request'; readonly request: RouteRequest }

/** The path of a withdrawal. */
export const WITHDRAWN: PathCost = Object.freeze({ cost: COST_UNREACHABLE, latencyMs: 0, bandwidth: 0, hops: 0 })

/**
 * Writes the body of a route frame, which follows the link message type 3 (docs/spec/routing.md). Little-endian.
 *
 * | at | bytes  | field      | values                                                           |
 * | -: | -----: | ---------- | ---------------------------------------------------------------- |
 * |  0 |      1 | sub-type   | 1 update, 2 request                                              |
 * |  1 | n × 30 | updates    | `destination 16 | lamport u64 | path cost 6` each, n ≥ 1         |
 * |  1 |     24 | request    | `destination 16 | wanted u64`                                    |
 *
 * @throws {RangeError} for no updates, too many, or a field outside its range
 */
export function encodeRouteFrame(frame: RouteFrame): Uint8Array {
  if (frame.kind === 'request') {
    const writer = new ByteWriter(1 + REQUEST_BYTES).u8(ROUTE_FRAME.REQUEST)
    return writer.bytes(frame.request.destination, DESTINATION_BYTES).u64(frame.request.wanted).finish()
  }
  const count = frame.updates.length
  if (count === 0 || count > UPDATES_MAX) throw new RangeError(`a frame has 1…${UPDATES_MAX} updates, not ${count}`)
  const bytes = new Uint8Array(1 + count * UPDATE_BYTES)
  bytes[0] = ROUTE_FRAME.UPDATE
  frame.updates.forEach((update, index) => {
    writeUpdate(update, bytes, 1 + index * UPDATE_BYTES)
  })
  return bytes
}

/**
 * Reads what {@link encodeRouteFrame} wrote; the result holds copies.
 * @throws {RoutingError} `routing/short`, `routing/trailing`, `routing/subtype`, `routing/empty`, `routing/cost`,
 * `routing/withdrawal`
 */
export function decodeRouteFrame(body: Uint8Array): RouteFrame {
  const reader = new ByteReader(body, asRoutingError)
  const subtype = reader.u8()
  switch (subtype) {
    case ROUTE_FRAME.UPDATE: {
      if (reader.remaining === 0) throw new RoutingError({ code: 'routing/empty' })
      const updates: RouteUpdate[] = []
      while (reader.remaining > 0) updates.push(readUpdate(reader))
      return { kind: 'update', updates }
    }
    case ROUTE_FRAME.REQUEST: {
      const request = { destination: reader.bytes(DESTINATION_BYTES), wanted: reader.u64() }
      reader.end()
      return { kind: 'request', request }
    }
    default:
      throw new RoutingError({ code: 'routing/subtype', subtype })
  }
}

/** A fault of the reader as this package's error. */
export function asRoutingError(detail: CodecErrorDetail): RoutingError {
  if (detail.code === 'codec/trailing') {
    return new RoutingError({ code: 'routing/trailing', at: detail.at, extraBytes: detail.extraBytes })
  }
  const { wantBytes, gotBytes } = detail.code === 'codec/short' ? detail : { wantBytes: 1, gotBytes: 0 }
  return new RoutingError({ code: 'routing/short', at: detail.at, wantBytes, gotBytes })
}

/** Writes one of the updates of a frame at `at`, and returns the offset after it. */
export function writeUpdate(update: RouteUpdate, into: Uint8Array, at: number): number {
  const { destination, lamport, path } = update
  if (path.cost === COST_UNREACHABLE && !isPlainWithdrawal(path)) throw new RangeError('a withdrawal has no path')
  const writer = new ByteWriter(UPDATE_BYTES, into, at).bytes(destination, DESTINATION_BYTES).u64(lamport)
  return writePathCost(path, into, writer.at)
}

function readUpdate(reader: ByteReader): RouteUpdate {
  const at = reader.at
  const destination = reader.bytes(DESTINATION_BYTES)
  const lamport = reader.u64()
  const cost = reader.u16()
  if (!isCost(cost)) throw new RoutingError({ code: 'routing/cost', cost })
  const path = { cost, latencyMs: reader.u16(), bandwidth: reader.u8(), hops: reader.u8() }
  if (cost === COST_UNREACHABLE && !isPlainWithdrawal(path)) throw new RoutingError({ code: 'routing/withdrawal', at })
  return { destination, lamport, path }
}

function isPlainWithdrawal(path: PathCost): boolean {
  return path.latencyMs === 0 && path.bandwidth === 0 && path.hops === 0
}
