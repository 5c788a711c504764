import { equalBytes } from '@nexus/codec'
import { type Crypto, type Random, systemRandom } from '@nexus/crypto'
import { nodeCrypto } from '@nexus/crypto/node'
import type { Pool, PoolClient } from 'pg'
import { VaultError } from '../errors.ts'
import { ID_BYTES } from '../limits.ts'
import { bytes } from '../rows.ts'
import { storageError } from '../storage-error.ts'
import type { LedgerReader, VaultStore } from '../store.ts'
import { Vault } from '../vault.ts'
import { openPool } from './pool.ts'
import { PostgresReader } from './reader.ts'
import { migrate } from './schema.ts'
import { PostgresStore } from './store.ts'

export interface PostgresVaultOptions {
  /** Connection string; names the database, and the schema by `?options=-csearch_path%3D<schema>`. */
  readonly url: string
  /** Seed of the Ed25519 key that signs the log's heads: the same for every gateway of one log. */
  readonly seed: Uint8Array
  /** Connections held at most, default 10. */
  readonly connectionsMax?: number
  /** How long a server may keep silent, to a connection or to one statement, before it counts as gone; default 10 000. */
  readonly timeoutMs?: number
  readonly crypto?: Crypto
  readonly random?: Random
  /** Unix milliseconds. */
  readonly now?: () => number
}

/**
 * Opens or makes a ledger in a PostgreSQL database; several processes may hold it at once.
 * @throws {VaultError} `vault/schema`, `vault/key`, `vault/storage`
 */
export async function openPostgresVault(options: PostgresVaultOptions): Promise<Vault> {
  const crypto = options.crypto ?? (await nodeCrypto())
  const random = options.random ?? systemRandom
  const store = await openPostgresStore({ ...options, crypto, random })
  return new Vault(store, { crypto, random, now: options.now ?? Date.now, defer: (step) => setImmediate(step) })
}

/** The engine alone, for who composes the vault itself. @throws as {@link openPostgresVault} */
export async function openPostgresStore(
  options: PostgresVaultOptions & { readonly crypto: Crypto; readonly random: Random },
): Promise<VaultStore> {
  const { url, seed, crypto, random } = options
  const pool = openPool(url, options)
  try {
    const logId = await prepareLog(pool, crypto.publicKey(seed), random)
    return new PostgresStore(pool, { crypto, seed, logId })
  } catch (error) {
    await pool.close()
    throw storageError(error)
  }
}

/**
 * Reads one moment of a ledger, without its key, while gateways go on writing: for recounts and proofs. Writes nothing.
 * @throws {VaultError} `vault/corrupt` where no ledger was begun, `vault/storage`
 */
export async function readPostgresLedger(
  options: Pick<PostgresVaultOptions, 'url' | 'timeoutMs'>,
): Promise<LedgerReader> {
  const pool = openPool(options.url, { ...options, connectionsMax: 1 })
  let client: PoolClient | undefined
  const close = (): Promise<void> => {
    client?.release(true)
    return pool.close()
  }
  try {
    client = await pool.connect()
    client.on('error', () => {})
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY')
    const { rows } = await client.query('SELECT log_id, public_key FROM log')
    if (rows[0] === undefined) throw new VaultError({ code: 'vault/corrupt', what: 'it was never begun' })
    return new PostgresReader(
      client,
      { logId: bytes(rows[0], 'log_id'), publicKey: bytes(rows[0], 'public_key') },
      close,
    )
  } catch (error) {
    await close()
    throw storageError(error)
  }
}

async function prepareLog(pool: Pool, publicKey: Uint8Array, random: Random): Promise<Uint8Array> {
  const client = await pool.connect()
  let failed = true
  // One that breaks tells it here too; the query that is under way fails by itself.
  client.on('error', () => {})
  try {
    await migrate(client)
    await client.query(`INSERT INTO log VALUES (1, $1, $2, 0, '', 0, 0, 0, 0, 0) ON CONFLICT DO NOTHING`, [
      random(ID_BYTES),
      publicKey,
    ])
    const { rows } = await client.query('SELECT log_id, public_key, current_database() AS name FROM log')
    if (!equalBytes(bytes(rows[0], 'public_key'), publicKey)) {
      throw new VaultError({ code: 'vault/key', path: `database ${rows[0].name}` })
    }
    failed = false
    return bytes(rows[0], 'log_id')
  } finally {
    // Ending a connection that failed gives back its lock and its transaction.
    client.release(failed)
  }
}
