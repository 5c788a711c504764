import { NONE } from './accounts.ts'
import type { RowTable } from './rows.ts'

const ROOM_MIN = 256

/** Finds the row of (payer slot, sequence): open addressing over the rows themselves, four bytes an entry. */
export class ChainIndex {
  readonly #rows: RowTable
  #buckets = new Uint32Array(ROOM_MIN).fill(NONE)
  #count = 0

  constructor(rows: RowTable) {
    this.#rows = rows
  }

  find(payer: number, seq: number): number {
    return this.#buckets[this.#bucketOf(payer, seq)]!
  }

  /** Enters a row whose payer and sequence are not there yet. */
  add(row: number): void {
    if (++this.#count * 4 > this.#buckets.length * 3) this.#rehash(this.#buckets.length * 2)
    this.#buckets[this.#bucketOf(this.#rows.payer(row), this.#rows.seq(row))] = row
  }

  /** Takes a row out, before it leaves its table; entries that were pushed on by it move back. */
  remove(row: number): void {
    const mask = this.#buckets.length - 1
    let hole = this.#bucketOf(this.#rows.payer(row), this.#rows.seq(row))
    if (this.#buckets[hole] !== row) return
    this.#count--
    for (let at = (hole + 1) & mask; ; at = (at + 1) & mask) {
      const other = this.#buckets[at]!
      if (other === NONE) break
      const home = spread(this.#rows.payer(other), this.#rows.seq(other)) & mask
      if (((at - home) & mask) < ((at - hole) & mask)) continue
      this.#buckets[hole] = other
      hole = at
    }
    this.#buckets[hole] = NONE
  }

  #bucketOf(payer: number, seq: number): number {
    const mask = this.#buckets.length - 1
    for (let bucket = spread(payer, seq) & mask; ; bucket = (bucket + 1) & mask) {
      const row = this.#buckets[bucket]!
      if (row === NONE || (this.#rows.seq(row) === seq && this.#rows.payer(row) === payer)) return bucket
    }
  }

  #rehash(length: number): void {
    const old = this.#buckets
    this.#buckets = new Uint32Array(length).fill(NONE)
    for (const row of old) {
      if (row !== NONE) this.#buckets[this.#bucketOf(this.#rows.payer(row), this.#rows.seq(row))] = row
    }
  }
}

function spread(payer: number, seq: number): number {
  const mixed = Math.imul(payer ^ (payer >>> 15), 0x2c1b3c6d) ^ Math.imul(seq, 0x297a2d39)
  return (mixed ^ (mixed >>> 13)) >>> 0
}
