import { DatabaseError } from 'pg'
import { describe, expect, test } from 'vitest'
import type { VaultPool } from '../src/postgres/pool.ts'
import { PostgresStore } from '../src/postgres/store.ts'
import { crypto, seed } from './kit.ts'

/** A server that answers COMMIT with an error, and goes away with it or stays. */
function storeOn(severity: string, stays: boolean): { store: PostgresStore; dropped: () => boolean } {
  let dropped = false
  const refused = Object.assign(new DatabaseError('no', 2, 'error'), { severity, code: 'XX000' })
  const client = {
    on: () => {},
    off: () => {},
    release: (error?: Error) => {
      dropped = error !== undefined
    },
    query: async (sql: string) => {
      if (sql === 'COMMIT') throw refused
      if (sql === 'ROLLBACK' && !stays) throw new Error('Connection terminated unexpectedly')
      return { rowCount: 1, rows: [] }
    },
  }
  const pool = { connect: async () => client } as unknown as VaultPool
  return { store: new PostgresStore(pool, { crypto, seed, logId: new Uint8Array(16) }), dropped: () => dropped }
}

describe('what a failed COMMIT is said to have done', () => {
  test.each(['ERROR', 'FEHLER'])('nothing, where the server stays: %s', async (severity) => {
    const { store, dropped } = storeOn(severity, true)
    await expect(store.erase('did:key:a')).rejects.toMatchObject({ detail: { code: 'vault/storage' } })
    expect(dropped()).toBe(false)
  })

  test.each(['FATAL', 'PANIC', 'ВАЖНО'])('is unknown, where it goes away: %s', async (severity) => {
    const { store, dropped } = storeOn(severity, false)
    await expect(store.erase('did:key:a')).rejects.toMatchObject({ detail: { code: 'vault/outcome-unknown' } })
    expect(dropped()).toBe(true)
  })
})
