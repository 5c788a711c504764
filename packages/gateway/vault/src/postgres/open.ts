import { equalBytes } from '@nexus/codec'
import { type Crypto, type Random, systemRandom } from '@nexus/crypto'
import { nodeCrypto } from '@nexus/crypto/node'
import { Pool } from 'pg'
import { VaultError } from '../errors.ts'
import { ID_BYTES } from '../limits.ts'
import { bytes } from '../rows.ts'
import type { VaultStore } from '../store.ts'
import { Vault } from '../vault.ts'
import { migrate } from './schema.ts'
import { PostgresStore, storageError } from './store.ts'

export interface PostgresVaultOptions {
  /** Connection string; names the database, and the schema by `?options=-csearch_path%3D<schema>`. */
  readonly url: string
  /** Seed of the Ed25519 key that signs the log's heads: the same for every gateway of one log. */
  readonly seed: Uint8Array
  /** Connections held at most, default 10. */
  readonly connectionsMax?: number
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
  const pool = new Pool({ connectionString: url, max: options.connectionsMax ?? 10 })
  // An idle connection that the server ends is replaced at the next query; without a listener it would end the process.
  pool.on('error', () => {})
  try {
    const logId = await prepareLog(pool, crypto.publicKey(seed), random)
    return new PostgresStore(pool, { crypto, seed, logId })
  } catch (error) {
    await pool.end()
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
