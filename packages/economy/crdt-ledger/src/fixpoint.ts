import { type AccountTable, NONE } from './accounts.ts'
import type { ChainIndex } from './chain-index.ts'
import type { RowTable } from './rows.ts'

/**
 * The state of a set of settlements (docs/spec/crdt-ledger.md): the least set closed under *a debit applies that is its
 * payer's next, is covered, and has no rival*. Applying a debit never disables another, so any order of applying gives
 * the same state. A rival that comes late takes back exactly what then lacks support.
 */
export class Fixpoint {
  readonly #accounts: AccountTable
  readonly #rows: RowTable
  readonly #index: ChainIndex
  readonly #payeeSlot: (row: number) => number
  readonly #window: number
  /** Accounts whose next debit may apply. */
  readonly #ready: number[] = []
  /** Accounts that lost a credit, and have not been looked at since. */
  readonly #poorer = new Set<number>()
  #clock = 0

  constructor(
    accounts: AccountTable,
    rows: RowTable,
    index: ChainIndex,
    payeeSlot: (row: number) => number,
    window: number,
  ) {
    this.#window = window
    this.#accounts = accounts
    this.#rows = rows
    this.#index = index
    this.#payeeSlot = payeeSlot
  }

  /** Says that the account's next debit may apply now. */
  touch(slot: number): void {
    this.#ready.push(slot)
  }

  /** Applies all that can be applied. */
  close(): void {
    for (let slot = this.#ready.pop(); slot !== undefined; slot = this.#ready.pop()) this.#applyChain(slot)
  }

  /**
   * Takes back the debits of `payer` from `seq` on, and whatever rested on them. Returns the accounts whose state
   * changed; what can apply again does so at the next {@link Fixpoint.close}.
   */
  retract(payer: number, seq: number): Set<number> {
    const changed = new Set([payer])
    this.#takeBack(payer, seq)
    this.#poorer.add(payer)
    for (const slot of this.#poorer) {
      this.#poorer.delete(slot)
      changed.add(slot)
      this.#recount(slot)
    }
    for (const slot of changed) this.#ready.push(slot)
    return changed
  }

  /** Debits of this account that may be stored are those below this place in its chain. */
  limit(slot: number): number {
    if (!this.#accounts.isCredited(slot)) return 0
    return Math.min(this.#accounts.next[slot]! + this.#window, this.#accounts.conflict[slot]! + 1)
  }

  #applyChain(payer: number): void {
    const { balance, next, conflict } = this.#accounts
    for (;;) {
      const seq = next[payer]!
      if (seq >= this.#accounts.top[payer]! || seq === conflict[payer]) return
      const row = this.#index.find(payer, seq)
      if (row === NONE) return
      const amount = this.#rows.amount(row)
      if (balance[payer]! < amount) return
      this.#apply(row, payer, amount)
      // Interning a payee may have moved the columns to larger ones.
      if (balance !== this.#accounts.balance) return void this.#ready.push(payer)
    }
  }

  #apply(row: number, payer: number, amount: bigint): void {
    const payee = this.#payeeSlot(row)
    const accounts = this.#accounts
    this.#rows.setAppliedAt(row, ++this.#clock)
    accounts.balance[payer]! -= amount
    accounts.next[payer]!++
    accounts.balance[payee]! += amount
    this.#appendCredit(payee, row)
    if (accounts.next[payee]! < accounts.top[payee]!) this.#ready.push(payee)
  }

  #appendCredit(payee: number, row: number): void {
    const tail = this.#accounts.creditTail[payee]!
    if (tail === NONE) this.#accounts.creditHead[payee] = row
    else this.#rows.setNextCredit(tail, row)
    this.#rows.setNextCredit(row, NONE)
    this.#accounts.creditTail[payee] = row
  }

  #takeBack(payer: number, from: number): void {
    for (let seq = this.#accounts.next[payer]! - 1; seq >= from; seq--) {
      const row = this.#index.find(payer, seq)
      this.#rows.setAppliedAt(row, 0)
      this.#poorer.add(this.#rows.payee(row))
    }
    if (from < this.#accounts.next[payer]!) this.#accounts.next[payer] = from
  }

  /**
   * Walks through what is left of an account's credits and debits in the order in which they were applied. As long as
   * every debit is still covered there, that order still derives them; the first that is not goes, with all after it.
   */
  #recount(slot: number): void {
    const accounts = this.#accounts
    const credits = this.#purgeCredits(slot)
    let balance = accounts.opening[slot]!
    let credit = 0
    for (let seq = 0; seq < accounts.next[slot]!; seq++) {
      const row = this.#index.find(slot, seq)
      const appliedAt = this.#rows.appliedAt(row)
      while (credit < credits.length && this.#rows.appliedAt(credits[credit]!) < appliedAt) {
        balance += this.#rows.amount(credits[credit++]!)
      }
      const amount = this.#rows.amount(row)
      if (balance < amount) {
        this.#takeBack(slot, seq)
        break
      }
      balance -= amount
    }
    while (credit < credits.length) balance += this.#rows.amount(credits[credit++]!)
    accounts.balance[slot] = balance
  }

  /** Unlinks credits that were taken back; returns the others, in order. */
  #purgeCredits(slot: number): number[] {
    const credits: number[] = []
    for (let row = this.#accounts.creditHead[slot]!; row !== NONE; row = this.#rows.nextCredit(row)) {
      if (this.#rows.appliedAt(row) > 0) credits.push(row)
    }
    this.#accounts.creditHead[slot] = NONE
    this.#accounts.creditTail[slot] = NONE
    for (const row of credits) this.#appendCredit(slot, row)
    return credits
  }
}
