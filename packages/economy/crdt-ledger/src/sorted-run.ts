import { compareBytes } from '@nexus/codec'

/** Keys of one size in rising order, without repetition, each with some u64 values: a list of a snapshot. */
export class SortedRun {
  readonly keyBytes: number
  readonly count: number
  readonly keys: Uint8Array
  readonly columns: readonly BigUint64Array[]

  constructor(keyBytes: number, keys: Uint8Array, columns: readonly BigUint64Array[]) {
    this.keyBytes = keyBytes
    this.count = keys.length / keyBytes
    this.keys = keys
    this.columns = columns
  }

  /** Sorts entries of distinct keys. */
  static of(keyBytes: number, width: number, entries: readonly RunEntry[]): SortedRun {
    const sorted = [...entries].sort((a, b) => compareBytes(a.key, b.key))
    const keys = new Uint8Array(sorted.length * keyBytes)
    const columns = Array.from({ length: width }, () => new BigUint64Array(sorted.length))
    for (const [index, { key, values }] of sorted.entries()) {
      keys.set(key, index * keyBytes)
      for (const [column, value] of values.entries()) columns[column]![index] = value
    }
    return new SortedRun(keyBytes, keys, columns)
  }

  /** A view of the key of an entry. */
  key(index: number): Uint8Array {
    return this.keys.subarray(index * this.keyBytes, (index + 1) * this.keyBytes)
  }

  value(column: number, index: number): bigint {
    return this.columns[column]![index]!
  }

  /** Index of a key, or -1. */
  find(key: Uint8Array): number {
    let low = 0
    let high = this.count
    while (low < high) {
      const middle = (low + high) >>> 1
      const order = compareBytes(this.key(middle), key)
      if (order === 0) return middle
      if (order < 0) low = middle + 1
      else high = middle
    }
    return -1
  }
}

export interface RunEntry {
  readonly key: Uint8Array
  readonly values: readonly bigint[]
}
