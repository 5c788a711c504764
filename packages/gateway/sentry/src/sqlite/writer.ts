import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { SentryError } from '../errors.ts'
import { DOCUMENTS_MAX } from '../limits.ts'
import type { Session, UsedNonce } from '../store.ts'

/** Rows that one transaction deletes: nobody waits long behind it. */
const FORGET_ROWS = 5_000

/** Everything that changes the database. Synchronous; it lives in a thread. */
export class SqliteWriter {
  readonly #db: DatabaseSync
  readonly #statements: ReturnType<typeof prepare>

  constructor(db: DatabaseSync) {
    this.#db = db
    this.#statements = prepare(db)
  }

  useNonces(nonces: readonly UsedNonce[]): boolean[] {
    const { memory, addNonce, countNonces } = this.#statements
    return this.#transaction(() => {
      const floorMs = Number(memory.get()!['nonce_floor_ms'])
      const fresh = nonces.map(
        ({ hash, untilMs }) => untilMs > floorMs && Number(addNonce.run(untilMs, hash).changes) === 1,
      )
      countNonces.run(fresh.filter(Boolean).length)
      return fresh
    })
  }

  /** A part of {@link FORGET_ROWS}; `more` as long as there are others. */
  forgetNonces(untilMs: number): { readonly more: boolean; readonly left: number } {
    const { raiseFloor, memory, oldNonces, countNonces } = this.#statements
    return this.#transaction(() => {
      raiseFloor.run(untilMs)
      const gone = Number(oldNonces.run(untilMs, FORGET_ROWS).changes)
      countNonces.run(-gone)
      return { more: gone === FORGET_ROWS, left: Number(memory.get()!['nonces']) }
    })
  }

  addSession({ id, identity, adapter, expiresMs }: Session, perIdentity: number): void {
    const { addSession, trimSessions } = this.#statements
    this.#transaction(() => {
      addSession.run(id, identity, adapter, expiresMs)
      trimSessions.run(identity, identity, perIdentity)
    })
  }

  endSession(id: Uint8Array): boolean {
    return Number(this.#statements.endSession.run(id).changes) === 1
  }

  endSessionsOf(identity: string): number {
    return Number(this.#statements.endSessionsOf.run(identity).changes)
  }

  forgetSessions(untilMs: number): number {
    this.#statements.oldSessions.run(untilMs)
    return Number(this.#statements.countSessions.get()!['count'])
  }

  appendGrant(index: number, statement: Uint8Array): boolean {
    return Number(this.#statements.appendGrant.run(index, statement, index).changes) === 1
  }

  putDocument(did: string, json: string): void {
    const { putDocument, hasDocument, countDocuments } = this.#statements
    this.#transaction(() => {
      const full = Number(countDocuments.get()!['count']) >= DOCUMENTS_MAX
      if (full && hasDocument.get(did) === undefined) throw new SentryError({ code: 'sentry/busy', what: 'documents' })
      putDocument.run(did, json)
    })
  }

  removeDocument(did: string): boolean {
    return Number(this.#statements.removeDocument.run(did).changes) === 1
  }

  close(): void {
    this.#db.close()
  }

  #transaction<T>(work: () => T): T {
    this.#db.exec('BEGIN IMMEDIATE')
    try {
      const result = work()
      this.#db.exec('COMMIT')
      return result
    } catch (error) {
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK')
      throw error
    }
  }
}

function prepare(db: DatabaseSync) {
  const sql = (text: string): StatementSync => db.prepare(text)
  return {
    memory: sql('SELECT nonce_floor_ms, nonces FROM memory'),
    raiseFloor: sql('UPDATE memory SET nonce_floor_ms = max(nonce_floor_ms, ?)'),
    countNonces: sql('UPDATE memory SET nonces = nonces + ?'),
    addNonce: sql('INSERT INTO nonce VALUES (?, ?) ON CONFLICT DO NOTHING'),
    oldNonces: sql(
      'DELETE FROM nonce WHERE (until_ms, hash) IN (SELECT until_ms, hash FROM nonce WHERE until_ms <= ? LIMIT ?)',
    ),
    addSession: sql('INSERT INTO session VALUES (?, ?, ?, ?)'),
    trimSessions: sql(
      `DELETE FROM session WHERE identity = ? AND id NOT IN
         (SELECT id FROM session WHERE identity = ? ORDER BY expires_ms DESC, id LIMIT ?)`,
    ),
    endSession: sql('DELETE FROM session WHERE id = ?'),
    endSessionsOf: sql('DELETE FROM session WHERE identity = ?'),
    oldSessions: sql('DELETE FROM session WHERE expires_ms <= ?'),
    countSessions: sql('SELECT count(*) AS count FROM session'),
    appendGrant: sql('INSERT INTO grant_log SELECT ?, ? WHERE (SELECT count(*) FROM grant_log) = ?'),
    putDocument: sql('INSERT INTO document VALUES (?, ?) ON CONFLICT DO UPDATE SET json = excluded.json'),
    hasDocument: sql('SELECT 1 FROM document WHERE did = ?'),
    countDocuments: sql('SELECT count(*) AS count FROM document'),
    removeDocument: sql('DELETE FROM document WHERE did = ?'),
  }
}
