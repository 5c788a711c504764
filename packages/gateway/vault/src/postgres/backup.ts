import { DatabaseSync } from 'node:sqlite'
import { equalBytes } from '@nexus/codec'
import type { PoolClient } from 'pg'
import { VaultError } from '../errors.ts'
import { type Recount, recount } from '../recount.ts'
import { bytes } from '../rows.ts'
import { type CopyOptions, checkSound, makeVerified } from '../sqlite/backup.ts'
import { migrate as migrateSqlite } from '../sqlite/schema.ts'
import { storageError } from '../storage-error.ts'
import { selectSql, TABLES, type Table } from '../tables.ts'
import { openPool } from './pool.ts'
import { PostgresReader } from './reader.ts'
import { migrate } from './schema.ts'

const ROWS_A_STEP = 1_000

export interface PostgresBackupOptions extends CopyOptions {
  /** As of {@link PostgresVaultOptions}; gateways may go on writing. */
  readonly url: string
  /** The backup's file, which must not be there yet: a ledger in SQLite. */
  readonly to: string
  readonly timeoutMs?: number
}

export interface PostgresRestoreOptions extends CopyOptions {
  /** A backup of either engine, or the file of a ledger in SQLite: so one engine's ledger moves to the other. */
  readonly from: string
  /** A database, or schema in it, that holds no entries. */
  readonly url: string
  /** The log's key: a ledger of another one is refused. */
  readonly publicKey: Uint8Array
  readonly timeoutMs?: number
}

/**
 * Writes one moment of a ledger in PostgreSQL into an SQLite file, counts it again, and only then gives it its name.
 * @throws {VaultError} `vault/not-empty`, `vault/corrupt`, `vault/storage`
 */
export function backupPostgresLedger(options: PostgresBackupOptions): Promise<Recount> {
  return makeVerified(options.to, options, (unnamed) =>
    withClient(options.url, options, async (client) => {
      using file = new DatabaseSync(unnamed)
      migrateSqlite(file)
      await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY')
      file.exec('BEGIN')
      for (const table of TABLES) await toSqlite(client, file, table)
      // The server first: it would not wait for a long flush of the file.
      await client.query('COMMIT')
      file.exec('COMMIT')
    }),
  )
}

/**
 * Writes a backup into an empty ledger in PostgreSQL, in one transaction that commits after a full recount.
 * @throws {VaultError} `vault/not-empty`, `vault/key`, `vault/corrupt`, `vault/schema`, `vault/storage`
 */
export async function restorePostgresLedger(options: PostgresRestoreOptions): Promise<Recount> {
  try {
    return await withClient(options.url, options, async (client) => {
      using file = new DatabaseSync(options.from, { readOnly: true })
      // One moment of the file, if it is that of a gateway that goes on writing.
      file.exec('BEGIN')
      const log = file.prepare('SELECT log_id, public_key FROM log').get()
      const publicKey = bytes(log ?? { public_key: [] }, 'public_key')
      if (log === undefined || !equalBytes(publicKey, options.publicKey)) {
        throw new VaultError({ code: 'vault/key', path: options.from })
      }
      await migrate(client)
      await client.query('BEGIN')
      await emptyLog(client)
      for (const table of TABLES) await toPostgres(file, client, table)
      await client.query(`SELECT setval(pg_get_serial_sequence('party', 'no'), max(no)) FROM party`)
      const reader = new PostgresReader(client, { logId: bytes(log, 'log_id'), publicKey })
      const found = await recount(options.crypto, reader, options.progress)
      checkSound(found)
      await client.query('COMMIT')
      return found
    })
  } catch (error) {
    throw storageError(error)
  }
}

async function withClient<T>(
  url: string,
  options: { readonly timeoutMs?: number },
  work: (client: PoolClient) => Promise<T>,
): Promise<T> {
  const pool = openPool(url, { connectionsMax: 1, ...(options.timeoutMs && { timeoutMs: options.timeoutMs }) })
  try {
    const client = await pool.connect()
    client.on('error', () => {})
    // The connection ends with the pool, and what it had not committed with it.
    return await work(client).finally(() => client.release(true))
  } finally {
    await pool.close()
  }
}

/** Takes the ledger from whoever opens it meanwhile. @throws {VaultError} `vault/not-empty` */
async function emptyLog(client: PoolClient): Promise<void> {
  await client.query('LOCK TABLE log IN ACCESS EXCLUSIVE MODE')
  const { rows } = await client.query('SELECT size, current_database() AS name FROM log')
  if (rows[0] !== undefined && rows[0].size !== '0') {
    throw new VaultError({ code: 'vault/not-empty', path: `database ${rows[0].name}` })
  }
  await client.query('DELETE FROM log')
}

async function toSqlite(client: PoolClient, file: DatabaseSync, table: Table): Promise<void> {
  const columns = Object.entries(table.columns)
  await client.query(`DECLARE rows CURSOR FOR ${selectSql(table)}`)
  const insert = file.prepare(`INSERT INTO ${table.name} VALUES (${columns.map(() => '?').join(', ')})`)
  for (;;) {
    const { rows } = await client.query(`FETCH ${ROWS_A_STEP} FROM rows`)
    for (const row of rows) {
      insert.run(...columns.map(([name, type]) => (type === 'bigint' ? BigInt(row[name]) : row[name])))
    }
    if (rows.length < ROWS_A_STEP) break
  }
  await client.query('CLOSE rows')
}

async function toPostgres(file: DatabaseSync, client: PoolClient, table: Table): Promise<void> {
  const columns = Object.entries(table.columns)
  const arrays = columns.map(([, type], at) => `$${at + 1}::${type}[]`).join(', ')
  const into = `${table.name} (${columns.map(([name]) => name).join(', ')})`
  const sql = `INSERT INTO ${into} OVERRIDING SYSTEM VALUE SELECT * FROM unnest(${arrays})`
  const select = file.prepare(selectSql(table))
  select.setReadBigInts(true)
  let values: unknown[][] = columns.map(() => [])
  const write = async (): Promise<void> => {
    await client.query(sql, values)
    values = columns.map(() => [])
  }
  for (const row of select.iterate()) {
    for (const [at, [name]] of columns.entries()) values[at]!.push(row[name])
    if (values[0]!.length === ROWS_A_STEP) await write()
  }
  if (values[0]!.length > 0) await write()
}
