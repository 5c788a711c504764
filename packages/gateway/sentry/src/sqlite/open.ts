import { DatabaseSync } from 'node:sqlite'
import { configure, migrate } from './schema.ts'
import { SqliteSentryStore, storageError } from './store.ts'

export interface SqliteSentryOptions {
  /** The file; made if it is not there. Beside it stand `-wal` and `-shm`. */
  readonly path: string
}

/**
 * Opens or makes the sentry's memory in an SQLite file. Several processes of one machine may hold it.
 * @throws {SentryError} `sentry/schema`, `sentry/store`
 */
export function openSqliteSentryStore({ path }: SqliteSentryOptions): SqliteSentryStore {
  try {
    const db = new DatabaseSync(path)
    try {
      configure(db)
      db.exec('PRAGMA journal_mode = WAL')
      migrate(db)
      return new SqliteSentryStore(db, { path })
    } catch (error) {
      db.close()
      throw error
    }
  } catch (error) {
    throw storageError(error)
  }
}
