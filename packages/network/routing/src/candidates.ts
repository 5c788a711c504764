import { COST_UNREACHABLE } from '@nexus/compact-path-cost'
import { grownCapacity } from './blocks.ts'
import { type DestinationTable, grown, METRIC_NONE, NONE } from './destinations.ts'

/**
 * What each neighbour advertises for each destination, in columns; rows of one destination are chained from
 * {@link DestinationTable.firstCandidate}. As with destinations, no column may be kept across an `add`.
 */
export class CandidateTable {
  destination = new Int32Array(0)
  next = new Int32Array(0)
  adjacency = new Uint16Array(0)
  /** The newest advert; cost 0xFFFF: withdrawn. */
  cost = new Uint16Array(0)
  latencyMs = new Uint16Array(0)
  bandwidth = new Uint8Array(0)
  hops = new Uint8Array(0)
  /** Lamport of the newest advert, and the least metric that this neighbour advertised with it. */
  lamport = new BigUint64Array(0)
  leastMetric = new Uint32Array(0)
  reliability = new Uint8Array(0)

  readonly #table: DestinationTable
  #free = NONE
  #size = 0
  #end = 0

  constructor(table: DestinationTable) {
    this.#table = table
  }

  get size(): number {
    return this.#size
  }

  get end(): number {
    return this.#end
  }

  /** Bytes of all columns. */
  get tableBytes(): number {
    return this.next.length * COLUMN_BYTES
  }

  /** Row of what `adjacency` advertised for the destination in `slot`, or {@link NONE}. */
  find(slot: number, adjacency: number): number {
    let row = this.#table.firstCandidate[slot]!
    while (row !== NONE && this.adjacency[row] !== adjacency) row = this.next[row]!
    return row
  }

  /** How many rows the destination has. */
  count(slot: number): number {
    let count = 0
    for (let row = this.#table.firstCandidate[slot]!; row !== NONE; row = this.next[row]!) count += 1
    return count
  }

  /** A new row, withdrawn until it is written. */
  add(slot: number, adjacency: number): number {
    if (this.#free === NONE && this.#end === this.next.length) this.#grow()
    let row = this.#free
    if (row === NONE) row = this.#end++
    else this.#free = this.next[row]!
    this.destination[row] = slot
    this.adjacency[row] = adjacency
    this.cost[row] = COST_UNREACHABLE
    this.latencyMs[row] = 0
    this.bandwidth[row] = 0
    this.hops[row] = 0
    this.lamport[row] = 0n
    this.leastMetric[row] = METRIC_NONE
    this.reliability[row] = 0
    this.next[row] = this.#table.firstCandidate[slot]!
    this.#table.firstCandidate[slot] = row
    this.#size += 1
    return row
  }

  remove(row: number): void {
    const slot = this.destination[row]!
    let before = this.#table.firstCandidate[slot]!
    if (before === row) this.#table.firstCandidate[slot] = this.next[row]!
    else {
      while (this.next[before] !== row) before = this.next[before]!
      this.next[before] = this.next[row]!
    }
    this.destination[row] = NONE
    this.next[row] = this.#free
    this.#free = row
    this.#size -= 1
  }

  #grow(): void {
    const capacity = grownCapacity(this.next.length, Number.MAX_SAFE_INTEGER)
    this.destination = grown(this.destination, new Int32Array(capacity))
    this.next = grown(this.next, new Int32Array(capacity))
    this.adjacency = grown(this.adjacency, new Uint16Array(capacity))
    this.cost = grown(this.cost, new Uint16Array(capacity))
    this.latencyMs = grown(this.latencyMs, new Uint16Array(capacity))
    this.bandwidth = grown(this.bandwidth, new Uint8Array(capacity))
    this.hops = grown(this.hops, new Uint8Array(capacity))
    this.lamport = grown(this.lamport, new BigUint64Array(capacity))
    this.leastMetric = grown(this.leastMetric, new Uint32Array(capacity))
    this.reliability = grown(this.reliability, new Uint8Array(capacity))
  }
}

const COLUMN_BYTES = 4 + 4 + 2 + 2 + 2 + 1 + 1 + 8 + 4 + 1
