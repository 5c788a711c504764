import { DatabaseError, type Pool, type PoolClient } from 'pg'
import { VaultError } from '../errors.ts'
import type { LedgerEntry } from '../log/entry.ts'
import type { SignedTreeHead } from '../log/head.ts'
import type { AccountTotals, Append, LogSigner, Person } from '../plan.ts'
import { bytes, ENTRY_SQL, entryOf, headOf, type Row, totalsOf } from '../rows.ts'
import type { Committed, VaultStore } from '../store.ts'
import { commitBatch } from './commit.ts'

/** Serialization failure, deadlock: the transaction had no effect and may be tried again. */
const RETRY_CODES = new Set(['40001', '40P01'])

const RETRIES_MAX = 20

/** A ledger in a PostgreSQL database, which any number of gateways may share. */
export class PostgresStore implements VaultStore {
  readonly logId: Uint8Array
  readonly publicKey: Uint8Array
  readonly #pool: Pool
  readonly #signer: LogSigner

  constructor(pool: Pool, signer: LogSigner) {
    this.#pool = pool
    this.#signer = signer
    this.logId = signer.logId
    this.publicKey = signer.crypto.publicKey(signer.seed)
  }

  commit(batch: readonly Append[], nowMs: number): Promise<Committed> {
    return this.#transaction((client) => commitBatch(client, this.#signer, batch, nowMs))
  }

  erase(identity: string): Promise<boolean> {
    return this.#transaction(async (client) => {
      const { rowCount } = await client.query('DELETE FROM person WHERE identity = $1', [identity])
      return rowCount === 1
    })
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

  async person(identity: string): Promise<Person | undefined> {
    const sql = 'SELECT salt, pseudonym FROM person JOIN party ON party.no = person.party WHERE identity = $1'
    const [row] = await this.#rows(sql, [identity])
    return row && { salt: bytes(row, 'salt'), pseudonym: bytes(row, 'pseudonym') }
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

  async close(): Promise<void> {
    await this.#pool.end()
  }

  async #rows(sql: string, values: readonly unknown[]): Promise<Row[]> {
    try {
      return (await this.#pool.query(sql, [...values])).rows
    } catch (error) {
      throw storageError(error)
    }
  }

  #head(rows: readonly Row[]): SignedTreeHead | undefined {
    return rows[0] && headOf(this.logId, rows[0])
  }

  async #transaction<T>(work: (client: PoolClient) => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#attempt(work)
      } catch (error) {
        const again = error instanceof DatabaseError && RETRY_CODES.has(error.code ?? '') && attempt < RETRIES_MAX
        if (!again) throw storageError(error)
      }
    }
  }

  async #attempt<T>(work: (client: PoolClient) => Promise<T>): Promise<T> {
    const client = await this.#pool.connect()
    let broken: Error | undefined
    // A connection that breaks between two queries tells it here; the query that follows fails by itself.
    const onError = (error: Error): void => {
      broken = error
    }
    client.on('error', onError)
    let committing = false
    try {
      await client.query('BEGIN')
      const result = await work(client)
      committing = true
      await client.query('COMMIT')
      return result
    } catch (error) {
      // Whoever answers this has undone it all. No other sign is certain: severities are words of the server's language.
      if (error instanceof DatabaseError && (await rolledBack(client))) throw error
      broken = error as Error
      if (committing) throw new VaultError({ code: 'vault/outcome-unknown' }, { cause: error })
      throw error
    } finally {
      client.off('error', onError)
      client.release(broken)
    }
  }
}

function rolledBack(client: PoolClient): Promise<boolean> {
  return client.query('ROLLBACK').then(
    () => true,
    () => false,
  )
}

/** Database errors as the vault's own; a refusal of its rules stays as it is. */
export function storageError(error: unknown): VaultError {
  if (error instanceof VaultError) return error
  return new VaultError({ code: 'vault/storage', reason: (error as Error).message }, { cause: error })
}
