import { DatabaseError, type PoolClient } from 'pg'
import { VaultError } from '../errors.ts'
import type { Append, LogSigner } from '../plan.ts'
import { storageError } from '../storage-error.ts'
import type { Committed, VaultStore } from '../store.ts'
import { commitBatch } from './commit.ts'
import type { VaultPool } from './pool.ts'
import { PostgresReader } from './reader.ts'

/** Serialization failure, deadlock: the transaction had no effect and may be tried again. */
const RETRY_CODES = new Set(['40001', '40P01'])

const RETRIES_MAX = 20

/** A ledger in a PostgreSQL database, which any number of gateways may share. */
export class PostgresStore extends PostgresReader implements VaultStore {
  readonly #pool: VaultPool
  readonly #signer: LogSigner

  constructor(pool: VaultPool, signer: LogSigner) {
    super(pool, { logId: signer.logId, publicKey: signer.crypto.publicKey(signer.seed) }, () => pool.close())
    this.#pool = pool
    this.#signer = signer
  }

  commit(batch: readonly Append[], nowMs: number): Promise<Committed> {
    return this.#transaction((client) => commitBatch(client, this.#signer, batch, nowMs))
  }

  erase(identity: string): Promise<boolean> {
    return this.#transaction(async (client) => {
      const { rowCount } = await client.query('DELETE FROM person WHERE identity = $1', [identity])
      return rowCount === 1
    })
  }

  async #transaction<T>(work: (client: PoolClient) => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#attempt(work)
      } catch (error) {
        const again = error instanceof DatabaseError && RETRY_CODES.has(error.code ?? '') && attempt < RETRIES_MAX
        if (!again) throw storageError(error)
      }
    }
  }

  async #attempt<T>(work: (client: PoolClient) => Promise<T>): Promise<T> {
    const client = await this.#pool.connect()
    let broken: Error | undefined
    // A connection that breaks between two queries tells it here; the query that follows fails by itself.
    const onError = (error: Error): void => {
      broken = error
    }
    client.on('error', onError)
    let committing = false
    try {
      await client.query('BEGIN')
      const result = await work(client)
      committing = true
      await client.query('COMMIT')
      return result
    } catch (error) {
      // Whoever answers this has undone it all. No other sign is certain: severities are words of the server's language.
      if (error instanceof DatabaseError && (await rolledBack(client))) throw error
      broken = error as Error
      if (committing) throw new VaultError({ code: 'vault/outcome-unknown' }, { cause: error })
      throw error
    } finally {
      client.off('error', onError)
      client.release(broken)
    }
  }
}

function rolledBack(client: PoolClient): Promise<boolean> {
  return client.query('ROLLBACK').then(
    () => true,
    () => false,
  )
}
