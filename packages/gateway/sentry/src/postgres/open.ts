import { Pool } from 'pg'
import { VERIFIER_TIMEOUT_MS } from '../limits.ts'
import { migrate } from './schema.ts'
import { PostgresSentryStore, storageError } from './store.ts'

export interface PostgresSentryOptions {
  /** Connection string; names the database, and the schema by `?options=-csearch_path%3D<schema>`. */
  readonly url: string
  /** Connections held at most, default 4. */
  readonly connectionsMax?: number
}

/**
 * Opens or makes the sentry's memory in a PostgreSQL database; it may be the vault's own.
 * @throws {SentryError} `sentry/schema`, `sentry/store`
 */
export async function openPostgresSentryStore({
  url,
  connectionsMax = 4,
}: PostgresSentryOptions): Promise<PostgresSentryStore> {
  // What takes longer is refused by then, and a statement that old could miss what was forgotten after it began.
  const limits = { statement_timeout: VERIFIER_TIMEOUT_MS, connectionTimeoutMillis: VERIFIER_TIMEOUT_MS }
  const pool = new Pool({ connectionString: url, max: connectionsMax, ...limits })
  // An idle connection that the server ends is replaced at the next query; without a listener it would end the process.
  pool.on('error', () => {})
  try {
    const client = await pool.connect()
    let failed = true
    // One that breaks tells it here too; the query that is under way fails by itself.
    client.on('error', () => {})
    try {
      await migrate(client)
      failed = false
    } finally {
      // Ending a connection that failed gives back its lock and its transaction.
      client.release(failed)
    }
    return new PostgresSentryStore(pool)
  } catch (error) {
    await pool.end()
    throw storageError(error)
  }
}
