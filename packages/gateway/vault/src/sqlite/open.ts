import { DatabaseSync } from 'node:sqlite'
import { equalBytes } from '@nexus/codec'
import { type Crypto, type Random, systemRandom } from '@nexus/crypto'
import { nodeCrypto } from '@nexus/crypto/node'
import { VaultError } from '../errors.ts'
import { ID_BYTES } from '../limits.ts'
import { storageError } from '../storage-error.ts'
import { Vault } from '../vault.ts'
import { lockLedger } from './lock.ts'
import { SqliteReader } from './reader.ts'
import { configure, migrate, SCHEMA_VERSION, schemaOf } from './schema.ts'
import { SqliteStore } from './store.ts'

export interface SqliteVaultOptions {
  /** The ledger's file; made if it is not there. Beside it stand `-wal`, `-shm` and `.lock`. */
  readonly path: string
  /** Seed of the Ed25519 key that signs the log's heads. */
  readonly seed: Uint8Array
  readonly crypto?: Crypto
  readonly random?: Random
  /** Unix milliseconds. */
  readonly now?: () => number
  /** Told once if the writing thread ends by itself: from then on nothing is written, and only a new opening helps. */
  readonly onFailure?: (error: VaultError) => void
}

/**
 * Opens or makes a ledger in an SQLite file, for this process alone.
 * @throws {VaultError} `vault/locked`, `vault/schema`, `vault/key`, `vault/corrupt`, `vault/storage`
 */
export async function openSqliteVault(options: SqliteVaultOptions): Promise<Vault> {
  const crypto = options.crypto ?? (await nodeCrypto())
  const random = options.random ?? systemRandom
  const store = openSqliteStore({ ...options, crypto, random })
  return new Vault(store, { crypto, random, now: options.now ?? Date.now, defer: (step) => setImmediate(step) })
}

/** The engine alone, for who composes the vault itself. @throws as {@link openSqliteVault} */
export function openSqliteStore(
  options: SqliteVaultOptions & { readonly crypto: Crypto; readonly random: Random },
): SqliteStore {
  const { path, seed, crypto, random } = options
  const lock = lockLedger(path)
  try {
    const reader = openReader(path, crypto.publicKey(seed), random)
    return new SqliteStore(reader, lock, { path, seed, logId: reader.logId }, options.onFailure)
  } catch (error) {
    lock[Symbol.dispose]()
    throw storageError(error)
  }
}

function openReader(path: string, publicKey: Uint8Array, random: Random): SqliteReader {
  const db = new DatabaseSync(path)
  try {
    db.exec('PRAGMA journal_mode = WAL')
    configure(db)
    const [check] = db.prepare('PRAGMA quick_check(1)').all()
    if (check?.['quick_check'] !== 'ok')
      throw new VaultError({ code: 'vault/corrupt', what: String(check?.['quick_check']) })
    migrate(db)
    db.prepare(`INSERT INTO log VALUES (1, ?, ?, 0, x'', 0, 0, 0, 0, 0) ON CONFLICT DO NOTHING`).run(
      random(ID_BYTES),
      publicKey,
    )
    const reader = new SqliteReader(db)
    if (!equalBytes(reader.publicKey, publicKey)) throw new VaultError({ code: 'vault/key', path })
    return reader
  } catch (error) {
    db.close()
    throw error
  }
}

/**
 * Reads one moment of a ledger beside the process that holds it, or a backup: for recounts and proofs. Writes nothing.
 * @throws {VaultError} `vault/schema`, `vault/storage`
 */
export function readSqliteLedger(path: string): SqliteReader {
  try {
    const db = new DatabaseSync(path, { readOnly: true })
    try {
      const found = schemaOf(db)
      if (found !== SCHEMA_VERSION) throw new VaultError({ code: 'vault/schema', found, known: SCHEMA_VERSION })
      db.exec('BEGIN')
      return new SqliteReader(db)
    } catch (error) {
      db.close()
      throw error
    }
  } catch (error) {
    throw storageError(error)
  }
}
