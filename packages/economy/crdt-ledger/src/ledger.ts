import { PAYER_SEQ_FIRST } from '@nexus/channels'
import type { Crypto } from '@nexus/crypto'
import { nodeIdOf } from '@nexus/identity'
import { NONE } from './accounts.ts'
import { type CloseAdmission, CloseSet, channelKeyOf, readClose } from './close-set.ts'
import { foldRecords, type Mint } from './fold.ts'
import { debit } from './rows.ts'
import { type Admission, SettlementSet } from './settlement-set.ts'
import type { Snapshot } from './snapshot.ts'
import { nextSeqOf } from './standings.ts'

export type LedgerRecord =
  | { readonly kind: 'settlement'; readonly body: Uint8Array }
  | { readonly kind: 'close'; readonly body: Uint8Array }

export interface LedgerOptions {
  readonly crypto: Crypto
  /** The base of all records: of genesis, or of a fold. */
  readonly snapshot: Snapshot
  /** Settlements kept at once; 2^21 if not said. */
  readonly settlementsMax?: number
}

export interface LedgerPorts {
  /** A record entered the set by `insert` or `merge`; it may leave it again in the same call. */
  kept?(record: LedgerRecord): void
  /** A record left the set: it is in a new snapshot, was void, or others came that go before it. The bytes are a copy. */
  evicted?(record: LedgerRecord): void
  /** Two settlements of one payer and number: evidence against the payer, whose chain stops there. */
  conflict?(evidence: Conflict): void
}

export interface Conflict {
  readonly payerId: Uint8Array
  readonly payerSeq: bigint
  readonly settlements: readonly [Uint8Array, Uint8Array]
}

/** An account in the state at hand; amounts in μNXS. */
export interface Account {
  readonly nodeId: Uint8Array
  readonly balance: bigint
  /** Received since the snapshot, what it held then included. Gross sums may pass 2^64. */
  readonly earned: bigint
  readonly spent: bigint
  /** Sum of the debits that are kept and do not apply, or not yet. */
  readonly waiting: bigint
  /** The payer_seq of its next debit; 2^64 − 1 where it signed two of a number. */
  readonly nextSeq: bigint
}

/** A settlement as one of its parties sees it. */
export interface HistoryEntry {
  readonly settlement: Uint8Array
  readonly role: 'payer' | 'payee'
  readonly applied: boolean
}

/**
 * A replica of the ledger (docs/spec/crdt-ledger.md): a set of records whose state is a function of the set alone. It
 * takes records whose form and signatures were found good before; see {@link Validator}.
 */
export class Ledger {
  readonly #crypto: Crypto
  readonly #ports: LedgerPorts
  readonly #settlementsMax: number | undefined
  readonly #hash: (bytes: Uint8Array) => Uint8Array
  readonly #nodeIdOf: (publicKey: Uint8Array) => Uint8Array
  #snapshot: Snapshot
  #settlements: SettlementSet
  #closes: CloseSet

  constructor(options: LedgerOptions, ports: LedgerPorts = {}) {
    this.#crypto = options.crypto
    this.#ports = ports
    this.#settlementsMax = options.settlementsMax
    this.#hash = (bytes) => this.#crypto.blake3(bytes)
    this.#nodeIdOf = (publicKey) => nodeIdOf(this.#crypto, publicKey)
    this.#snapshot = options.snapshot
    this.#settlements = this.#openSettlements()
    this.#closes = this.#openCloses()
  }

  get snapshot(): Snapshot {
    return this.#snapshot
  }

  /** Settlements kept, applied or not. */
  get settlementCount(): number {
    return this.#settlements.rows.count
  }

  /** Settlements that apply: a pass over all of them. */
  get appliedCount(): number {
    const { rows } = this.#settlements
    let count = 0
    for (let row = 0; row < rows.end; row++) if (rows.payer(row) !== NONE && rows.appliedAt(row) > 0) count++
    return count
  }

  get closeCount(): number {
    return this.#closes.count
  }

  /** What inserting would answer; costs no signature check. */
  admission(record: LedgerRecord): Admission | CloseAdmission {
    if (record.kind === 'close') return this.#closes.admission(this.#readClose(record.body), this.#snapshot)
    return this.#isVoid(record.body) ? 'void' : this.#settlements.admission(record.body)
  }

  /** Takes a valid record and brings the state up to date. */
  insert(record: LedgerRecord): Admission | CloseAdmission {
    if (record.kind === 'close') return this.#closes.insert(this.#readClose(record.body.slice()), this.#snapshot)
    return this.#isVoid(record.body) ? 'void' : this.#settlements.insert(record.body)
  }

  /** Takes records that were valid once, as a store kept them. Those that the bounds leave out are evicted. */
  load(records: Iterable<LedgerRecord>): void {
    const closes: LedgerRecord[] = []
    this.#settlements.load(this.#settlementsOf(records, closes))
    for (const close of closes) {
      const admission = this.insert(close)
      if (admission !== 'kept' && admission !== 'known') this.#ports.evicted?.(close)
    }
  }

  /** Takes all records of a replica with the same snapshot. @throws {RangeError} where it has another */
  merge(other: Ledger): void {
    if (other.#snapshot.root.some((byte, at) => byte !== this.#snapshot.root[at])) {
      throw new RangeError('the ledgers stand on different snapshots')
    }
    this.#settlements.merge(other.#settlements)
    for (const body of other.#closes.bodies()) this.insert({ kind: 'close', body })
  }

  /**
   * Whether a settlement would apply here and now, were it signed: what its payee asks before it signs. A settlement
   * that waits for another, or has a rival, does not.
   */
  wouldApply(settlement: Uint8Array): boolean {
    const fields = debit(settlement)
    const slot = this.#settlements.accounts.find(this.#nodeIdOf(fields.payerKey))
    if (slot === NONE || this.#isVoid(settlement) || this.#settlements.admission(settlement, fields) !== 'kept')
      return false
    const { accounts } = this.#settlements
    const next = accounts.firstSeq[slot]! + BigInt(accounts.next[slot]!)
    const free = this.#settlements.rowAt(slot, accounts.next[slot]!) === NONE
    return free && fields.payerSeq === next && accounts.balance[slot]! >= fields.amount
  }

  account(nodeId: Uint8Array): Account {
    const { accounts, rows } = this.#settlements
    const slot = accounts.find(nodeId)
    if (slot === NONE) return { nodeId, balance: 0n, earned: 0n, spent: 0n, waiting: 0n, nextSeq: PAYER_SEQ_FIRST }
    let spent = 0n
    let waiting = 0n
    for (let seq = 0; seq < accounts.top[slot]!; seq++) {
      const row = this.#settlements.rowAt(slot, seq)
      if (row === NONE) continue
      if (seq < accounts.next[slot]!) spent += rows.amount(row)
      else waiting += rows.amount(row)
    }
    const balance = accounts.balance[slot]!
    return { nodeId, balance, earned: balance + spent, spent, waiting, nextSeq: nextSeqOf(accounts, slot) }
  }

  /** NodeIDs of all accounts that the state at hand knows. */
  *accountIds(): IterableIterator<Uint8Array> {
    const { accounts } = this.#settlements
    for (let slot = 0; slot < accounts.count; slot++) yield accounts.id(slot).slice()
  }

  /** Kept settlements that name an account, in no particular order: a pass over all of them. */
  *history(nodeId: Uint8Array): IterableIterator<HistoryEntry> {
    const { rows, accounts } = this.#settlements
    const slot = accounts.find(nodeId)
    for (let row = 0; row < rows.end; row++) {
      if (rows.payer(row) === NONE) continue
      const applied = rows.appliedAt(row) > 0
      if (slot !== NONE && rows.payer(row) === slot)
        yield { settlement: rows.body(row).slice(), role: 'payer', applied }
      else if (this.#isPayee(row, slot, nodeId)) yield { settlement: rows.body(row).slice(), role: 'payee', applied }
    }
  }

  /** All records kept. The bytes are views, valid until the ledger changes. */
  *records(): IterableIterator<LedgerRecord> {
    const { rows } = this.#settlements
    for (let row = 0; row < rows.end; row++) {
      if (rows.payer(row) !== NONE) yield { kind: 'settlement', body: rows.body(row) }
    }
    for (const body of this.#closes.bodies()) yield { kind: 'close', body }
  }

  *conflicts(): IterableIterator<Conflict> {
    const { rows } = this.#settlements
    for (const [first, second] of this.#settlements.conflicts()) {
      yield this.#conflictOf(rows.body(first).slice(), rows.body(second).slice())
    }
  }

  /** The snapshot that the records at hand give, with new money of the epoch. Changes nothing. */
  fold(mints: Iterable<Mint> = []): Snapshot {
    return foldRecords(this.#hash, this.#snapshot, this.#settlements, this.#closes, mints)
  }

  /**
   * The state in 32 bytes: the root that folding now would give. The same for the same snapshot and records, whatever
   * the order in which they came.
   */
  stateHash(): Uint8Array {
    return this.fold().root
  }

  /** Goes on from a later snapshot, with the records that it does not hold; the others are evicted. */
  advance(snapshot: Snapshot): void {
    const records = [...this.records()].map((record) => ({ ...record, body: record.body.slice() }))
    this.#snapshot = snapshot
    this.#settlements = this.#openSettlements()
    this.#closes = this.#openCloses()
    this.load(records)
  }

  #openSettlements(): SettlementSet {
    const settlements = new SettlementSet(
      {
        nodeIdOf: this.#nodeIdOf,
        hash: this.#hash,
        kept: (body) => this.#ports.kept?.({ kind: 'settlement', body }),
        evicted: (body) => this.#ports.evicted?.({ kind: 'settlement', body }),
        conflict: (first, second) => this.#ports.conflict?.(this.#conflictOf(first, second)),
        impoverished: () => this.#closes.review(),
      },
      this.#settlementsMax === undefined ? {} : { settlementsMax: this.#settlementsMax },
    )
    const { accounts } = this.#snapshot
    for (let index = 0; index < accounts.count; index++) {
      settlements.open(accounts.key(index), accounts.value(0, index), accounts.value(1, index))
    }
    return settlements
  }

  #openCloses(): CloseSet {
    return new CloseSet({
      isCredited: (nodeId) => {
        const slot = this.#settlements.accounts.find(nodeId)
        return slot !== NONE && this.#settlements.accounts.isCredited(slot)
      },
      kept: (body) => this.#ports.kept?.({ kind: 'close', body }),
      evicted: (body) => this.#ports.evicted?.({ kind: 'close', body }),
    })
  }

  /** Settlements that are not void, one by one; closes, which come after them, are put by. */
  *#settlementsOf(records: Iterable<LedgerRecord>, closes: LedgerRecord[]): IterableIterator<Uint8Array> {
    for (const record of records) {
      if (record.kind === 'close') closes.push(record)
      else if (this.#isVoid(record.body)) this.#ports.evicted?.(record)
      else yield record.body
    }
  }

  #isVoid(settlement: Uint8Array): boolean {
    if (this.#snapshot.channels.count === 0) return false
    const { executed } = this.#snapshot.channel(channelKeyOf(this.#hash, settlement))
    return debit(settlement).finalSequence <= executed
  }

  #isPayee(row: number, slot: number, nodeId: Uint8Array): boolean {
    const { rows } = this.#settlements
    const payee = rows.payee(row)
    if (payee !== NONE) return payee === slot
    const id = this.#nodeIdOf(debit(rows.body(row)).payeeKey)
    return id.every((byte, at) => byte === nodeId[at])
  }

  #readClose(body: Uint8Array): ReturnType<typeof readClose> {
    return readClose({ nodeIdOf: this.#nodeIdOf, hash: this.#hash }, body)
  }

  #conflictOf(first: Uint8Array, second: Uint8Array): Conflict {
    const { payerKey, payerSeq } = debit(first)
    return { payerId: this.#nodeIdOf(payerKey), payerSeq, settlements: [first, second] }
  }
}
