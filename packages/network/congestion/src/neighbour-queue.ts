import { PACKET_BYTES_MAX, SEVERITY_FILLS } from './limits.ts'
import { NONE } from './packet-pool.ts'
import type { Severity } from './signal.ts'

/** Sources remembered without a packet here: a map that keeps its keys allocates nothing. */
const SOURCES_KEPT = 64

/** Why a packet that waited, or was to wait, was given up. */
export type DropReason = 'expired' | 'full'

/** A packet counts as half a full one at least: slots are of one size, and a flood of small packets must not cost more memory. */
export const weighed = (packetBytes: number): number => Math.max(packetBytes, PACKET_BYTES_MAX / 2)

/** What waits for one neighbour: a list per priority, and who it came from. */
export class NeighbourQueue {
  readonly id: number
  readonly heads: Int32Array = new Int32Array(4).fill(NONE)
  readonly tails: Int32Array = new Int32Array(4).fill(NONE)
  /** Bytes that the neighbour may still send in its turn, by priority. */
  readonly deficits: Float64Array = new Float64Array(4)
  /** Bytes that each turn brings. */
  quantumBytes: number = PACKET_BYTES_MAX
  /** Bytes of packets, and as {@link weighed}. */
  bytes = 0
  weighedBytes = 0
  packets = 0
  /** By source: weighed bytes that wait here; may hold sources that have none any more. */
  readonly fedBy: Map<number, number> = new Map()
  readonly drops: Record<DropReason, number> = { expired: 0, full: 0 }
  severity: Severity = 0
  #fillPeak = 0

  constructor(id: number) {
    this.id = id
  }

  /** The weighed bytes rise or fall by what `source` has here, in a queue of `capacityBytes`. */
  account(source: number, packetBytes: number, sign: 1 | -1, capacityBytes: number): void {
    const weighedBytes = weighed(packetBytes)
    this.bytes += sign * packetBytes
    this.weighedBytes += sign * weighedBytes
    this.packets += sign
    const fed = this.fedBy.get(source)
    if (fed === undefined && this.fedBy.size >= SOURCES_KEPT) this.#forgetSources()
    this.fedBy.set(source, (fed ?? 0) + sign * weighedBytes)
    const fill = this.fill(capacityBytes)
    this.#fillPeak = Math.max(this.#fillPeak, fill)
    this.severity = severityOf(fill, this.severity)
  }

  /** 0 to 1. */
  fill(capacityBytes: number): number {
    return Math.min(1, this.weighedBytes / capacityBytes)
  }

  /** The largest fill since it was asked last. */
  takeFillPeak(capacityBytes: number): number {
    const peak = this.#fillPeak
    this.#fillPeak = this.fill(capacityBytes)
    return peak
  }

  #forgetSources(): void {
    for (const [source, fed] of this.fedBy) if (fed === 0) this.fedBy.delete(source)
  }
}

/** Severity of a queue at `fill` that was `before`: it rises with the fill, and falls once that is down to half of the mark. */
export function severityOf(fill: number, before: Severity): Severity {
  let severity = 0
  for (let step = 1; step <= SEVERITY_FILLS.length; step++) {
    const mark = SEVERITY_FILLS[step - 1]!
    if (fill > (step <= before ? mark / 2 : mark)) severity = step
  }
  return severity as Severity
}
