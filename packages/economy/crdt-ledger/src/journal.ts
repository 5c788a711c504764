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
export interface SetAside extends Damage {
  readonly asideKey: string
}

export interface Damage {
  readonly key: string
  readonly why: string
}

/** What a store holds of a ledger, as it was found. */
export interface StoredLedger {
  readonly networkId?: Uint8Array
  readonly snapshot?: Snapshot
  readonly records: readonly LedgerRecord[]
  readonly damaged: readonly Damage[]
}

const NETWORK = 'ledger/network'
const SNAPSHOT = 'ledger/snapshot'
const RECORDS = 'ledger/record/'
const ASIDE = 'ledger/damaged/'
/** Head of BLAKE3 of a record's bytes, after them: a signature that rotted would make us a forger. */
const CHECKSUM_BYTES = 8

/** Reads a ledger out of a store, without a change to it. Signatures were checked before they were kept. */
export function readStoredLedger(crypto: Crypto, store: Pick<Store, 'get' | 'entries'>): StoredLedger {
  const damaged: Damage[] = []
  const networkId = store.get(NETWORK)
  const snapshot = readSnapshot(crypto, store.get(SNAPSHOT), damaged)
  const records: LedgerRecord[] = []
  for (const [key, value] of store.entries(RECORDS)) {
    const body = value.slice(0, Math.max(0, value.length - CHECKSUM_BYTES))
    const kind = body.length === SETTLEMENT_BYTES ? 'settlement' : body.length === CLOSE_BYTES ? 'close' : undefined
    const isWhole = equalBytes(value.subarray(body.length), checksum(crypto, body))
    if (kind !== undefined && isWhole && key === keyOf(crypto, { kind, body })) records.push({ kind, body })
    else damaged.push({ key, why: 'the record is not what was written' })
  }
  return {
    records,
    damaged,
    ...(networkId === undefined ? {} : { networkId }),
    ...(snapshot === undefined ? {} : { snapshot }),
  }
}

function readSnapshot(crypto: Crypto, bytes: Uint8Array | undefined, damaged: Damage[]): Snapshot | undefined {
  if (bytes === undefined) return undefined
  try {
    return decodeSnapshot((data) => crypto.blake3(data), bytes)
  } catch (error) {
    if (!(error instanceof LedgerError)) throw error
    damaged.push({ key: SNAPSHOT, why: error.message })
    return undefined
  }
}

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

  writeNetworkId(networkId: Uint8Array): void {
    this.#store.put(NETWORK, networkId)
  }

  /** Moves an entry that could not be read out of the way. */
  setAside({ key, why }: Damage): SetAside {
    let number = 1
    while (this.#store.get(`${ASIDE}${number}`) !== undefined) number++
    const asideKey = `${ASIDE}${number}`
    this.#store.put(asideKey, this.#store.get(key)!)
    this.#store.delete(key)
    return { key, asideKey, why }
  }

  writeSnapshot(snapshot: Snapshot): void {
    this.#store.put(SNAPSHOT, encodeSnapshot(snapshot))
  }

  /** Notes that a record entered or left the ledger; it is written with the next {@link Journal.flush}. */
  note(record: LedgerRecord, change: 'kept' | 'evicted'): void {
    const { body } = record
    const value = change === 'kept' ? concatBytes(body, checksum(this.#crypto, body)) : undefined
    this.#pending.set(keyOf(this.#crypto, record), value)
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
}

function keyOf(crypto: Crypto, record: LedgerRecord): string {
  const { type, body } = toGossip(record)
  return RECORDS + toHex(recordId(crypto, type, statementOf(type, body)))
}

function checksum(crypto: Crypto, body: Uint8Array): Uint8Array {
  return crypto.blake3(body).subarray(0, CHECKSUM_BYTES)
}
