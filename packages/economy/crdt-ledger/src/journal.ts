import { CLOSE_BYTES, SETTLEMENT_BYTES } from '@nexus/channels'
import { concatBytes, equalBytes, toHex } from '@nexus/codec'
import type { Crypto } from '@nexus/crypto'
import { recordId } from '@nexus/gossip'
import { LedgerError } from './errors.ts'
import type { LedgerRecord } from './ledger.ts'
import { statementOf, toGossip } from './record-codec.ts'
import { decodeSnapshot, encodeSnapshot, type Snapshot } from './snapshot.ts'
import type { Store } from './store.ts'

/** An entry of the store that could not be used: moved to `asideKey`, never overwritten. */
export interface SetAside {
  readonly key: string
  readonly asideKey: string
  readonly why: string
}

const SNAPSHOT = 'ledger/snapshot'
const RECORDS = 'ledger/record/'
const ASIDE = 'ledger/damaged/'
/** Head of BLAKE3 of a record's bytes, after them: a signature that rotted would make us a forger. */
const CHECKSUM_BYTES = 8

/**
 * Snapshot and records of one replica in a store. Whatever a crash leaves is a set of valid records and one snapshot, and
 * so a state: what is missing is learnt again, what is too much is evicted at the next start.
 */
export class Journal {
  readonly #crypto: Crypto
  readonly #store: Store
  /** By key: a record to put, or nothing where one is to be deleted. */
  readonly #pending = new Map<string, Uint8Array | undefined>()

  constructor(crypto: Crypto, store: Store) {
    this.#crypto = crypto
    this.#store = store
  }

  /** The snapshot as it was kept, what could not be read set aside. */
  readSnapshot(setAside: SetAside[]): Snapshot | undefined {
    const bytes = this.#store.get(SNAPSHOT)
    if (bytes === undefined) return undefined
    try {
      return decodeSnapshot((data) => this.#crypto.blake3(data), bytes)
    } catch (error) {
      if (!(error instanceof LedgerError)) throw error
      setAside.push(this.#setAside(SNAPSHOT, bytes, error.message))
      return undefined
    }
  }

  readRecords(setAside: SetAside[]): LedgerRecord[] {
    const records: LedgerRecord[] = []
    for (const [key, value] of [...this.#store.entries(RECORDS)]) {
      const body = value.subarray(0, value.length - CHECKSUM_BYTES)
      const kind = body.length === SETTLEMENT_BYTES ? 'settlement' : body.length === CLOSE_BYTES ? 'close' : undefined
      const isWhole = equalBytes(value.subarray(body.length), this.#checksum(body))
      if (kind !== undefined && isWhole && key === this.#keyOf({ kind, body })) records.push({ kind, body })
      else setAside.push(this.#setAside(key, value, 'the record is not what was written'))
    }
    return records
  }

  writeSnapshot(snapshot: Snapshot): void {
    this.#store.put(SNAPSHOT, encodeSnapshot(snapshot))
  }

  /** Notes that a record entered or left the ledger; it is written with the next {@link Journal.flush}. */
  note(record: LedgerRecord, change: 'kept' | 'evicted'): void {
    const { body } = record
    this.#pending.set(this.#keyOf(record), change === 'kept' ? concatBytes(body, this.#checksum(body)) : undefined)
  }

  /** Writes all that was noted, in one step. */
  flush(): void {
    if (this.#pending.size === 0) return
    this.#store.atomically(() => {
      for (const [key, value] of this.#pending) {
        if (value === undefined) this.#store.delete(key)
        else this.#store.put(key, value)
      }
    })
    this.#pending.clear()
  }

  #keyOf(record: LedgerRecord): string {
    const { type, body } = toGossip(record)
    return RECORDS + toHex(recordId(this.#crypto, type, statementOf(type, body)))
  }

  #checksum(body: Uint8Array): Uint8Array {
    return this.#crypto.blake3(body).subarray(0, CHECKSUM_BYTES)
  }

  #setAside(key: string, value: Uint8Array, why: string): SetAside {
    let number = 1
    while (this.#store.get(`${ASIDE}${number}`) !== undefined) number++
    const asideKey = `${ASIDE}${number}`
    this.#store.put(asideKey, value)
    this.#store.delete(key)
    return { key, asideKey, why }
  }
}
