import { addCost, isCost } from './cost.ts'
import { PathCostError } from './errors.ts'
import { BANDWIDTH_MAX, COST_FREE, COST_UNREACHABLE, HOPS_MAX, LATENCY_MS_MAX, PATH_COST_BYTES } from './limits.ts'

/** What one relay and its outgoing link add to a path. */
export interface HopCost {
  /** Encoded cost e: 0…640, or 0xFFFF unreachable. */
  readonly cost: number
  /** Milliseconds of the slowest hop, 0…65 535. */
  readonly latencyMs: number
  /** Encoded bandwidth of the narrowest hop, 0…255. */
  readonly bandwidth: number
}

/** What a whole path costs; as long for one hop as for a hundred. */
export interface PathCost extends HopCost {
  /** Relays on the path, 0…255. */
  readonly hops: number
}

/** The cost that a destination announces of itself: free, without delay, as wide as the scale goes, no relay. */
export const PATH_COST_ORIGIN: PathCost = Object.freeze({
  cost: COST_FREE,
  latencyMs: 0,
  bandwidth: BANDWIDTH_MAX,
  hops: 0,
})

/**
 * The path cost as it looks from the other side of a relay: costs added, the larger latency, the smaller bandwidth,
 * one hop more; each saturates. Nothing ever gets better by it, and (cost, hops) gets strictly worse up to 255 hops.
 * @throws {RangeError} for a field outside its range
 */
export function relay(path: PathCost, own: HopCost): PathCost {
  return {
    cost: addCost(path.cost, own.cost),
    latencyMs: Math.max(within(path.latencyMs, LATENCY_MS_MAX), within(own.latencyMs, LATENCY_MS_MAX)),
    bandwidth: Math.min(within(path.bandwidth, BANDWIDTH_MAX), within(own.bandwidth, BANDWIDTH_MAX)),
    hops: Math.min(within(path.hops, HOPS_MAX) + 1, HOPS_MAX),
  }
}

/** Whether the path leads anywhere. */
export function isReachable(path: HopCost): boolean {
  return path.cost !== COST_UNREACHABLE
}

/**
 * Writes `path` at `at` and returns the offset after it (docs/spec/path-cost.md). Little-endian.
 *
 * | at | bytes | field     | unit                                              |
 * | -: | ----: | --------- | ------------------------------------------------- |
 * |  0 |     2 | cost      | 16·log2(μNXS per MiB + 1), 0…640; 0xFFFF: no path |
 * |  2 |     2 | latencyMs | ms, slowest hop                                   |
 * |  4 |     1 | bandwidth | 8·log2(bit/s), narrowest hop                      |
 * |  5 |     1 | hops      | relays                                            |
 *
 * @throws {RangeError} for a field outside its range, or where six bytes do not fit
 */
export function writePathCost(path: PathCost, into: Uint8Array, at: number): number {
  if (!isCost(path.cost)) throw new RangeError(`${path.cost} is no encoded cost`)
  const latencyMs = within(path.latencyMs, LATENCY_MS_MAX)
  if (!(at >= 0 && at + PATH_COST_BYTES <= into.length)) throw new RangeError(`a path cost does not fit at ${at}`)
  into[at] = path.cost & 0xff
  into[at + 1] = path.cost >> 8
  into[at + 2] = latencyMs & 0xff
  into[at + 3] = latencyMs >> 8
  into[at + 4] = within(path.bandwidth, BANDWIDTH_MAX)
  into[at + 5] = within(path.hops, HOPS_MAX)
  return at + PATH_COST_BYTES
}

/** The six bytes of {@link writePathCost}. @throws {RangeError} for a field outside its range */
export function encodePathCost(path: PathCost): Uint8Array {
  const bytes = new Uint8Array(PATH_COST_BYTES)
  writePathCost(path, bytes, 0)
  return bytes
}

/** Reads what {@link writePathCost} wrote. @throws {PathCostError} `path-cost/length`, `path-cost/cost` */
export function decodePathCost(bytes: Uint8Array): PathCost {
  if (bytes.length !== PATH_COST_BYTES) {
    throw new PathCostError({ code: 'path-cost/length', wantBytes: PATH_COST_BYTES, gotBytes: bytes.length })
  }
  const cost = bytes[0]! | (bytes[1]! << 8)
  if (!isCost(cost)) throw new PathCostError({ code: 'path-cost/cost', cost })
  return { cost, latencyMs: bytes[2]! | (bytes[3]! << 8), bandwidth: bytes[4]!, hops: bytes[5]! }
}

function within(value: number, max: number): number {
  if (!Number.isInteger(value) || value < 0 || value > max) throw new RangeError(`${value} is not within 0…${max}`)
  return value
}
