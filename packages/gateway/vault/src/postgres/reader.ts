import type { QueryResult } from 'pg'
import type { LedgerEntry } from '../log/entry.ts'
import type { SignedTreeHead } from '../log/head.ts'
import type { Frontier } from '../log/tree.ts'
import type { AccountTotals, Person } from '../plan.ts'
import { bytes, ENTRY_SQL, entryOf, frontierOf, headOf, personOf, type Row, totalsOf } from '../rows.ts'
import { storageError } from '../storage-error.ts'
import type { LedgerReader } from '../store.ts'

/** What questions go to: a pool, or the connection of one transaction, which then sees one state throughout. */
export interface Queryable {
  query(sql: string, values: unknown[]): Promise<QueryResult>
}

/** The reading half of a ledger in PostgreSQL. */
export class PostgresReader implements LedgerReader {
  readonly logId: Uint8Array
  readonly publicKey: Uint8Array
  readonly #queryable: Queryable
  readonly #end: () => Promise<void>

  /** `end` is what a close does: who only lends a connection has nothing to end. */
  constructor(queryable: Queryable, log: Pick<LedgerReader, 'logId' | 'publicKey'>, end = async () => {}) {
    this.#queryable = queryable
    this.#end = end
    this.logId = log.logId
    this.publicKey = log.publicKey
  }

  async head(): Promise<SignedTreeHead | undefined> {
    return this.#head(await this.#rows('SELECT * FROM head ORDER BY size DESC LIMIT 1', []))
  }

  async headOf(index: number): Promise<SignedTreeHead | undefined> {
    return this.#head(await this.#rows('SELECT * FROM head WHERE size > $1 ORDER BY size LIMIT 1', [index]))
  }

  async entries(from: number, count: number): Promise<readonly LedgerEntry[]> {
    const rows = await this.#rows(`${ENTRY_SQL} WHERE e.idx >= $1 AND e.idx < $2 ORDER BY e.idx`, [from, from + count])
    return rows.map(entryOf)
  }

  async entriesOf(
    role: 'account' | 'actor',
    pseudonym: Uint8Array,
    before: number,
    count: number,
  ): Promise<readonly LedgerEntry[]> {
    const of = `e.${role} = (SELECT no FROM party WHERE pseudonym = $1)`
    const sql = `${ENTRY_SQL} WHERE ${of} AND e.idx < $2 ORDER BY e.idx DESC LIMIT $3`
    return (await this.#rows(sql, [pseudonym, before, count])).map(entryOf)
  }

  async nodes(level: number, from: number, count: number): Promise<readonly Uint8Array[]> {
    const sql = 'SELECT hash FROM node WHERE level = $1 AND idx >= $2 AND idx < $3 ORDER BY idx'
    return (await this.#rows(sql, [level, from, from + count])).map((row) => bytes(row, 'hash'))
  }

  async frontier(): Promise<Frontier> {
    const [row] = await this.#rows('SELECT size, frontier FROM log', [])
    return frontierOf(row!)
  }

  async person(identity: string): Promise<Person | undefined> {
    const sql = 'SELECT salt, pseudonym FROM person JOIN party ON party.no = person.party WHERE identity = $1'
    const [row] = await this.#rows(sql, [identity])
    return row && personOf(row)
  }

  async people(after: string, count: number): Promise<readonly (Person & { readonly identity: string })[]> {
    const sql = `SELECT identity, salt, pseudonym FROM person JOIN party ON party.no = person.party
      WHERE identity > $1 ORDER BY identity LIMIT $2`
    const rows = await this.#rows(sql, [after, count])
    return rows.map((row) => ({ identity: String(row['identity']), ...personOf(row) }))
  }

  async totalsOf(pseudonym: Uint8Array): Promise<AccountTotals | undefined> {
    const [row] = await this.#rows('SELECT * FROM party WHERE pseudonym = $1', [pseudonym])
    return row && totalsOf(row)
  }

  async ledgerTotals(): Promise<AccountTotals> {
    const [row] = await this.#rows('SELECT *, size AS entries FROM log', [])
    return totalsOf(row!)
  }

  async accounts(
    after: Uint8Array,
    count: number,
  ): Promise<readonly (AccountTotals & { readonly pseudonym: Uint8Array })[]> {
    const sql = 'SELECT * FROM party WHERE pseudonym > $1 ORDER BY pseudonym LIMIT $2'
    const rows = await this.#rows(sql, [after, count])
    return rows.map((row) => ({ pseudonym: bytes(row, 'pseudonym'), ...totalsOf(row) }))
  }

  close(): Promise<void> {
    return this.#end()
  }

  async #rows(sql: string, values: unknown[]): Promise<Row[]> {
    try {
      return (await this.#queryable.query(sql, values)).rows
    } catch (error) {
      throw storageError(error)
    }
  }

  #head(rows: readonly Row[]): SignedTreeHead | undefined {
    return rows[0] && headOf(this.logId, rows[0])
  }
}
