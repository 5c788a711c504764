import { equalBytes } from '@nexus/codec'
import type { Crypto } from '@nexus/crypto'
import type { GossipRecord, RecordHandler, Verdict } from '@nexus/gossip'
import type { Mint } from './fold.ts'
import { Journal, readStoredLedger, type SetAside } from './journal.ts'
import { type Conflict, Ledger, type LedgerRecord } from './ledger.ts'
import { CLOSES_MAX, SETTLEMENTS_MAX } from './limits.ts'
import { CLOSE_RECORD, partiesOf, SETTLEMENT_RECORD, statementOf, toGossip } from './record-codec.ts'
import { AT } from './rows.ts'
import type { Snapshot } from './snapshot.ts'
import type { Store } from './store.ts'
import { Validator } from './validator.ts'

export interface ReplicaOptions {
  readonly crypto: Crypto
  readonly networkId: Uint8Array
  readonly store: Store
  /** Where the network starts from; used as long as the store holds no later snapshot. */
  readonly genesis: Snapshot
}

/** What a replica asks of the gossip that carries its records. */
export interface ReplicaPorts {
  publish(record: GossipRecord): void
  forget(record: GossipRecord): void
  /** A payer signed two settlements of one number. */
  conflict?(evidence: Conflict): void
  /** The store failed: what was heard since is not kept, and the node should stop. */
  failed(error: unknown): void
  /** Balances may have changed. */
  changed?(): void
}

/**
 * A ledger that lives: kept in a store, judged by a validator, spread by gossip.
 * @throws {RangeError} where the store is that of another network
 */
export class Replica {
  readonly ledger: Ledger
  /** What of the store could not be read at the start. */
  readonly setAside: readonly SetAside[]
  readonly #crypto: Crypto
  readonly #journal: Journal
  readonly #validator: Validator
  readonly #ports: ReplicaPorts

  constructor(options: ReplicaOptions, ports: ReplicaPorts) {
    const { crypto, networkId, store, genesis } = options
    this.#crypto = crypto
    this.#ports = ports
    this.#journal = new Journal(crypto, store)
    const { networkId: storedId, snapshot, records, damaged } = readStoredLedger(crypto, store)
    if (storedId !== undefined && !equalBytes(storedId, networkId)) {
      throw new RangeError('the store holds the ledger of another network')
    }
    this.setAside = damaged.map((damage) => this.#journal.setAside(damage))
    if (storedId === undefined) this.#journal.writeNetworkId(networkId)
    if (snapshot === undefined) this.#journal.writeSnapshot(genesis)
    this.ledger = new Ledger(
      { crypto, snapshot: snapshot ?? genesis },
      {
        kept: (record) => this.#journal.note(record, 'kept'),
        evicted: (record) => this.#leave(record),
        conflict: (evidence) => ports.conflict?.(evidence),
      },
    )
    this.ledger.load(records)
    this.#journal.flush()
    this.#validator = new Validator(
      { crypto, networkId, ledger: this.ledger },
      { taken: () => this.#taken(), failed: (error) => ports.failed(error) },
    )
  }

  /** What to register at a gossip of the same node, before {@link Replica.announce}. */
  get handlers(): readonly RecordHandler[] {
    return [this.#handler('settlement', SETTLEMENTS_MAX), this.#handler('close', CLOSES_MAX)]
  }

  /** Hands all records kept to gossip, as after a start. */
  announce(): void {
    for (const record of this.ledger.records()) this.#ports.publish(toGossip(record))
  }

  /** Takes a record of one's own, signed by all who must, and spreads it once it is durable. */
  submit(record: LedgerRecord): Promise<Verdict> {
    return new Promise((resolve) => {
      this.#validator.offer(record, (verdict) => {
        if (verdict === 'valid') this.#ports.publish(toGossip(record))
        resolve(verdict)
      })
    })
  }

  /**
   * Folds what is at hand into the next snapshot and goes on from it. The snapshot is durable first; a crash before the
   * records it holds are deleted leaves them to the next start.
   */
  fold(mints: Iterable<Mint> = []): Snapshot {
    const snapshot = this.ledger.fold(mints)
    this.advance(snapshot)
    return snapshot
  }

  /** Goes on from a snapshot that was agreed on. */
  advance(snapshot: Snapshot): void {
    this.#journal.writeSnapshot(snapshot)
    this.ledger.advance(snapshot)
    this.#taken()
  }

  #taken(): void {
    this.#journal.flush()
    this.#ports.changed?.()
  }

  #leave(record: LedgerRecord): void {
    this.#journal.note(record, 'evicted')
    this.#ports.forget(toGossip(record))
  }

  #handler(kind: LedgerRecord['kind'], recordsMax: number): RecordHandler {
    const type = kind === 'close' ? CLOSE_RECORD : SETTLEMENT_RECORD
    return {
      type,
      tier: 2,
      recordsMax,
      namedPart: (body) => statementOf(type, body),
      priority: ({ body }) => (kind === 'close' ? -1 : chainPlace(body)),
      concerns: ({ body }) => partiesOf(this.#crypto, body),
      validate: ({ body }, answer) => this.#validator.offer({ kind, body }, answer),
    }
  }
}

/** Debits of one payer are worth hearing in their order only: the first ones first. */
function chainPlace(body: Uint8Array): number {
  return Number(new DataView(body.buffer, body.byteOffset).getBigUint64(AT.payerSeq, true))
}
