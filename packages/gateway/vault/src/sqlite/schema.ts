import type { DatabaseSync } from 'node:sqlite'
import { VaultError } from '../errors.ts'

/** Each step leads from one version of the schema to the next; a published step never changes. */
const STEPS: readonly string[] = [
  `CREATE TABLE log (
     one INTEGER PRIMARY KEY CHECK (one = 1), log_id BLOB NOT NULL, public_key BLOB NOT NULL,
     size INTEGER NOT NULL, frontier BLOB NOT NULL, time_ms INTEGER NOT NULL,
     amount INTEGER NOT NULL, creator INTEGER NOT NULL, pool INTEGER NOT NULL, fee INTEGER NOT NULL) STRICT;
   CREATE TABLE party (
     no INTEGER PRIMARY KEY, pseudonym BLOB NOT NULL UNIQUE, amount INTEGER NOT NULL, creator INTEGER NOT NULL,
     pool INTEGER NOT NULL, fee INTEGER NOT NULL, entries INTEGER NOT NULL) STRICT;
   CREATE TABLE person (
     identity TEXT PRIMARY KEY, salt BLOB NOT NULL, party INTEGER NOT NULL REFERENCES party) STRICT, WITHOUT ROWID;
   CREATE TABLE entry (
     idx INTEGER PRIMARY KEY, id BLOB NOT NULL, actor INTEGER NOT NULL, account INTEGER NOT NULL,
     amount INTEGER NOT NULL, creator INTEGER NOT NULL, pool INTEGER NOT NULL, fee INTEGER NOT NULL,
     policy INTEGER NOT NULL, time_ms INTEGER NOT NULL, idempotency BLOB NOT NULL UNIQUE,
     request_hash BLOB NOT NULL) STRICT;
   CREATE INDEX entry_account ON entry (account, idx);
   CREATE INDEX entry_actor ON entry (actor, idx);
   CREATE TABLE node (
     level INTEGER NOT NULL, idx INTEGER NOT NULL, hash BLOB NOT NULL,
     PRIMARY KEY (level, idx)) STRICT, WITHOUT ROWID;
   CREATE TABLE head (
     size INTEGER PRIMARY KEY, root BLOB NOT NULL, time_ms INTEGER NOT NULL, signature BLOB NOT NULL) STRICT;`,
]

/** The version that this program writes. */
export const SCHEMA_VERSION: number = STEPS.length

/** How every connection of the vault behaves: each commit is on the disk before it returns. */
export function configure(db: DatabaseSync): void {
  db.exec('PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA busy_timeout = 5000')
}

/**
 * Brings a ledger to {@link SCHEMA_VERSION}, each step in a transaction of its own.
 * @throws {VaultError} `vault/schema` for a ledger of a newer program
 */
export function migrate(db: DatabaseSync): void {
  const found = schemaOf(db)
  if (found > SCHEMA_VERSION) throw new VaultError({ code: 'vault/schema', found, known: SCHEMA_VERSION })
  STEPS.slice(found).forEach((step, at) => {
    db.exec(`BEGIN IMMEDIATE; ${step} PRAGMA user_version = ${found + at + 1}; COMMIT`)
  })
}

/** The schema's version; 0 for a database without one. */
export function schemaOf(db: DatabaseSync): number {
  return Number(db.prepare('PRAGMA user_version').get()?.['user_version'])
}
