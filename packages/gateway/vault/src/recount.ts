import { AllocationError, addSplit, policyOf, split } from '@nexus/allocation'
import { equalBytes, toHex } from '@nexus/codec'
import type { Crypto } from '@nexus/crypto'
import { PAGE_ENTRIES_MAX, STORED_LEVEL_STEP } from './limits.ts'
import { entryLeaf, type LedgerEntry } from './log/entry.ts'
import { verifyHead } from './log/head.ts'
import { emptyRoot, Frontier, type Subtree } from './log/tree.ts'
import { type AccountTotals, NO_ACCOUNT_TOTALS, pseudonymOf } from './plan.ts'
import type { LedgerReader } from './store.ts'

/** What a full recount found. */
export interface Recount {
  readonly entries: number
  readonly accounts: number
  readonly heads: number
  readonly totals: AccountTotals
  /** Every contradiction, in words; none in a sound ledger. At most 100 are listed. */
  readonly faults: readonly string[]
}

const FAULTS_MAX = 100

/**
 * Computes everything again from the entries: each split, the account and ledger totals, the stored hashes, the root of
 * every signed head and its signature, the pseudonym of every person. Reads only; `progress` is told the entries seen.
 */
export async function recount(
  crypto: Crypto,
  ledger: LedgerReader,
  progress: (entries: number) => void = () => {},
): Promise<Recount> {
  const counting = new Counting(crypto, ledger)
  for (;;) {
    const page = await ledger.entries(counting.entries, PAGE_ENTRIES_MAX)
    for (const entry of page) await counting.take(entry)
    progress(counting.entries)
    if (page.length < PAGE_ENTRIES_MAX) break
  }
  return counting.finish()
}

class Counting {
  readonly #crypto: Crypto
  readonly #ledger: LedgerReader
  readonly #frontier = new Frontier()
  readonly #accounts = new Map<string, AccountTotals>()
  readonly #faults: string[] = []
  #totals = NO_ACCOUNT_TOTALS
  #heads = 0
  #nextHead: Awaited<ReturnType<LedgerReader['headOf']>>

  constructor(crypto: Crypto, ledger: LedgerReader) {
    this.#crypto = crypto
    this.#ledger = ledger
  }

  get entries(): number {
    return this.#frontier.size
  }

  async take(entry: LedgerEntry): Promise<void> {
    const { index } = entry
    if (index !== this.entries) this.#fault(`entry ${index} stands where ${this.entries} belongs`)
    if (this.#nextHead === undefined || this.#nextHead.size <= index) this.#nextHead = await this.#ledger.headOf(index)
    this.#checkSplit(entry)
    const completed: (Subtree & { readonly hash: Uint8Array })[] = []
    this.#frontier.append(this.#crypto, entryLeaf(this.#crypto, entry), ({ level, index: at }, hash) => {
      if (level > 0 && level % STORED_LEVEL_STEP === 0) completed.push({ level, index: at, hash })
    })
    for (const { level, index: at, hash } of completed) {
      const [stored] = await this.#ledger.nodes(level, at, 1)
      if (stored === undefined || !equalBytes(stored, hash)) this.#fault(`hash ${at} of level ${level} is another`)
    }
    this.#checkHead()
  }

  async finish(): Promise<Recount> {
    await this.#checkAccounts()
    await this.#checkPeople()
    await this.#checkFrontier()
    const stored = await this.#ledger.ledgerTotals()
    if (!isSame(stored, this.#totals)) this.#fault('the ledger totals are not the sum of the entries')
    const head = await this.#ledger.head()
    const root = head?.root ?? emptyRoot(this.#crypto)
    if ((head?.size ?? 0) !== this.entries || !equalBytes(root, this.#frontier.root(this.#crypto))) {
      this.#fault('the newest head is not that of the entries')
    }
    const counts = { entries: this.entries, accounts: this.#accounts.size, heads: this.#heads }
    return { ...counts, totals: this.#totals, faults: this.#faults }
  }

  #checkSplit(entry: LedgerEntry): void {
    try {
      const { creator, pool, fee } = split(entry.amount, policyOf(entry.policy))
      if (creator !== entry.creator || pool !== entry.pool || fee !== entry.fee) {
        this.#fault(`entry ${entry.index} is not split by its policy`)
      }
      const account = toHex(entry.account)
      this.#accounts.set(account, added(this.#accounts.get(account) ?? NO_ACCOUNT_TOTALS, entry))
      this.#totals = added(this.#totals, entry)
    } catch (error) {
      if (!(error instanceof AllocationError)) throw error
      this.#fault(`entry ${entry.index}: ${error.message}`)
    }
  }

  #checkHead(): void {
    const head = this.#nextHead
    if (head === undefined) return this.#fault(`no head holds entry ${this.entries - 1}`)
    if (head.size !== this.entries) return
    this.#heads++
    if (!equalBytes(head.root, this.#frontier.root(this.#crypto)))
      this.#fault(`the head of ${head.size} has another root`)
    if (!verifyHead(this.#crypto, this.#ledger.publicKey, head)) this.#fault(`the head of ${head.size} is not signed`)
  }

  async #checkAccounts(): Promise<void> {
    let after = new Uint8Array(0)
    const unseen = new Set(this.#accounts.keys())
    for (;;) {
      const page = await this.#ledger.accounts(after, PAGE_ENTRIES_MAX)
      for (const account of page) {
        const name = toHex(account.pseudonym)
        unseen.delete(name)
        if (!isSame(account, this.#accounts.get(name) ?? NO_ACCOUNT_TOTALS)) {
          this.#fault(`account ${name} does not hold the sum of its entries`)
        }
      }
      if (page.length < PAGE_ENTRIES_MAX) break
      after = new Uint8Array(page.at(-1)!.pseudonym)
    }
    for (const name of unseen) this.#fault(`account ${name} is missing`)
  }

  async #checkPeople(): Promise<void> {
    let after = ''
    for (;;) {
      const page = await this.#ledger.people(after, PAGE_ENTRIES_MAX)
      for (const { identity, salt, pseudonym } of page) {
        if (equalBytes(pseudonymOf(this.#crypto, salt, identity), pseudonym)) continue
        this.#fault(`the pseudonym ${toHex(pseudonym)} is not that of its person`)
      }
      if (page.length < PAGE_ENTRIES_MAX) break
      after = page.at(-1)!.identity
    }
  }

  async #checkFrontier(): Promise<void> {
    const { size, hashes } = await this.#ledger.frontier()
    const mine = this.#frontier.hashes
    const same = hashes.length === mine.length && hashes.every((hash, at) => equalBytes(hash, mine[at]!))
    if (size !== this.entries || !same) this.#fault('the stored edge of the tree is not that of the entries')
  }

  #fault(what: string): void {
    if (this.#faults.length < FAULTS_MAX) this.#faults.push(what)
  }
}

function added(totals: AccountTotals, entry: LedgerEntry): AccountTotals {
  return { ...addSplit(totals, entry), entries: totals.entries + 1 }
}

function isSame(left: AccountTotals, right: AccountTotals): boolean {
  const sums = left.amount === right.amount && left.creator === right.creator
  return sums && left.pool === right.pool && left.fee === right.fee && left.entries === right.entries
}
