import { COST_UNREACHABLE } from '@nexus/compact-path-cost'
import { grownCapacity } from './blocks.ts'
import { DESTINATION_WORDS } from './limits.ts'
import { readWords, wordsToBytes } from './ring.ts'

/** What a slot of the table holds. */
export const SLOT = {
  FREE: 0,
  /** A destination with a verified announce. */
  LIVE: 1,
  /** An evicted destination: its feasibility distance alone. */
  GHOST: 2,
  /** This node. */
  SELF: 3,
} as const

/** Index of no slot, row or block. */
export const NONE = -1
/** Index of no adjacency. */
export const HOP_NONE = 0xffff
/** A feasibility distance above every metric: nothing was advertised at the lamport beside it. */
export const METRIC_NONE = 0xffff_ffff

/** (encoded cost, hops) as one number with the same order. */
export function metricOf(cost: number, hops: number): number {
  return cost * 256 + hops
}

/**
 * Destinations in columns, found by open addressing over their four words. A column is read and written by slot;
 * columns are replaced when the table grows, so that none may be kept across {@link DestinationTable.add}.
 */
export class DestinationTable {
  words = new Uint32Array(0)
  state = new Uint8Array(0)
  /** Of the verified announce. */
  lamport = new BigUint64Array(0)
  /** The feasibility distance: highest lamport advertised, and the least metric advertised with it. */
  feasibleLamport = new BigUint64Array(0)
  feasibleMetric = new Uint32Array(0)
  /** Second of the node's clock at which the lamport was first heard. */
  heardS = new Uint32Array(0)
  /** Second of the last packet that asked for the route; 0: never. */
  usedS = new Uint32Array(0)
  /** First row of the candidates, and the adjacency index of the one that serves. */
  firstCandidate = new Int32Array(0)
  hop = new Uint16Array(0)
  /** The announce: first block and length. */
  bodyBlock = new Int32Array(0)
  bodyBytes = new Uint16Array(0)
  /** Relays that may still hand it on: the most that any copy said. */
  maxHops = new Uint8Array(0)
  /** Adjacency index that brought the destination. */
  introducer = new Uint16Array(0)
  /** What was last told to neighbours: changes are measured against it. */
  toldCost = new Uint16Array(0)
  toldLatencyMs = new Uint16Array(0)
  toldBandwidth = new Uint8Array(0)
  toldHops = new Uint8Array(0)

  readonly #limit: number
  readonly #seed: number
  readonly #sought = new Uint32Array(DESTINATION_WORDS)
  #index = new Int32Array(256).fill(NONE)
  #free: number[] = []
  #size = 0
  #end = 0

  /** @param limit slots at most, ghosts included; `seed` keeps strangers from choosing addresses that collide */
  constructor(limit: number, seed: number) {
    this.#limit = limit
    this.#seed = seed
  }

  /** Slots in use. */
  get size(): number {
    return this.#size
  }

  /** One more than the highest slot ever used: loops over all slots end here. */
  get end(): number {
    return this.#end
  }

  get capacity(): number {
    return this.state.length
  }

  get isFull(): boolean {
    return this.#size >= this.#limit
  }

  /** Bytes of all columns and of the index. */
  get tableBytes(): number {
    return this.capacity * COLUMN_BYTES + this.#index.byteLength
  }

  /** Slot of a destination, or {@link NONE}. @throws {RangeError} unless it has 16 bytes */
  find(destination: Uint8Array): number {
    readWords(destination, this.#sought, 0)
    const mask = this.#index.length - 1
    let at = this.#hash(this.#sought, 0) & mask
    for (;;) {
      const slot = this.#index[at]!
      if (slot === NONE || this.#holds(slot)) return slot
      at = (at + 1) & mask
    }
  }

  /** A cleared slot for a destination that is not in the table; there must be room. */
  add(destination: Uint8Array): number {
    if (this.isFull) throw new RangeError('the table is full')
    if ((this.#size + 1) * 4 > this.#index.length * 3) this.#reindex(this.#index.length * 2)
    const slot = this.#free.pop() ?? this.#append()
    readWords(destination, this.words, slot * DESTINATION_WORDS)
    this.feasibleLamport[slot] = 0n
    this.feasibleMetric[slot] = METRIC_NONE
    this.firstCandidate[slot] = NONE
    this.hop[slot] = HOP_NONE
    this.toldCost[slot] = COST_UNREACHABLE
    this.introducer[slot] = HOP_NONE
    this.bodyBlock[slot] = NONE
    this.usedS[slot] = 0
    this.#size += 1
    this.#link(slot)
    return slot
  }

  remove(slot: number): void {
    this.#unlink(slot)
    this.state[slot] = SLOT.FREE
    this.#free.push(slot)
    this.#size -= 1
  }

  /** The 16 bytes of the destination in `slot`. */
  destination(slot: number): Uint8Array {
    return wordsToBytes(this.words, slot * DESTINATION_WORDS)
  }

  #append(): number {
    if (this.#end === this.capacity) this.#grow(grownCapacity(this.capacity, this.#limit))
    this.#end += 1
    return this.#end - 1
  }

  #holds(slot: number): boolean {
    const at = slot * DESTINATION_WORDS
    const { words } = this
    const sought = this.#sought
    return (
      words[at] === sought[0] &&
      words[at + 1] === sought[1] &&
      words[at + 2] === sought[2] &&
      words[at + 3] === sought[3]
    )
  }

  #hash(words: Uint32Array, at: number): number {
    let hash = this.#seed
    for (let word = 0; word < DESTINATION_WORDS; word++) {
      hash = Math.imul(hash ^ words[at + word]!, 0x9e37_79b1)
      hash ^= hash >>> 15
    }
    return hash
  }

  #link(slot: number): void {
    const mask = this.#index.length - 1
    let at = this.#hash(this.words, slot * DESTINATION_WORDS) & mask
    while (this.#index[at] !== NONE) at = (at + 1) & mask
    this.#index[at] = slot
  }

  /** Removes from the index by moving later entries of the run back, so that runs never hold holes. */
  #unlink(slot: number): void {
    const index = this.#index
    const mask = index.length - 1
    let hole = this.#hash(this.words, slot * DESTINATION_WORDS) & mask
    while (index[hole] !== slot) hole = (hole + 1) & mask
    for (let at = (hole + 1) & mask; index[at] !== NONE; at = (at + 1) & mask) {
      const home = this.#hash(this.words, index[at]! * DESTINATION_WORDS) & mask
      if (((at - home) & mask) < ((at - hole) & mask)) continue
      index[hole] = index[at]!
      hole = at
    }
    index[hole] = NONE
  }

  #reindex(length: number): void {
    this.#index = new Int32Array(length).fill(NONE)
    for (let slot = 0; slot < this.#end; slot++) if (this.state[slot] !== SLOT.FREE) this.#link(slot)
  }

  #grow(capacity: number): void {
    this.words = grown(this.words, new Uint32Array(capacity * DESTINATION_WORDS))
    this.state = grown(this.state, new Uint8Array(capacity))
    this.lamport = grown(this.lamport, new BigUint64Array(capacity))
    this.feasibleLamport = grown(this.feasibleLamport, new BigUint64Array(capacity))
    this.feasibleMetric = grown(this.feasibleMetric, new Uint32Array(capacity))
    this.heardS = grown(this.heardS, new Uint32Array(capacity))
    this.usedS = grown(this.usedS, new Uint32Array(capacity))
    this.firstCandidate = grown(this.firstCandidate, new Int32Array(capacity))
    this.hop = grown(this.hop, new Uint16Array(capacity))
    this.bodyBlock = grown(this.bodyBlock, new Int32Array(capacity))
    this.bodyBytes = grown(this.bodyBytes, new Uint16Array(capacity))
    this.maxHops = grown(this.maxHops, new Uint8Array(capacity))
    this.introducer = grown(this.introducer, new Uint16Array(capacity))
    this.toldCost = grown(this.toldCost, new Uint16Array(capacity))
    this.toldLatencyMs = grown(this.toldLatencyMs, new Uint16Array(capacity))
    this.toldBandwidth = grown(this.toldBandwidth, new Uint8Array(capacity))
    this.toldHops = grown(this.toldHops, new Uint8Array(capacity))
  }
}

const COLUMN_BYTES = 16 + 1 + 8 + 8 + 4 + 4 + 4 + 4 + 2 + 4 + 2 + 1 + 2 + 2 + 2 + 1 + 1

/** `into`, holding what `column` held. */
export function grown<Column extends { set(from: Column): void }>(column: Column, into: Column): Column {
  into.set(column)
  return into
}
