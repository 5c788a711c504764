import type { PoolClient } from 'pg'
import { SentryError } from '../errors.ts'

/** Each step leads from one version of the schema to the next; a published step never changes. */
const STEPS: readonly string[] = [
  `CREATE TABLE sentry_memory (one int PRIMARY KEY CHECK (one = 1), nonce_floor_ms bigint NOT NULL);
   INSERT INTO sentry_memory VALUES (1, -1);
   CREATE TABLE sentry_nonce (until_ms bigint NOT NULL, hash bytea NOT NULL, PRIMARY KEY (until_ms, hash));
   CREATE TABLE sentry_session (
     id bytea PRIMARY KEY, identity text NOT NULL, adapter text NOT NULL, expires_ms bigint NOT NULL);
   CREATE INDEX sentry_session_identity ON sentry_session (identity, expires_ms);
   CREATE INDEX sentry_session_expires ON sentry_session (expires_ms);
   CREATE TABLE sentry_grant (idx bigint PRIMARY KEY, statement bytea NOT NULL);
   CREATE TABLE sentry_document (did text COLLATE "C" PRIMARY KEY, json text NOT NULL);`,
]

/** Held while a schema is made, so that gateways that start together take turns. Any number; this is "sent". */
const MIGRATION_LOCK = 0x73656e74

/**
 * Brings the schema in use to the newest version. Where it fails the connection has to be ended: it may hold the lock, and
 * a transaction.
 * @throws {SentryError} `sentry/schema` for a database of a newer program
 */
export async function migrate(client: PoolClient): Promise<void> {
  await client.query('SELECT pg_advisory_lock($1)', [MIGRATION_LOCK])
  await client.query('CREATE TABLE IF NOT EXISTS sentry_schema (version int NOT NULL)')
  const { rows } = await client.query('SELECT version FROM sentry_schema')
  const found = Number(rows[0]?.version ?? 0)
  if (found > STEPS.length) throw new SentryError({ code: 'sentry/schema', found, known: STEPS.length })
  for (const [at, step] of STEPS.slice(found).entries()) {
    const version = found + at + 1
    await client.query(
      `BEGIN; ${step} DELETE FROM sentry_schema; INSERT INTO sentry_schema VALUES (${version}); COMMIT`,
    )
  }
  await client.query('SELECT pg_advisory_unlock($1)', [MIGRATION_LOCK])
}
