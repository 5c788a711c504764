import { type GossipRecord, idKey } from './record.ts'

/** A record with its name, as the set keeps it. */
export interface NamedRecord extends GossipRecord {
  readonly id: Uint8Array
}

const BUCKET_BITS = 12

/**
 * The records of one tier, found by id and by id prefix; count and sum are kept as they come and go.
 * Each type has its own limit, and its oldest record makes room.
 */
export class RecordSet {
  readonly #byId = new Map<string, NamedRecord>()
  readonly #byType = new Map<number, Set<string>>()
  readonly #buckets: (Set<NamedRecord> | undefined)[] = new Array(1 << BUCKET_BITS)
  #sum = 0n

  get count(): number {
    return this.#byId.size
  }

  /** Sum of the ids' first 8 bytes, little-endian, modulo 2^64. */
  get sum(): bigint {
    return this.#sum
  }

  has(key: string): boolean {
    return this.#byId.has(key)
  }

  get(key: string): NamedRecord | undefined {
    return this.#byId.get(key)
  }

  values(): IterableIterator<NamedRecord> {
    return this.#byId.values()
  }

  /** Adds a record that is not there yet; returns the one that had to make room, if any. */
  add(record: NamedRecord, typeMax: number): NamedRecord | undefined {
    const key = idKey(record.id)
    const keys = this.#byType.get(record.type) ?? new Set()
    this.#byType.set(record.type, keys)
    let evicted: NamedRecord | undefined
    if (keys.size >= typeMax) {
      const [oldest] = keys
      evicted = this.remove(oldest!)
    }
    keys.add(key)
    this.#byId.set(key, record)
    const bucket = bucketOf(record.id)
    const inBucket = this.#buckets[bucket] ?? new Set()
    this.#buckets[bucket] = inBucket
    inBucket.add(record)
    this.#sum = BigInt.asUintN(64, this.#sum + head(record.id))
    return evicted
  }

  /** Forgets a record, for example one that was superseded. */
  remove(key: string): NamedRecord | undefined {
    const record = this.#byId.get(key)
    if (record === undefined) return undefined
    this.#byId.delete(key)
    this.#byType.get(record.type)?.delete(key)
    this.#buckets[bucketOf(record.id)]?.delete(record)
    this.#sum = BigInt.asUintN(64, this.#sum - head(record.id))
    return record
  }

  /** The records whose id begins with the `prefixBits` bits of `prefix`. */
  *withPrefix(prefixBits: number, prefix: number): IterableIterator<NamedRecord> {
    if (prefixBits <= BUCKET_BITS) {
      const width = 1 << (BUCKET_BITS - prefixBits)
      for (let bucket = prefix * width; bucket < (prefix + 1) * width; bucket++) {
        const records = this.#buckets[bucket]
        if (records !== undefined) yield* records
      }
      return
    }
    const records = this.#buckets[prefix >> (prefixBits - BUCKET_BITS)]
    if (records === undefined) return
    for (const record of records) {
      if (((record.id[0]! << 8) | record.id[1]!) >> (16 - prefixBits) === prefix) yield record
    }
  }
}

const bucketOf = (id: Uint8Array): number => (id[0]! << 4) | (id[1]! >> 4)

function head(id: Uint8Array): bigint {
  return new DataView(id.buffer, id.byteOffset, id.byteLength).getBigUint64(0, true)
}
