import { equalBytes } from '@nexus/codec'
import type { Crypto, Random } from '@nexus/crypto'
import { VaultError } from './errors.ts'
import { BATCH_ENTRIES_MAX, HASH_BYTES, ID_BYTES, PAGE_ENTRIES_MAX, QUEUE_ENTRIES_MAX } from './limits.ts'
import type { LedgerEntry } from './log/entry.ts'
import type { SignedTreeHead } from './log/head.ts'
import { consistencyPlan, inclusionPlan, type ProofPlan } from './log/proof.ts'
import { TreeReader } from './log/tree-reader.ts'
import type { AccountTotals, Append, Outcome, Person } from './plan.ts'
import { type AppendRequest, checkIdentity, checkRequest } from './request.ts'
import type { Committed, VaultStore } from './store.ts'

/** What the vault answers to an accepted request, and answers again to its repeat. */
export interface Receipt {
  readonly entry: LedgerEntry
  /** The head of the batch that took the entry in. */
  readonly head: SignedTreeHead
  /** Whether this is the first answer again. */
  readonly replayed: boolean
}

/** Where a history goes on: the size that its first page saw, and the index below which the next one begins. */
export interface Cursor {
  readonly size: number
  readonly before: number
}

/** A page of a history, newest first; `next` is absent on the last one. */
export interface Page {
  readonly entries: readonly LedgerEntry[]
  readonly next?: Cursor
}

export interface VaultPorts {
  readonly crypto: Crypto
  readonly random: Random
  /** Unix milliseconds. */
  readonly now: () => number
  /** Runs a step after what is waiting in the event loop now, so that requests of one turn share a transaction. */
  readonly defer: (step: () => void) => void
}

interface Waiting {
  readonly append: Append
  readonly resolve: (receipt: Receipt) => void
  readonly reject: (error: unknown) => void
}

/**
 * The ledger of a gateway: appends in groups, answers after the commit, proves what it holds. One commit is under way
 * at a time, and what arrives meanwhile is the next batch; so a lone request waits for nobody and a crowd shares.
 */
export class Vault {
  readonly #store: VaultStore
  readonly #ports: VaultPorts
  readonly #tree: TreeReader
  readonly #queue: Waiting[] = []
  readonly #listeners = new Set<(size: number) => void>()
  #scheduled = false
  #committing: Promise<void> | undefined
  #closing: Promise<void> | undefined

  constructor(store: VaultStore, ports: VaultPorts) {
    this.#store = store
    this.#ports = ports
    this.#tree = new TreeReader(ports.crypto, store)
  }

  get logId(): Uint8Array {
    return this.#store.logId
  }

  get publicKey(): Uint8Array {
    return this.#store.publicKey
  }

  /** Requests that wait for their transaction. */
  get waiting(): number {
    return this.#queue.length
  }

  /**
   * Writes one allocation; resolves when it is durable.
   * @throws {VaultError} `vault/field`, `vault/allocation`, `vault/idempotency-conflict`, `vault/busy`, `vault/closed`:
   * nothing was written; `vault/storage`; `vault/outcome-unknown`: ask again with the same key
   */
  append(request: AppendRequest): Promise<Receipt> {
    return new Promise((resolve, reject) => {
      if (this.#closing !== undefined) throw new VaultError({ code: 'vault/closed' })
      checkRequest(request)
      if (this.#queue.length >= QUEUE_ENTRIES_MAX) {
        throw new VaultError({ code: 'vault/busy', waiting: this.#queue.length })
      }
      const { random } = this.#ports
      const drawn = { id: random(ID_BYTES), actorSalt: random(HASH_BYTES), accountSalt: random(HASH_BYTES) }
      this.#queue.push({ append: { ...request, ...drawn }, resolve, reject })
      this.#schedule()
    })
  }

  /** Calls `listener` with the new size after each commit that added entries. Returns what ends that. */
  onGrowth(listener: (size: number) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  head(): Promise<SignedTreeHead | undefined> {
    return this.#store.head()
  }

  /** Entry and head of an index; `undefined` where there is none yet. */
  async receipt(index: number): Promise<Receipt | undefined> {
    const [[entry], head] = await Promise.all([this.#store.entries(index, 1), this.#store.headOf(index)])
    return entry && head && { entry, head, replayed: true }
  }

  /** Up to 1 000 entries from `from` on, in order: what a stream of events reads after each growth. */
  entries(from: number, count: number = PAGE_ENTRIES_MAX): Promise<readonly LedgerEntry[]> {
    return this.#store.entries(from, Math.min(count, PAGE_ENTRIES_MAX))
  }

  /**
   * A page of the whole log, or of one account, newest first. Pages of one cursor stay the same while the log grows.
   * @throws {RangeError} for a count that is no whole number above 0
   */
  async history(query: { account?: string; cursor?: Cursor; count: number }): Promise<Page> {
    // A negative LIMIT is none at all to SQLite.
    if (!Number.isSafeInteger(query.count) || query.count < 1) throw new RangeError(`a page of ${query.count} entries`)
    const size = query.cursor?.size ?? (await this.#store.head())?.size ?? 0
    const before = Math.min(query.cursor?.before ?? size, size)
    const count = Math.min(query.count, PAGE_ENTRIES_MAX)
    const entries =
      query.account === undefined ? await this.#newest(before, count) : await this.#of(query.account, before, count)
    const last = entries.at(-1)
    if (last === undefined || last.index === 0 || entries.length < count) return { entries }
    return { entries, next: { size, before: last.index } }
  }

  /** Totals of an identity's account; `undefined` for one that never took anything in. */
  async account(identity: string): Promise<AccountTotals | undefined> {
    checkIdentity('account', identity)
    const person = await this.#store.person(identity)
    return person && this.#store.totalsOf(person.pseudonym)
  }

  /** What stands for an identity in the log; `undefined` for one that is not known, or was erased. */
  async pseudonym(identity: string): Promise<Uint8Array | undefined> {
    checkIdentity('account', identity)
    return (await this.#store.person(identity))?.pseudonym
  }

  totals(): Promise<AccountTotals> {
    return this.#store.ledgerTotals()
  }

  /** Hashes that lead from entry `index` to the root of the first `size`. @throws {VaultError} `vault/range` */
  async inclusion(index: number, size: number): Promise<readonly Uint8Array[]> {
    return this.#prove(inclusionPlan(index, await this.#within(size)))
  }

  /** Hashes that show that the first `first` entries begin the first `size`. @throws {VaultError} `vault/range` */
  async consistency(first: number, size: number): Promise<readonly Uint8Array[]> {
    return this.#prove(consistencyPlan(first, await this.#within(size)))
  }

  /** Root of the first `size` entries. @throws {VaultError} `vault/range` */
  async rootAt(size: number): Promise<Uint8Array> {
    return this.#tree.root(await this.#within(size))
  }

  /** Forgets who is behind a pseudonym, for good; the log and its proofs stay. `false` for an identity never met. */
  erase(identity: string): Promise<boolean> {
    checkIdentity('identity', identity)
    return this.#store.erase(identity)
  }

  /**
   * Everything the vault holds of one identity, in pages of up to 1 000 entries: pseudonym and salt, totals, entries by
   * role. Each entry that was there at the first page is given once.
   */
  async export(identity: string, cursor?: ExportCursor): Promise<ExportPage | undefined> {
    checkIdentity('identity', identity)
    const person = await this.#store.person(identity)
    if (person === undefined) return undefined
    const { part, before } = cursor ?? { part: 'credited', before: Number.MAX_SAFE_INTEGER }
    const credited = part === 'asked' ? [] : await this.#page('account', person, before, PAGE_ENTRIES_MAX)
    const left = PAGE_ENTRIES_MAX - credited.length
    const askedBefore = part === 'asked' ? before : Number.MAX_SAFE_INTEGER
    const asked = left === 0 ? [] : await this.#page('actor', person, askedBefore, left)
    const totals = await this.#store.totalsOf(person.pseudonym)
    const page = { identity, ...person, ...(totals && { totals }), credited, asked }
    if (left === 0) return { ...page, next: { part: 'credited', before: credited.at(-1)!.index } }
    return asked.length < left ? page : { ...page, next: { part: 'asked', before: asked.at(-1)!.index } }
  }

  /** Ends after what waits is written; a second call waits for the same end. */
  close(): Promise<void> {
    this.#closing ??= this.#finish()
    return this.#closing
  }

  async #finish(): Promise<void> {
    while (this.#committing !== undefined || this.#queue.length > 0) await (this.#committing ?? this.#commitNext())
    await this.#store.close()
  }

  #schedule(): void {
    if (this.#scheduled || this.#committing !== undefined) return
    this.#scheduled = true
    this.#ports.defer(() => {
      this.#scheduled = false
      void this.#commitNext()
    })
  }

  #commitNext(): Promise<void> {
    if (this.#committing !== undefined || this.#queue.length === 0) return this.#committing ?? Promise.resolve()
    const batch = this.#queue.splice(0, BATCH_ENTRIES_MAX)
    this.#committing = this.#commit(batch).finally(() => {
      this.#committing = undefined
      if (this.#queue.length > 0) void this.#commitNext()
    })
    return this.#committing
  }

  async #commit(batch: readonly Waiting[]): Promise<void> {
    let committed: Committed
    try {
      committed = await this.#settled(batch.map(({ append }) => append))
    } catch (error) {
      for (const { reject } of batch) reject(error)
      return
    }
    const receipts = await this.#receipts(committed)
    for (const [at, outcome] of committed.outcomes.entries()) answer(batch[at]!, outcome, receipts)
    const last = committed.entries.at(-1)
    if (last !== undefined) for (const listener of this.#listeners) listener(last.index + 1)
  }

  /** An unknown outcome is asked for again once, at once: the same keys find what was written, and write what was not. */
  async #settled(batch: readonly Append[]): Promise<Committed> {
    try {
      return await this.#store.commit(batch, this.#ports.now())
    } catch (error) {
      if (!isUnknown(error)) throw error
      const committed = await this.#store.commit(batch, this.#ports.now()).catch(() => {
        throw error
      })
      return this.#owned(batch, committed)
    }
  }

  /** What the first try had written after all: the entries of this batch's own ids are new, not repeats. */
  async #owned(batch: readonly Append[], committed: Committed): Promise<Committed> {
    const entries = [...committed.entries]
    const outcomes: Outcome[] = []
    let head = committed.head
    for (const [at, outcome] of committed.outcomes.entries()) {
      const found = outcome.kind === 'replayed' ? await this.receipt(outcome.index).catch(() => undefined) : undefined
      const own = found !== undefined && equalBytes(found.entry.id, batch[at]!.id)
      outcomes.push(own ? { kind: 'appended', index: found.entry.index } : outcome)
      if (!own) continue
      entries.push(found.entry)
      head ??= found.head
    }
    return { outcomes, entries: entries.toSorted((a, b) => a.index - b.index), ...(head && { head }) }
  }

  /** What is new needs no reading; a first answer that cannot be read now leaves its repeat alone without one. */
  async #receipts({ outcomes, entries, head }: Committed): Promise<Receipts> {
    const receipts = new Map<number, Receipt | VaultError>()
    if (head !== undefined) for (const entry of entries) receipts.set(entry.index, { entry, head, replayed: false })
    for (const outcome of outcomes) {
      if (outcome.kind !== 'replayed' || receipts.has(outcome.index)) continue
      const { index } = outcome
      const gone = new VaultError({ code: 'vault/corrupt', what: `entry ${index} is gone` })
      const unread = (cause: unknown) => new VaultError({ code: 'vault/outcome-unknown' }, { cause })
      receipts.set(index, await this.receipt(index).then((receipt) => receipt ?? gone, unread))
    }
    return receipts
  }

  async #within(size: number): Promise<number> {
    const held = (await this.#store.head())?.size ?? 0
    if (!Number.isSafeInteger(size) || size < 0 || size > held) {
      throw new VaultError({ code: 'vault/range', size: held, wanted: size })
    }
    return size
  }

  async #prove(plan: ProofPlan): Promise<readonly Uint8Array[]> {
    const proof: Uint8Array[] = []
    for (const group of plan) proof.push(await this.#tree.fold(group))
    return proof
  }

  async #newest(before: number, count: number): Promise<LedgerEntry[]> {
    const from = Math.max(0, before - count)
    return [...(await this.#store.entries(from, before - from))].reverse()
  }

  #page(role: 'account' | 'actor', { pseudonym }: Person, before: number, count: number) {
    return this.#store.entriesOf(role, pseudonym, before, count)
  }

  async #of(account: string, before: number, count: number): Promise<readonly LedgerEntry[]> {
    checkIdentity('account', account)
    const person = await this.#store.person(account)
    return person === undefined ? [] : this.#page('account', person, before, count)
  }
}

/** Where an export goes on: among what was credited, then among what was asked for, newest first. */
export interface ExportCursor {
  readonly part: 'credited' | 'asked'
  readonly before: number
}

/** A page of all that the vault holds of a person; `next` is absent on the last one. */
export interface ExportPage {
  readonly identity: string
  readonly salt: Uint8Array
  readonly pseudonym: Uint8Array
  /** Of the account; absent where it never took anything in. */
  readonly totals?: AccountTotals
  /** Entries that the account took in, and entries that the person asked for; newest first. */
  readonly credited: readonly LedgerEntry[]
  readonly asked: readonly LedgerEntry[]
  readonly next?: ExportCursor
}

function isUnknown(error: unknown): boolean {
  return error instanceof VaultError && error.detail.code === 'vault/outcome-unknown'
}

/** By index; an error where there is none to give. */
type Receipts = ReadonlyMap<number, Receipt | VaultError>

function answer({ resolve, reject }: Waiting, outcome: Outcome, receipts: Receipts): void {
  if (outcome.kind === 'refused') return reject(new VaultError(outcome.detail))
  const receipt = receipts.get(outcome.index)!
  if (receipt instanceof VaultError) return reject(receipt)
  resolve({ ...receipt, replayed: outcome.kind === 'replayed' })
}
