import type { LedgerEntry } from './log/entry.ts'
import type { SignedTreeHead } from './log/head.ts'
import type { Frontier } from './log/tree.ts'
import type { AccountTotals, Append, Outcome, Person } from './plan.ts'

/** What a commit did: an outcome for each request, and the entries that are new with the head that covers them. */
export interface Committed {
  readonly outcomes: readonly Outcome[]
  readonly entries: readonly LedgerEntry[]
  readonly head?: SignedTreeHead
}

/** A log that can be read: what answers, proofs and recounts need. */
export interface LedgerReader {
  /** Random, made with the ledger. */
  readonly logId: Uint8Array
  /** Ed25519 key of the log's heads. */
  readonly publicKey: Uint8Array

  /** The newest head; `undefined` for an empty log. */
  head(): Promise<SignedTreeHead | undefined>
  /** The smallest signed head that holds entry `index`: the one its receipt has. */
  headOf(index: number): Promise<SignedTreeHead | undefined>
  /** Up to `count` entries from `from` on, in order. */
  entries(from: number, count: number): Promise<readonly LedgerEntry[]>
  /** Up to `count` entries below `before` of an account or by an actor, newest first. */
  entriesOf(
    role: 'account' | 'actor',
    pseudonym: Uint8Array,
    before: number,
    count: number,
  ): Promise<readonly LedgerEntry[]>
  /** Hashes of stored levels: `count` from `from` on, as far as they are complete. */
  nodes(level: number, from: number, count: number): Promise<readonly Uint8Array[]>

  /** The right edge of the tree as it is stored: what the next append goes on from. */
  frontier(): Promise<Frontier>

  person(identity: string): Promise<Person | undefined>
  /** Up to `count` people after `after`, in the order that the engine has identities in. */
  people(after: string, count: number): Promise<readonly (Person & { readonly identity: string })[]>
  totalsOf(pseudonym: Uint8Array): Promise<AccountTotals | undefined>
  ledgerTotals(): Promise<AccountTotals>
  /** Up to `count` accounts after `after` in the order of their pseudonyms: what a recount compares. */
  accounts(after: Uint8Array, count: number): Promise<readonly (AccountTotals & { readonly pseudonym: Uint8Array })[]>

  close(): Promise<void>
}

/**
 * A database that holds one log: the engine's half of the vault. Its rules are those of `planBatch`; an engine reads
 * under a lock, plans, writes and commits. `checkVaultStore` of `@nexus/vault/testing` is the suite that each one passes.
 */
export interface VaultStore extends LedgerReader {
  /**
   * One transaction over the batch; answers only after COMMIT returned, in the order given.
   * @throws {VaultError} `vault/storage`: nothing was written; `vault/outcome-unknown`: it may have been
   */
  commit(batch: readonly Append[], nowMs: number): Promise<Committed>

  /** Forgets identity and salt; `false` if there were none. */
  erase(identity: string): Promise<boolean>
}
