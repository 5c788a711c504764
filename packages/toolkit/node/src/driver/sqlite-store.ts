import { existsSync, renameSync } from 'node:fs'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import type { Store } from '../core/store.ts'

/** Says that a state file was unreadable, and where it was put aside. */
export interface SetAside {
  readonly path: string
  readonly asidePath: string
  readonly why: string
}

export interface OpenedStore {
  readonly store: SqliteStore
  /** Present where the file could not be read: it was renamed, never overwritten, and a new one begun. */
  readonly setAside?: SetAside
}

/** The node's state in one SQLite file: WAL, every commit flushed. */
export class SqliteStore implements Store {
  readonly #db: DatabaseSync
  readonly #get: StatementSync
  readonly #put: StatementSync
  readonly #delete: StatementSync
  readonly #entries: StatementSync
  #depth = 0

  constructor(db: DatabaseSync) {
    this.#db = db
    this.#get = db.prepare('SELECT value FROM state WHERE key = ?')
    this.#put = db.prepare(
      'INSERT INTO state (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value',
    )
    this.#delete = db.prepare('DELETE FROM state WHERE key = ?')
    this.#entries = db.prepare('SELECT key, value FROM state WHERE key >= ? AND key < ? ORDER BY key')
  }

  get(key: string): Uint8Array | undefined {
    return this.#get.get(key)?.['value'] as Uint8Array | undefined
  }

  put(key: string, value: Uint8Array): void {
    this.#put.run(key, value)
  }

  delete(key: string): void {
    this.#delete.run(key)
  }

  entries(prefix: string): [string, Uint8Array][] {
    const rows = this.#entries.all(prefix, `${prefix}\uffff`)
    return rows.map((row) => [row['key'] as string, row['value'] as Uint8Array])
  }

  atomically<T>(work: () => T): T {
    if (this.#depth > 0) return work()
    this.#depth++
    this.#db.exec('BEGIN IMMEDIATE')
    try {
      const result = work()
      this.#db.exec('COMMIT')
      return result
    } catch (error) {
      this.#db.exec('ROLLBACK')
      throw error
    } finally {
      this.#depth--
    }
  }

  close(): void {
    this.#db.close()
  }
}

/**
 * Opens or makes the state file at `path`. A file that SQLite or its own check finds damaged is renamed to
 * `<path>.damaged-<n>` together with its log, and the caller is told.
 */
export function openStore(path: string): OpenedStore {
  try {
    return { store: openAt(path) }
  } catch (error) {
    if (!existsSync(path) || !isDamage(error)) throw error
    const asidePath = setAside(path)
    return { store: openAt(path), setAside: { path, asidePath, why: (error as Error).message } }
  }
}

class DamagedError extends Error {}

function openAt(path: string): SqliteStore {
  const db = new DatabaseSync(path)
  try {
    db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA busy_timeout = 2000')
    const [check] = db.prepare('PRAGMA quick_check(1)').all()
    if (check?.['quick_check'] !== 'ok') throw new DamagedError(String(check?.['quick_check']))
    db.exec('CREATE TABLE IF NOT EXISTS state (key TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID')
    return new SqliteStore(db)
  } catch (error) {
    db.close()
    throw error
  }
}

const SQLITE_CORRUPT = 11
const SQLITE_NOTADB = 26

function isDamage(error: unknown): boolean {
  if (error instanceof DamagedError) return true
  const code = (error as { errcode?: number }).errcode ?? 0
  return (code & 0xff) === SQLITE_CORRUPT || (code & 0xff) === SQLITE_NOTADB
}

function setAside(path: string): string {
  let n = 1
  while (existsSync(`${path}.damaged-${n}`)) n++
  const asidePath = `${path}.damaged-${n}`
  renameSync(path, asidePath)
  for (const suffix of ['-wal', '-shm']) {
    if (existsSync(path + suffix)) renameSync(path + suffix, asidePath + suffix)
  }
  return asidePath
}
