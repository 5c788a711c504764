import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { VaultError } from '../errors.ts'
import { PSEUDONYM_BYTES } from '../limits.ts'
import type { LedgerEntry } from '../log/entry.ts'
import type { SignedTreeHead } from '../log/head.ts'
import type { Frontier } from '../log/tree.ts'
import type { AccountTotals, Person } from '../plan.ts'
import { bytes, ENTRY_SQL, entryOf, frontierOf, headOf, personOf, type Row, totalsOf } from '../rows.ts'
import type { LedgerReader } from '../store.ts'

/** The reading half: a connection of its own, which sees each commit as soon as it is made. */
export class SqliteReader implements LedgerReader {
  readonly logId: Uint8Array
  readonly publicKey: Uint8Array
  readonly #db: DatabaseSync
  readonly #statements: ReturnType<typeof prepare>

  constructor(db: DatabaseSync) {
    this.#db = db
    this.#statements = prepare(db)
    const row = this.#statements.log.get() as Row | undefined
    if (row === undefined) throw new VaultError({ code: 'vault/corrupt', what: 'it was never begun' })
    this.logId = bytes(row, 'log_id')
    this.publicKey = bytes(row, 'public_key')
  }

  async head(): Promise<SignedTreeHead | undefined> {
    return this.#head(this.#statements.head.get())
  }

  async headOf(index: number): Promise<SignedTreeHead | undefined> {
    return this.#head(this.#statements.headOf.get(index))
  }

  async entries(from: number, count: number): Promise<LedgerEntry[]> {
    return this.#statements.entries.all(from, from + count).map((row) => entryOf(row as Row))
  }

  async entriesOf(
    role: 'account' | 'actor',
    pseudonym: Uint8Array,
    before: number,
    count: number,
  ): Promise<LedgerEntry[]> {
    return this.#statements[role].all(pseudonym, before, count).map((row) => entryOf(row as Row))
  }

  async nodes(level: number, from: number, count: number): Promise<Uint8Array[]> {
    return this.#statements.nodes.all(level, from, from + count).map((row) => bytes(row as Row, 'hash'))
  }

  async frontier(): Promise<Frontier> {
    return frontierOf(this.#statements.log.get() as Row)
  }

  async person(identity: string): Promise<Person | undefined> {
    const row = this.#statements.person.get(identity) as Row | undefined
    return row && personOf(row)
  }

  async people(after: string, count: number): Promise<(Person & { readonly identity: string })[]> {
    const rows = this.#statements.people.all(after, count) as Row[]
    return rows.map((row) => ({ identity: String(row['identity']), ...personOf(row) }))
  }

  async totalsOf(pseudonym: Uint8Array): Promise<AccountTotals | undefined> {
    const row = this.#statements.totals.get(pseudonym) as Row | undefined
    return row && totalsOf(row)
  }

  async ledgerTotals(): Promise<AccountTotals> {
    return totalsOf(this.#statements.log.get() as Row)
  }

  async accounts(after: Uint8Array, count: number): Promise<(AccountTotals & { readonly pseudonym: Uint8Array })[]> {
    const from = after.length === PSEUDONYM_BYTES ? after : new Uint8Array(0)
    return this.#statements.accounts
      .all(from, count)
      .map((row) => ({ pseudonym: bytes(row as Row, 'pseudonym'), ...totalsOf(row as Row) }))
  }

  async close(): Promise<void> {
    this.#db.close()
  }

  #head(row: unknown): SignedTreeHead | undefined {
    return row === undefined ? undefined : headOf(this.logId, row as Row)
  }
}

function prepare(db: DatabaseSync) {
  const big = (sql: string): StatementSync => {
    const statement = db.prepare(sql)
    statement.setReadBigInts(true)
    return statement
  }
  const of = (column: string): StatementSync =>
    big(`${ENTRY_SQL}
         WHERE e.${column} = (SELECT no FROM party WHERE pseudonym = ?) AND e.idx < ? ORDER BY e.idx DESC LIMIT ?`)
  return {
    log: big('SELECT *, size AS entries FROM log'),
    head: big('SELECT * FROM head ORDER BY size DESC LIMIT 1'),
    headOf: big('SELECT * FROM head WHERE size > ? ORDER BY size LIMIT 1'),
    entries: big(`${ENTRY_SQL} WHERE e.idx >= ? AND e.idx < ? ORDER BY e.idx`),
    account: of('account'),
    actor: of('actor'),
    nodes: big('SELECT hash FROM node WHERE level = ? AND idx >= ? AND idx < ? ORDER BY idx'),
    person: big('SELECT salt, pseudonym FROM person JOIN party ON party.no = person.party WHERE identity = ?'),
    people: big(`SELECT identity, salt, pseudonym FROM person JOIN party ON party.no = person.party
                 WHERE identity > ? ORDER BY identity LIMIT ?`),
    totals: big('SELECT * FROM party WHERE pseudonym = ?'),
    accounts: big('SELECT * FROM party WHERE pseudonym > ? ORDER BY pseudonym LIMIT ?'),
  }
}
