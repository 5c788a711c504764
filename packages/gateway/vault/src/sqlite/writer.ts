import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { concatBytes, toHex } from '@nexus/codec'
import { VaultError } from '../errors.ts'
import { idempotencyHash } from '../log/entry.ts'
import type { Frontier } from '../log/tree.ts'
import {
  type AccountTotals,
  type Append,
  type BatchPlan,
  type KnownRequest,
  type LogSigner,
  type Person,
  planBatch,
} from '../plan.ts'
import { bytes, frontierOf, personOf, type Row, totalsOf } from '../rows.ts'
import type { Committed } from '../store.ts'
import { configure } from './schema.ts'

/** What the transaction reads: the view that the plan needs, and the row numbers that the writes need. */
interface View {
  readonly frontier: Frontier
  readonly lastHeadTimeMs: number
  readonly ledger: AccountTotals
  readonly people: Map<string, Person>
  readonly accounts: Map<string, AccountTotals>
  readonly known: Map<string, KnownRequest>
  readonly numbers: Map<string, number | bigint>
}

/** The one connection that writes: reads under the lock, plans, writes, commits. Synchronous; it lives in a thread. */
export class SqliteWriter {
  readonly #db: DatabaseSync
  readonly #signer: LogSigner
  readonly #statements: ReturnType<typeof prepare>
  /** Whether the log of writes may still hold someone who was erased. */
  #untidy = false

  constructor(db: DatabaseSync, signer: LogSigner) {
    this.#db = db
    this.#signer = signer
    this.#statements = prepare(db)
  }

  /** @throws {VaultError} `vault/storage`: nothing was written; `vault/outcome-unknown` */
  commit(batch: readonly Append[], nowMs: number): Committed {
    return this.#transaction(() => {
      const view = this.#view(batch)
      const plan = planBatch(this.#signer, view, batch, nowMs)
      if (plan.head !== undefined) this.#write(plan, plan.head, view.numbers)
      const entries = plan.entries.map(({ requestHash: _, ...entry }) => entry)
      return { outcomes: plan.outcomes, entries, ...(plan.head && { head: plan.head }) }
    })
  }

  /** Forgets a person, and overwrites where it stood in the file; {@link tidy} does so in the log of writes. */
  erase(identity: string): boolean {
    const erased = this.#transaction(() => this.#statements.erase.run(identity).changes > 0)
    this.#untidy ||= erased
    return erased
  }

  /**
   * Empties the log of writes where it still holds what was erased. Another connection that reads an older state
   * prevents that, and is not waited for; whether there is nothing left to do.
   */
  tidy(): boolean {
    if (!this.#untidy) return true
    this.#db.exec('PRAGMA busy_timeout = 0')
    try {
      const found = this.#db.prepare('PRAGMA wal_checkpoint(TRUNCATE)').get()
      this.#untidy = found?.['busy'] !== 0
    } catch {
      // A disk that is full now is tried again later.
    } finally {
      configure(this.#db)
    }
    return !this.#untidy
  }

  close(): void {
    this.#db.close()
  }

  #view(batch: readonly Append[]): View {
    const { log, person, known } = this.#statements
    const row = log.get() as Row
    const view: View = {
      frontier: frontierOf(row),
      lastHeadTimeMs: Number(row['time_ms']),
      ledger: totalsOf(row),
      people: new Map(),
      accounts: new Map(),
      known: new Map(),
      numbers: new Map(),
    }
    for (const identity of new Set(batch.flatMap(({ actor, account }) => [actor, account]))) {
      const found = person.get(identity) as Row | undefined
      if (found === undefined) continue
      const met = personOf(found)
      view.people.set(identity, met)
      view.accounts.set(toHex(met.pseudonym), totalsOf(found))
      view.numbers.set(toHex(met.pseudonym), found['no'] as bigint)
    }
    for (const { actor, route, idempotencyKey } of batch) {
      const met = view.people.get(actor)
      if (met === undefined) continue
      const hash = idempotencyHash(this.#signer.crypto, met.pseudonym, route, idempotencyKey)
      const answered = known.get(hash) as Row | undefined
      if (answered === undefined) continue
      view.known.set(toHex(hash), { index: Number(answered['idx']), requestHash: bytes(answered, 'request_hash') })
    }
    return view
  }

  #write(plan: BatchPlan, head: NonNullable<BatchPlan['head']>, numbers: View['numbers']): void {
    const { addParty, addPerson, addEntry, setTotals, addNode, addHead, setLog } = this.#statements
    for (const { identity, salt, pseudonym } of plan.newPeople) {
      const no = addParty.run(pseudonym).lastInsertRowid
      numbers.set(toHex(pseudonym), no)
      addPerson.run(identity, salt, no)
    }
    for (const entry of plan.entries) {
      const { index, id, amount, creator, pool, fee, policy, timeMs, idempotency, requestHash } = entry
      const [actor, account] = [numbers.get(toHex(entry.actor))!, numbers.get(toHex(entry.account))!]
      addEntry.run(index, id, actor, account, amount, creator, pool, fee, policy, timeMs, idempotency, requestHash)
    }
    for (const [pseudonym, { amount, creator, pool, fee, entries }] of plan.accounts) {
      setTotals.run(amount, creator, pool, fee, entries, numbers.get(pseudonym)!)
    }
    for (const { level, index, hash } of plan.nodes) addNode.run(level, index, hash)
    addHead.run(head.size, head.root, head.timeMs, head.signature)
    const { amount, creator, pool, fee } = plan.ledger
    setLog.run(head.size, concatBytes(...plan.frontier.hashes), head.timeMs, amount, creator, pool, fee)
  }

  #transaction<T>(work: () => T): T {
    let committing = false
    try {
      this.#db.exec('BEGIN IMMEDIATE')
      const result = work()
      committing = true
      this.#db.exec('COMMIT')
      return result
    } catch (error) {
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK')
      else if (committing) throw new VaultError({ code: 'vault/outcome-unknown' }, { cause: error })
      if (error instanceof VaultError) throw error
      throw new VaultError({ code: 'vault/storage', reason: (error as Error).message }, { cause: error })
    }
  }
}

function prepare(db: DatabaseSync) {
  const big = (sql: string): StatementSync => {
    const statement = db.prepare(sql)
    statement.setReadBigInts(true)
    return statement
  }
  return {
    log: big('SELECT size, frontier, time_ms, amount, creator, pool, fee, size AS entries FROM log'),
    person: big('SELECT p.*, person.salt FROM person JOIN party p ON p.no = person.party WHERE identity = ?'),
    known: big('SELECT idx, request_hash FROM entry WHERE idempotency = ?'),
    addParty: big('INSERT INTO party (pseudonym, amount, creator, pool, fee, entries) VALUES (?, 0, 0, 0, 0, 0)'),
    addPerson: big('INSERT INTO person (identity, salt, party) VALUES (?, ?, ?)'),
    addEntry: big('INSERT INTO entry VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)'),
    setTotals: big('UPDATE party SET amount = ?, creator = ?, pool = ?, fee = ?, entries = ? WHERE no = ?'),
    addNode: big('INSERT INTO node (level, idx, hash) VALUES (?, ?, ?)'),
    addHead: big('INSERT INTO head (size, root, time_ms, signature) VALUES (?, ?, ?, ?)'),
    setLog: big('UPDATE log SET size = ?, frontier = ?, time_ms = ?, amount = ?, creator = ?, pool = ?, fee = ?'),
    erase: big('DELETE FROM person WHERE identity = ?'),
  }
}
