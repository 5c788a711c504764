import { AllocationError, addSplit, NO_TOTALS, policyOf, split, type Totals } from '@nexus/allocation'
import { encodeUtf8, equalBytes, toHex } from '@nexus/codec'
import type { Crypto } from '@nexus/crypto'
import type { VaultErrorDetail } from './errors.ts'
import { STORED_LEVEL_STEP } from './limits.ts'
import { entryLeaf, idempotencyHash, type LedgerEntry } from './log/entry.ts'
import { type SignedTreeHead, signHead } from './log/head.ts'
import { Frontier, type Subtree } from './log/tree.ts'
import type { AppendRequest } from './request.ts'

/** A checked request with the randomness that it may need: an entry id, and a salt for each person not met before. */
export interface Append extends AppendRequest {
  readonly id: Uint8Array
  readonly actorSalt: Uint8Array
  readonly accountSalt: Uint8Array
}

/** A person as the vault knows it: the pseudonym stands in the log, the salt that leads to it beside. */
export interface Person {
  readonly salt: Uint8Array
  readonly pseudonym: Uint8Array
}

/** An account's totals and the number of its entries. */
export interface AccountTotals extends Totals {
  readonly entries: number
}

export const NO_ACCOUNT_TOTALS: AccountTotals = Object.freeze({ ...NO_TOTALS, entries: 0 })

/** What a transaction read under its lock, and what the batch is judged against. */
export interface BatchView {
  readonly frontier: Frontier
  readonly lastHeadTimeMs: number
  readonly ledger: AccountTotals
  /** By identity: those of the batch that were met before. */
  readonly people: ReadonlyMap<string, Person>
  /** By pseudonym in hex: totals of known accounts of the batch. */
  readonly accounts: ReadonlyMap<string, AccountTotals>
  /** By idempotency hash in hex: requests that were answered before. */
  readonly known: ReadonlyMap<string, KnownRequest>
}

/** A request that has its entry already. */
export interface KnownRequest {
  readonly index: number
  readonly requestHash: Uint8Array
}

/** What became of one request of a batch. */
export type Outcome =
  | { readonly kind: 'appended'; readonly index: number }
  | { readonly kind: 'replayed'; readonly index: number }
  | { readonly kind: 'refused'; readonly detail: VaultErrorDetail }

/** All that a transaction has to write; nothing if no entry is new. */
export interface BatchPlan {
  readonly outcomes: readonly Outcome[]
  readonly entries: readonly (LedgerEntry & { readonly requestHash: Uint8Array })[]
  readonly newPeople: readonly (Person & { readonly identity: string })[]
  /** By pseudonym in hex. */
  readonly accounts: ReadonlyMap<string, AccountTotals>
  readonly ledger: AccountTotals
  readonly nodes: readonly (Subtree & { readonly hash: Uint8Array })[]
  readonly frontier: Frontier
  /** Present where there are entries. */
  readonly head?: SignedTreeHead
}

/** What signs heads. */
export interface LogSigner {
  readonly crypto: Crypto
  readonly logId: Uint8Array
  readonly seed: Uint8Array
}

/** The pseudonym of an identity under a salt: HMAC-SHA256(salt, identity). */
export function pseudonymOf(crypto: Pick<Crypto, 'hmacSha256'>, salt: Uint8Array, identity: string): Uint8Array {
  return crypto.hmacSha256(salt, encodeUtf8(identity))
}

/**
 * Judges a batch in its order, against what the database holds: pure, so that every engine decides alike. A request
 * that breaks a rule is refused by itself; those around it are not touched.
 */
export function planBatch(signer: LogSigner, view: BatchView, batch: readonly Append[], nowMs: number): BatchPlan {
  const { crypto } = signer
  const timeMs = Math.max(nowMs, view.lastHeadTimeMs)
  const frontier = new Frontier(view.frontier.size, view.frontier.hashes)
  const people = new Map(view.people)
  const accounts = new Map(view.accounts)
  const known = new Map(view.known)
  const touched = new Map<string, AccountTotals>()
  const newPeople: BatchPlan['newPeople'][number][] = []
  const entries: BatchPlan['entries'][number][] = []
  const nodes: BatchPlan['nodes'][number][] = []
  let ledger = view.ledger

  const judge = (append: Append): Outcome => {
    const actor = people.get(append.actor) ?? person(crypto, append.actorSalt, append.actor)
    const account =
      append.account === append.actor
        ? actor
        : (people.get(append.account) ?? person(crypto, append.accountSalt, append.account))
    const idempotency = idempotencyHash(crypto, actor.pseudonym, append.route, append.idempotencyKey)
    const key = toHex(idempotency)
    const before = known.get(key)
    if (before !== undefined) return repeated(before, append.requestHash)

    const accountKey = toHex(account.pseudonym)
    const parts = split(append.amount, policyOf(append.policy))
    const totals = counted(accounts.get(accountKey) ?? NO_ACCOUNT_TOTALS, parts)
    ledger = counted(ledger, parts)

    for (const [identity, met] of [
      [append.actor, actor],
      [append.account, account],
    ] as const) {
      if (people.has(identity)) continue
      people.set(identity, met)
      newPeople.push({ ...met, identity })
    }
    accounts.set(accountKey, totals)
    touched.set(accountKey, totals)
    const index = frontier.size
    const { id, amount, policy, requestHash } = append
    const named = { actor: actor.pseudonym, account: account.pseudonym }
    const entry = { index, id, ...named, amount, ...parts, policy, timeMs, idempotency }
    frontier.append(crypto, entryLeaf(crypto, entry), ({ level, index: at }, hash) => {
      if (level > 0 && level % STORED_LEVEL_STEP === 0) nodes.push({ level, index: at, hash })
    })
    entries.push({ ...entry, requestHash })
    known.set(key, { index, requestHash })
    return { kind: 'appended', index }
  }

  const outcomes = batch.map((append) => refusing(() => judge(append)))
  const plan = { outcomes, entries, newPeople, accounts: touched, ledger, nodes, frontier }
  if (entries.length === 0) return plan
  const head = { logId: signer.logId, size: frontier.size, root: frontier.root(crypto), timeMs }
  return { ...plan, head: signHead(crypto, signer.seed, head) }
}

function repeated(before: KnownRequest, requestHash: Uint8Array): Outcome {
  if (equalBytes(before.requestHash, requestHash)) return { kind: 'replayed', index: before.index }
  return { kind: 'refused', detail: { code: 'vault/idempotency-conflict', index: before.index } }
}

function counted(totals: AccountTotals, parts: Parameters<typeof addSplit>[1]): AccountTotals {
  return { ...addSplit(totals, parts), entries: totals.entries + 1 }
}

function person(crypto: Crypto, salt: Uint8Array, identity: string): Person {
  return { salt, pseudonym: pseudonymOf(crypto, salt, identity) }
}

function refusing(judge: () => Outcome): Outcome {
  try {
    return judge()
  } catch (error) {
    if (!(error instanceof AllocationError)) throw error
    return { kind: 'refused', detail: { code: 'vault/allocation', detail: error.detail } }
  }
}
