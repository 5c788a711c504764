import type { DatabaseSync } from 'node:sqlite'
import { SentryError } from '../errors.ts'

/**
 * Each step leads from one version of the schema to the next; a published step never changes. Nonces are in the order of
 * their ends: what is used now is written to one place, and what is forgotten is taken from another.
 */
const STEPS: readonly string[] = [
  `CREATE TABLE memory (
     one INTEGER PRIMARY KEY CHECK (one = 1), nonce_floor_ms INTEGER NOT NULL, nonces INTEGER NOT NULL) STRICT;
   INSERT INTO memory VALUES (1, -1, 0);
   CREATE TABLE nonce (
     until_ms INTEGER NOT NULL, hash BLOB NOT NULL, PRIMARY KEY (until_ms, hash)) STRICT, WITHOUT ROWID;
   CREATE TABLE session (
     id BLOB PRIMARY KEY, identity TEXT NOT NULL, adapter TEXT NOT NULL, expires_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID;
   CREATE INDEX session_identity ON session (identity, expires_ms);
   CREATE INDEX session_expires ON session (expires_ms);
   CREATE TABLE grant_log (idx INTEGER PRIMARY KEY, statement BLOB NOT NULL) STRICT;
   CREATE TABLE document (did TEXT PRIMARY KEY, json TEXT NOT NULL) STRICT, WITHOUT ROWID;`,
]

const SCHEMA_VERSION: number = STEPS.length

/** How every connection behaves: each commit is on the disk before it returns, and what is deleted does not linger. */
export function configure(db: DatabaseSync): void {
  db.exec('PRAGMA synchronous = FULL; PRAGMA busy_timeout = 5000; PRAGMA secure_delete = FAST')
}

/**
 * Brings a database to the newest version, whoever else opens it at this moment.
 * @throws {SentryError} `sentry/schema` for one of a newer program
 */
export function migrate(db: DatabaseSync): void {
  db.exec('BEGIN IMMEDIATE')
  try {
    const found = Number(db.prepare('PRAGMA user_version').get()?.['user_version'])
    if (found > SCHEMA_VERSION) throw new SentryError({ code: 'sentry/schema', found, known: SCHEMA_VERSION })
    for (const step of STEPS.slice(found)) db.exec(step)
    db.exec(`PRAGMA user_version = ${SCHEMA_VERSION}; COMMIT`)
  } catch (error) {
    db.exec('ROLLBACK')
    throw error
  }
}
