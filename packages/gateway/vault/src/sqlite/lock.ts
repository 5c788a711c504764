import { DatabaseSync } from 'node:sqlite'
import { VaultError } from '../errors.ts'

/**
 * Holds a ledger for this process: a write transaction on a small database beside it, which the system lets go of
 * whatever way the process ends. The holder's pid is written in it before, for others to read.
 * @throws {VaultError} `vault/locked`
 */
export function lockLedger(path: string): Disposable {
  const lock = new DatabaseSync(`${path}.lock`)
  try {
    lock.exec(`PRAGMA journal_mode = WAL; PRAGMA busy_timeout = 0; BEGIN IMMEDIATE;
      CREATE TABLE IF NOT EXISTS holder (one INTEGER PRIMARY KEY CHECK (one = 1), pid INTEGER NOT NULL) STRICT;
      INSERT INTO holder VALUES (1, ${process.pid}) ON CONFLICT DO UPDATE SET pid = excluded.pid; COMMIT;
      BEGIN IMMEDIATE`)
  } catch (error) {
    const pid = holderOf(lock)
    lock.close()
    if (!isBusy(error))
      throw new VaultError({ code: 'vault/storage', reason: (error as Error).message }, { cause: error })
    throw new VaultError({ code: 'vault/locked', path, pid })
  }
  return { [Symbol.dispose]: () => lock.close() }
}

function holderOf(lock: DatabaseSync): number | undefined {
  try {
    const row = lock.prepare('SELECT pid FROM holder').get()
    return row && Number(row['pid'])
  } catch {
    return undefined
  }
}

function isBusy(error: unknown): boolean {
  const SQLITE_BUSY = 5
  return (((error as { errcode?: number }).errcode ?? 0) & 0xff) === SQLITE_BUSY
}
