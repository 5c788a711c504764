import type { PoolClient } from 'pg'
import { VaultError } from '../errors.ts'

/** Each step leads from one version of the schema to the next; a published step never changes. */
const STEPS: readonly string[] = [
  `CREATE TABLE log (
     one int PRIMARY KEY CHECK (one = 1), log_id bytea NOT NULL, public_key bytea NOT NULL,
     size bigint NOT NULL, frontier bytea NOT NULL, time_ms bigint NOT NULL,
     amount bigint NOT NULL, creator bigint NOT NULL, pool bigint NOT NULL, fee bigint NOT NULL);
   CREATE TABLE party (
     no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, pseudonym bytea NOT NULL UNIQUE, amount bigint NOT NULL,
     creator bigint NOT NULL, pool bigint NOT NULL, fee bigint NOT NULL, entries bigint NOT NULL);
   CREATE TABLE person (
     identity text PRIMARY KEY, salt bytea NOT NULL, party bigint NOT NULL REFERENCES party);
   CREATE TABLE entry (
     idx bigint PRIMARY KEY, id bytea NOT NULL, actor bigint NOT NULL, account bigint NOT NULL,
     amount bigint NOT NULL, creator bigint NOT NULL, pool bigint NOT NULL, fee bigint NOT NULL,
     policy int NOT NULL, time_ms bigint NOT NULL, idempotency bytea NOT NULL UNIQUE, request_hash bytea NOT NULL);
   CREATE INDEX entry_account ON entry (account, idx);
   CREATE INDEX entry_actor ON entry (actor, idx);
   CREATE TABLE node (level int NOT NULL, idx bigint NOT NULL, hash bytea NOT NULL, PRIMARY KEY (level, idx));
   CREATE TABLE head (size bigint PRIMARY KEY, root bytea NOT NULL, time_ms bigint NOT NULL, signature bytea NOT NULL);`,
]

/** Held while a schema is made, so that gateways that start together take turns. Any number; this is "nexu". */
const MIGRATION_LOCK = 0x6e657875

/**
 * Brings the schema in use to the newest version. Where it fails the connection has to be ended: it may hold the lock, and
 * a transaction.
 * @throws {VaultError} `vault/schema` for a ledger of a newer program
 */
export async function migrate(client: PoolClient): Promise<void> {
  await client.query('SELECT pg_advisory_lock($1)', [MIGRATION_LOCK])
  await client.query('CREATE TABLE IF NOT EXISTS vault_schema (version int NOT NULL)')
  const { rows } = await client.query('SELECT version FROM vault_schema')
  const found = Number(rows[0]?.version ?? 0)
  if (found > STEPS.length) throw new VaultError({ code: 'vault/schema', found, known: STEPS.length })
  for (const [at, step] of STEPS.slice(found).entries()) {
    const version = found + at + 1
    await client.query(`BEGIN; ${step} DELETE FROM vault_schema; INSERT INTO vault_schema VALUES (${version}); COMMIT`)
  }
  await client.query('SELECT pg_advisory_unlock($1)', [MIGRATION_LOCK])
}
