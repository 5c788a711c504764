import { toHex } from '@nexus/codec'
import { DatabaseError, type Pool } from 'pg'
import { SentryError } from '../errors.ts'
import { DOCUMENTS_MAX } from '../limits.ts'
import type { DidDocumentStore, Look, SentryStore, Session, UsedNonce } from '../store.ts'

/** Serialization failure, deadlock: the statement had no effect and may be tried again. */
const RETRY_CODES: ReadonlySet<string | undefined> = new Set(['40001', '40P01'])
const RETRIES_MAX = 20

type Row = Readonly<Record<string, unknown>>

/** What a sentry remembers in a PostgreSQL database. Each method is one statement, and so one transaction. */
export class PostgresSentryStore implements SentryStore, DidDocumentStore {
  readonly #pool: Pool
  /** What the last call of {@link forgetNonces} raised the floor to. */
  #floorMs = -1
  #closing: Promise<void> | undefined

  constructor(pool: Pool) {
    this.#pool = pool
  }

  async useNonces(nonces: readonly UsedNonce[]): Promise<readonly boolean[]> {
    const rows = await this.#rows(
      `INSERT INTO sentry_nonce SELECT until_ms, hash FROM unnest($1::bigint[], $2::bytea[]) AS used (until_ms, hash)
         WHERE until_ms > (SELECT nonce_floor_ms FROM sentry_memory) ORDER BY until_ms, hash
       ON CONFLICT DO NOTHING RETURNING until_ms, hash`,
      [nonces.map(({ untilMs }) => untilMs), nonces.map(({ hash }) => hash)],
    )
    const fresh = new Set(rows.map((row) => `${row['until_ms']} ${toHex(bytes(row, 'hash'))}`))
    return nonces.map(({ hash, untilMs }) => fresh.delete(`${untilMs} ${toHex(hash)}`))
  }

  /**
   * Raises the floor now and deletes at the next call what is below the floor of this one: a statement that began before
   * the floor rose must not find the row of a nonce gone that it still holds for usable. It is refused by the row or by the
   * floor, since no statement lives as long as the time between two calls.
   */
  async forgetNonces(untilMs: number): Promise<number> {
    await this.#rows('DELETE FROM sentry_nonce WHERE until_ms <= $1', [this.#floorMs])
    const [row] = await this.#rows(
      'UPDATE sentry_memory SET nonce_floor_ms = greatest(nonce_floor_ms, $1) RETURNING nonce_floor_ms',
      [untilMs],
    )
    this.#floorMs = Number(row!['nonce_floor_ms'])
    return this.#count('SELECT count(*) FROM sentry_nonce')
  }

  async look(sessionIds: readonly Uint8Array[]): Promise<Look> {
    const rows = await this.#rows(
      `SELECT g.count AS grants, s.* FROM (SELECT coalesce(max(idx) + 1, 0) AS count FROM sentry_grant) g
       LEFT JOIN sentry_session s ON s.id = ANY($1)`,
      [sessionIds],
    )
    const found = new Map(rows.flatMap((row) => (row['id'] === null ? [] : [[toHex(bytes(row, 'id')), row] as const])))
    const sessions = sessionIds.map((id) => sessionOf(found.get(toHex(id))))
    return { sessions, grants: Number(rows[0]!['grants']) }
  }

  async addSession({ id, identity, adapter, expiresMs }: Session, perIdentity: number): Promise<void> {
    await this.#rows('INSERT INTO sentry_session VALUES ($1, $2, $3, $4)', [id, identity, adapter, expiresMs])
    await this.#rows(
      `DELETE FROM sentry_session WHERE identity = $1 AND id NOT IN
         (SELECT id FROM sentry_session WHERE identity = $1 ORDER BY expires_ms DESC, id LIMIT $2)`,
      [identity, perIdentity],
    )
  }

  async endSession(id: Uint8Array): Promise<boolean> {
    return (await this.#changed('DELETE FROM sentry_session WHERE id = $1', [id])) === 1
  }

  endSessionsOf(identity: string): Promise<number> {
    return this.#changed('DELETE FROM sentry_session WHERE identity = $1', [identity])
  }

  async forgetSessions(untilMs: number): Promise<number> {
    await this.#changed('DELETE FROM sentry_session WHERE expires_ms <= $1', [untilMs])
    return this.#count('SELECT count(*) FROM sentry_session')
  }

  async grantsFrom(index: number, count: number): Promise<readonly Uint8Array[]> {
    const sql = 'SELECT statement FROM sentry_grant WHERE idx >= $1 AND idx < $2 ORDER BY idx'
    return (await this.#rows(sql, [index, index + count])).map((row) => bytes(row, 'statement'))
  }

  async appendGrant(index: number, statement: Uint8Array): Promise<boolean> {
    // The primary key decides between two who saw the same length.
    const sql = `INSERT INTO sentry_grant SELECT $1, $2 WHERE (SELECT count(*) FROM sentry_grant) = $1
      ON CONFLICT DO NOTHING`
    return (await this.#changed(sql, [index, statement])) === 1
  }

  async document(did: string): Promise<string | undefined> {
    const [row] = await this.#rows('SELECT json FROM sentry_document WHERE did = $1', [did])
    return row?.['json'] as string | undefined
  }

  async putDocument(did: string, json: string): Promise<void> {
    const changed = await this.#changed(
      `INSERT INTO sentry_document SELECT $1, $2 WHERE (SELECT count(*) FROM sentry_document) < $3
         OR EXISTS (SELECT 1 FROM sentry_document WHERE did = $1)
       ON CONFLICT (did) DO UPDATE SET json = excluded.json`,
      [did, json, DOCUMENTS_MAX],
    )
    if (changed === 0) throw new SentryError({ code: 'sentry/busy', what: 'documents' })
  }

  async removeDocument(did: string): Promise<boolean> {
    return (await this.#changed('DELETE FROM sentry_document WHERE did = $1', [did])) === 1
  }

  async dids(after: string, count: number): Promise<readonly string[]> {
    const rows = await this.#rows('SELECT did FROM sentry_document WHERE did > $1 ORDER BY did LIMIT $2', [
      after,
      count,
    ])
    return rows.map((row) => row['did'] as string)
  }

  countDocuments(): Promise<number> {
    return this.#count('SELECT count(*) FROM sentry_document')
  }

  close(): Promise<void> {
    this.#closing ??= this.#pool.end()
    return this.#closing
  }

  async #rows(sql: string, values: readonly unknown[]): Promise<readonly Row[]> {
    return (await this.#query(sql, values)).rows
  }

  async #changed(sql: string, values: readonly unknown[]): Promise<number> {
    return (await this.#query(sql, values)).rowCount ?? 0
  }

  async #count(sql: string): Promise<number> {
    return Number((await this.#rows(sql, []))[0]!['count'])
  }

  async #query(sql: string, values: readonly unknown[]) {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#pool.query(sql, [...values])
      } catch (error) {
        const again = error instanceof DatabaseError && RETRY_CODES.has(error.code) && attempt < RETRIES_MAX
        if (!again) throw storageError(error)
      }
    }
  }
}

/** @internal */
export function storageError(error: unknown): SentryError {
  if (error instanceof SentryError) return error
  return new SentryError({ code: 'sentry/store', reason: (error as Error).message }, { cause: error })
}

function sessionOf(row: Row | undefined): Session | undefined {
  return (
    row && {
      id: bytes(row, 'id'),
      identity: row['identity'] as string,
      adapter: row['adapter'] as string,
      expiresMs: Number(row['expires_ms']),
    }
  )
}

function bytes(row: Row, name: string): Uint8Array {
  return new Uint8Array(row[name] as Uint8Array)
}
