import { SETTLEMENT_SIGNED_BYTES } from '@nexus/channels'
import { compareBytes } from '@nexus/codec'
import { AccountTable, NONE } from './accounts.ts'
import { ChainIndex } from './chain-index.ts'
import { Fixpoint } from './fixpoint.ts'
import { FROZEN_SEQ, RIVAL_REPLACEMENTS_MAX, SETTLEMENTS_MAX, WINDOW } from './limits.ts'
import { type Debit, debit, RowTable } from './rows.ts'

/**
 * Why a settlement was not kept, none of which says that it is wrong: `settled` is in the snapshot, `uncredited` has a
 * payer without money, `ahead` lies beyond the window or behind a conflict, `rivals` has two of smaller hash before it,
 * `void` is of a channel that was closed, `full` found no room, `signatures` states what a kept one does, otherwise
 * signed.
 */
export type Refusal = 'settled' | 'uncredited' | 'ahead' | 'rivals' | 'void' | 'full' | 'signatures'
export type Admission = 'kept' | 'known' | Refusal

export interface SettlementSetPorts {
  nodeIdOf(publicKey: Uint8Array): Uint8Array
  hash(bytes: Uint8Array): Uint8Array
  /** A settlement entered the set by `insert` or `merge`; it may leave it again in the same call. */
  kept(body: Uint8Array): void
  /** A settlement left the set: two smaller rivals came, or its payer's chain became shorter. */
  evicted(body: Uint8Array): void
  /** Two settlements of one payer and number: evidence against the payer. */
  conflict(kept: Uint8Array, rival: Uint8Array): void
  /** An account lost all of its credits. */
  impoverished(): void
}

export interface SettlementBounds {
  readonly settlementsMax: number
  /** Numbers beyond a payer's next at which its debits are kept. */
  readonly window: number
  /** How often a smaller rival replaces a larger one of one number. */
  readonly rivalReplacementsMax: number
}

const BOUNDS: SettlementBounds = {
  settlementsMax: SETTLEMENTS_MAX,
  window: WINDOW,
  rivalReplacementsMax: RIVAL_REPLACEMENTS_MAX,
}

interface Rival {
  readonly row: number
  replaced: number
}

/**
 * The settlements that a replica keeps, and the state they give. What is kept is itself a function of all that was
 * offered, whatever the order: of payers with money, the debits from the first up to 16 beyond the next or
 * up to the first conflict, and of rivals the two with the smallest hashes.
 */
export class SettlementSet {
  readonly accounts: AccountTable = new AccountTable()
  readonly rows: RowTable = new RowTable()
  readonly #index = new ChainIndex(this.rows)
  readonly #fixpoint: Fixpoint
  readonly #ports: SettlementSetPorts
  readonly #bounds: SettlementBounds
  /** Second record of a conflict, by the row of the first. */
  readonly #rivals = new Map<number, Rival>()
  /** Accounts whose chain may have become shorter. */
  readonly #shaken = new Set<number>()

  constructor(ports: SettlementSetPorts, bounds: Partial<SettlementBounds> = {}) {
    this.#ports = ports
    this.#bounds = { ...BOUNDS, ...bounds }
    const payeeSlot = (row: number): number => this.#payeeSlot(row)
    this.#fixpoint = new Fixpoint(this.accounts, this.rows, this.#index, payeeSlot, this.#bounds.window)
  }

  /** Sets what the snapshot says of an account. For an empty set only. */
  open(nodeId: Uint8Array, balance: bigint, nextSeq: bigint): void {
    const slot = this.accounts.intern(nodeId)
    this.accounts.opening[slot] = balance
    this.accounts.balance[slot] = balance
    this.accounts.firstSeq[slot] = nextSeq
  }

  /** What {@link SettlementSet.insert} would answer now: costs a few lookups and at most three hashes, no signature. */
  admission(body: Uint8Array, fields: Debit = debit(body)): Admission {
    const slot = this.accounts.find(this.#ports.nodeIdOf(fields.payerKey))
    if (slot === NONE || !this.accounts.isCredited(slot)) return 'uncredited'
    const seq = fields.payerSeq - this.accounts.firstSeq[slot]!
    if (seq < 0n) return 'settled'
    if (seq >= BigInt(this.#fixpoint.limit(slot)) || fields.payerSeq === FROZEN_SEQ) return 'ahead'
    const held = this.#index.find(slot, Number(seq))
    if (held === NONE) return this.#room()
    if (this.rows.states(held, body)) return this.rows.holds(held, body) ? 'known' : 'signatures'
    const rival = this.#rivals.get(held)
    if (rival === undefined) return this.#room()
    if (this.rows.states(rival.row, body)) return this.rows.holds(rival.row, body) ? 'known' : 'signatures'
    return rival.replaced < this.#bounds.rivalReplacementsMax && this.#largest(held, rival.row, body) !== undefined
      ? 'kept'
      : 'rivals'
  }

  /** Takes a settlement whose form and signatures were found good, and brings the state up to date. */
  insert(body: Uint8Array): Admission {
    const fields = debit(body)
    const admission = this.admission(body, fields)
    if (admission !== 'kept') return admission
    const slot = this.accounts.find(this.#ports.nodeIdOf(fields.payerKey))
    this.#place(slot, Number(fields.payerSeq - this.accounts.firstSeq[slot]!), body)
    this.#ports.kept(body)
    this.#settle()
    return 'kept'
  }

  /** Takes many settlements that were found good before; what the bounds leave out of the whole is evicted. */
  load(bodies: Iterable<Uint8Array>): void {
    for (const body of bodies) {
      const { payerKey, payerSeq } = debit(body)
      this.#load(this.accounts.intern(this.#ports.nodeIdOf(payerKey)), payerSeq, body)
    }
    this.#settle()
  }

  /** Takes all of another set over the same snapshot. */
  merge(other: SettlementSet): void {
    const slots = new Uint32Array(other.accounts.count).fill(NONE)
    for (let row = 0; row < other.rows.end; row++) {
      const theirs = other.rows.payer(row)
      if (theirs === NONE) continue
      if (slots[theirs] === NONE) slots[theirs] = this.accounts.intern(other.accounts.id(theirs))
      const slot = slots[theirs]!
      const body = other.rows.body(row)
      const payerSeq = other.accounts.firstSeq[theirs]! + BigInt(other.rows.seq(row))
      if (this.#load(slot, payerSeq, body)) this.#ports.kept(body)
    }
    this.#settle()
  }

  /** Row of the debit that stands at an offset of an account's chain, or NONE. */
  rowAt(slot: number, seq: number): number {
    return this.#index.find(slot, seq)
  }

  /** Rows of the records in conflict, two and two. */
  *conflicts(): IterableIterator<readonly [number, number]> {
    for (const [row, rival] of this.#rivals) yield [row, rival.row]
  }

  /** Places a settlement whatever the bounds; whether it was new. */
  #load(slot: number, payerSeq: bigint, body: Uint8Array): boolean {
    const seq = payerSeq - this.accounts.firstSeq[slot]!
    // A chain longer than the set can never apply to its end.
    const impossible = seq < 0n || seq > BigInt(this.#bounds.settlementsMax) || payerSeq === FROZEN_SEQ
    if (impossible || this.#room() !== 'kept') {
      this.#ports.evicted(body)
      return false
    }
    this.#shaken.add(slot)
    return this.#place(slot, Number(seq), body)
  }

  #room(): Admission {
    return this.rows.count < this.#bounds.settlementsMax ? 'kept' : 'full'
  }

  #place(slot: number, seq: number, body: Uint8Array): boolean {
    const held = this.#index.find(slot, seq)
    if (held !== NONE) return !this.rows.states(held, body) && this.#placeRival(held, slot, seq, body)
    this.#index.add(this.rows.add(body, slot, seq))
    if (seq >= this.accounts.top[slot]!) this.accounts.top[slot] = seq + 1
    this.#fixpoint.touch(slot)
    return true
  }

  #placeRival(held: number, slot: number, seq: number, body: Uint8Array): boolean {
    const rival = this.#rivals.get(held)
    if (rival !== undefined) {
      const largest = this.rows.states(rival.row, body) ? undefined : this.#largest(held, rival.row, body)
      if (largest === undefined) return false
      rival.replaced++
      const loser = this.rows.body(largest).slice()
      this.rows.replaceBody(largest, body)
      this.#ports.evicted(loser)
      return true
    }
    const row = this.rows.add(body, slot, seq)
    this.#rivals.set(held, { row, replaced: 0 })
    this.accounts.conflict[slot] = Math.min(this.accounts.conflict[slot]!, seq)
    this.#shaken.add(slot)
    if (seq < this.accounts.next[slot]!) {
      for (const changed of this.#fixpoint.retract(slot, seq)) this.#shaken.add(changed)
    }
    this.#ports.conflict(this.rows.body(held).slice(), this.rows.body(row).slice())
    return true
  }

  /** The row of two that has a larger hash than the other and than `body`; nothing where `body` has the largest. */
  #largest(first: number, second: number, body: Uint8Array): number | undefined {
    const [a, b] = [this.#hashOf(this.rows.body(first)), this.#hashOf(this.rows.body(second))]
    const [row, hash] = compareBytes(a, b) > 0 ? [first, a] : [second, b]
    return compareBytes(hash, this.#hashOf(body)) > 0 ? row : undefined
  }

  #hashOf(body: Uint8Array): Uint8Array {
    return this.#ports.hash(body.subarray(0, SETTLEMENT_SIGNED_BYTES))
  }

  #payeeSlot(row: number): number {
    const known = this.rows.payee(row)
    if (known !== NONE) return known
    const slot = this.accounts.intern(this.#ports.nodeIdOf(debit(this.rows.body(row)).payeeKey))
    this.rows.setPayee(row, slot)
    return slot
  }

  #settle(): void {
    this.#fixpoint.close()
    let impoverished = false
    for (const slot of this.#shaken) {
      this.#prune(slot)
      impoverished ||= !this.accounts.isCredited(slot)
    }
    this.#shaken.clear()
    if (impoverished) this.#ports.impoverished()
  }

  /** Evicts debits that the account's chain has no room for any longer; none of them is applied. */
  #prune(slot: number): void {
    const from = this.#fixpoint.limit(slot)
    for (let seq = from; seq < this.accounts.top[slot]!; seq++) {
      const row = this.#index.find(slot, seq)
      if (row !== NONE) this.#evict(row)
    }
    this.accounts.top[slot] = Math.min(this.accounts.top[slot]!, from)
    if (this.accounts.conflict[slot]! >= from) this.accounts.conflict[slot] = NONE
  }

  #evict(row: number): void {
    const rival = this.#rivals.get(row)
    this.#index.remove(row)
    for (const gone of rival === undefined ? [row] : [row, rival.row]) {
      const body = this.rows.body(gone).slice()
      this.rows.remove(gone)
      this.#ports.evicted(body)
    }
    this.#rivals.delete(row)
  }
}
