import { PAYER_SEQ_FIRST } from '@nexus/channels'
import { compareBytes, fromHex, toHex } from '@nexus/codec'
import { NODE_ID_BYTES } from '@nexus/identity'
import { type AccountTable, NONE } from './accounts.ts'
import { FROZEN_SEQ } from './limits.ts'
import { SortedRun } from './sorted-run.ts'

/** The payer_seq of an account's next debit; {@link FROZEN_SEQ} where that number has two. */
export function nextSeqOf(accounts: AccountTable, slot: number): bigint {
  if (accounts.next[slot] === accounts.conflict[slot]) return FROZEN_SEQ
  return accounts.firstSeq[slot]! + BigInt(accounts.next[slot]!)
}

/** Balances as a fold changes them, over those of a set, which stay as they are. */
export class Standings {
  readonly #accounts: AccountTable
  readonly #balances: BigUint64Array
  /** Balances of accounts that the set does not know. */
  readonly #others = new Map<string, bigint>()

  constructor(accounts: AccountTable) {
    this.#accounts = accounts
    this.#balances = accounts.balance.slice(0, accounts.count)
  }

  balance(nodeId: Uint8Array): bigint {
    const slot = this.#accounts.find(nodeId)
    return slot === NONE ? (this.#others.get(toHex(nodeId)) ?? 0n) : this.#balances[slot]!
  }

  isFrozen(nodeId: Uint8Array): boolean {
    const slot = this.#accounts.find(nodeId)
    return slot !== NONE && nextSeqOf(this.#accounts, slot) === FROZEN_SEQ
  }

  add(nodeId: Uint8Array, amount: bigint): void {
    const slot = this.#accounts.find(nodeId)
    if (slot === NONE) this.#others.set(toHex(nodeId), this.balance(nodeId) + amount)
    else this.#balances[slot]! += amount
  }

  /** The list of a snapshot: accounts with money or debits, by NodeID. */
  toRun(): SortedRun {
    const slots: number[] = []
    for (let slot = 0; slot < this.#balances.length; slot++) {
      if (this.#balances[slot]! > 0n || nextSeqOf(this.#accounts, slot) > PAYER_SEQ_FIRST) slots.push(slot)
    }
    const known = Uint32Array.from(slots).sort((a, b) => compareBytes(this.#accounts.id(a), this.#accounts.id(b)))
    const others = [...this.#others].filter(([, balance]) => balance > 0n).sort(([a], [b]) => (a < b ? -1 : 1))
    const count = known.length + others.length
    const keys = new Uint8Array(count * NODE_ID_BYTES)
    const [balances, nexts] = [new BigUint64Array(count), new BigUint64Array(count)]
    let [i, j] = [0, 0]
    for (let at = 0; at < count; at++) {
      const other = others[j] && fromHex(others[j]![0])
      const isKnown = other === undefined || (i < known.length && compareBytes(this.#accounts.id(known[i]!), other) < 0)
      keys.set(isKnown ? this.#accounts.id(known[i]!) : other, at * NODE_ID_BYTES)
      balances[at] = isKnown ? this.#balances[known[i]!]! : others[j]![1]
      nexts[at] = isKnown ? nextSeqOf(this.#accounts, known[i]!) : PAYER_SEQ_FIRST
      if (isKnown) i++
      else j++
    }
    return new SortedRun(NODE_ID_BYTES, keys, [balances, nexts])
  }
}
