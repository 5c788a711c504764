import type { DatabaseSync } from 'node:sqlite'
import { AnchoringError } from '../errors.ts'

/** Steps from one version of the queue's schema to the next; `user_version` counts those done. Never edited once released. */
const STEPS: readonly string[] = [
  `CREATE TABLE log (one INTEGER PRIMARY KEY CHECK (one = 1), log_id BLOB NOT NULL, public_key BLOB NOT NULL) STRICT;
   CREATE TABLE head (
     size INTEGER PRIMARY KEY, root BLOB NOT NULL, time_ms INTEGER NOT NULL, signature BLOB NOT NULL) STRICT;
   CREATE TABLE waiting (chain TEXT PRIMARY KEY, size INTEGER NOT NULL REFERENCES head) STRICT, WITHOUT ROWID;
   CREATE TABLE anchor (
     no INTEGER PRIMARY KEY, chain TEXT NOT NULL, size INTEGER NOT NULL REFERENCES head,
     state TEXT NOT NULL CHECK (state IN ('open', 'confirmed', 'refused', 'abandoned')),
     receipt TEXT, reason TEXT, cost TEXT, settled_ms INTEGER) STRICT;
   CREATE INDEX anchor_state ON anchor (chain, state, size);
   CREATE INDEX anchor_size ON anchor (size);
   CREATE TABLE attempt (
     anchor INTEGER NOT NULL REFERENCES anchor, no INTEGER NOT NULL, bytes BLOB NOT NULL, id BLOB NOT NULL,
     sequence INTEGER NOT NULL, cost_max TEXT NOT NULL, expires_ms INTEGER, signed_ms INTEGER NOT NULL,
     PRIMARY KEY (anchor, no)) STRICT, WITHOUT ROWID;
   CREATE INDEX attempt_time ON attempt (signed_ms);`,
  // Places given before were numbers of anchors: those stay, and new ones come after all of them.
  `ALTER TABLE anchor ADD COLUMN confirmed_no INTEGER;
   UPDATE anchor SET confirmed_no = no WHERE state = 'confirmed';
   CREATE UNIQUE INDEX anchor_confirmed ON anchor (confirmed_no);
   ALTER TABLE log ADD COLUMN confirmations INTEGER NOT NULL DEFAULT 0;
   UPDATE log SET confirmations = (SELECT coalesce(max(no), 0) FROM anchor);`,
]

/** The version that this program writes. */
export const SCHEMA_VERSION: number = STEPS.length

/** @throws {AnchoringError} `anchoring/schema` for a queue of a newer program */
export function migrate(db: DatabaseSync): void {
  const found = Number(db.prepare('PRAGMA user_version').get()?.['user_version'])
  if (found > SCHEMA_VERSION) throw new AnchoringError({ code: 'anchoring/schema', found, known: SCHEMA_VERSION })
  STEPS.slice(found).forEach((step, at) => {
    db.exec(`BEGIN IMMEDIATE; ${step} PRAGMA user_version = ${found + at + 1}; COMMIT`)
  })
}
