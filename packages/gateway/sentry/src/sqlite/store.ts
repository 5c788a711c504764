import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { Worker } from 'node:worker_threads'
import { SentryError } from '../errors.ts'
import type { DidDocumentStore, Look, SentryStore, Session, UsedNonce } from '../store.ts'
import type { WriterAnswer, WriterCall, WriterData, WriterMethod } from './messages.ts'
import type { SqliteWriter } from './writer.ts'

interface Pending {
  readonly resolve: (result: never) => void
  readonly reject: (error: SentryError) => void
}

type Row = Readonly<Record<string, unknown>>

/** What a sentry remembers in one SQLite file: a thread writes, this connection reads. */
export class SqliteSentryStore implements SentryStore, DidDocumentStore {
  readonly #db: DatabaseSync
  readonly #statements: ReturnType<typeof prepare>
  readonly #worker: Worker
  readonly #pending = new Map<number, Pending>()
  #no = 0
  #failed: SentryError | undefined

  constructor(db: DatabaseSync, data: WriterData) {
    this.#db = db
    this.#statements = prepare(db)
    this.#worker = startWriter(data)
    this.#worker.on('message', (answer: WriterAnswer) => this.#settle(answer))
    this.#worker.on('error', (error: Error) => this.#fail(error.message))
    this.#worker.on('exit', () => this.#fail('the writing thread ended'))
  }

  useNonces(nonces: readonly UsedNonce[]): Promise<readonly boolean[]> {
    return this.#call('useNonces', nonces)
  }

  async forgetNonces(untilMs: number): Promise<number> {
    for (;;) {
      const { more, left } = await this.#call('forgetNonces', untilMs)
      if (!more) return left
    }
  }

  async look(sessionIds: readonly Uint8Array[]): Promise<Look> {
    return this.#read(({ session, grants }) => ({
      sessions: sessionIds.map((id) => sessionOf(session.get(id))),
      grants: Number(grants.get()!['count']),
    }))
  }

  addSession(session: Session, perIdentity: number): Promise<void> {
    return this.#call('addSession', session, perIdentity)
  }

  endSession(id: Uint8Array): Promise<boolean> {
    return this.#call('endSession', id)
  }

  endSessionsOf(identity: string): Promise<number> {
    return this.#call('endSessionsOf', identity)
  }

  forgetSessions(untilMs: number): Promise<number> {
    return this.#call('forgetSessions', untilMs)
  }

  async grantsFrom(index: number, count: number): Promise<readonly Uint8Array[]> {
    return this.#read(({ statements }) =>
      statements.all(index, index + count).map((row) => new Uint8Array(row['statement'] as Uint8Array)),
    )
  }

  appendGrant(index: number, statement: Uint8Array): Promise<boolean> {
    return this.#call('appendGrant', index, statement)
  }

  async document(did: string): Promise<string | undefined> {
    return this.#read(({ document }) => document.get(did)?.['json'] as string | undefined)
  }

  putDocument(did: string, json: string): Promise<void> {
    return this.#call('putDocument', did, json)
  }

  removeDocument(did: string): Promise<boolean> {
    return this.#call('removeDocument', did)
  }

  async dids(after: string, count: number): Promise<readonly string[]> {
    return this.#read(({ dids }) => dids.all(after, count).map((row) => row['did'] as string))
  }

  async countDocuments(): Promise<number> {
    return this.#read(({ documents }) => Number(documents.get()!['count']))
  }

  async close(): Promise<void> {
    if (this.#failed === undefined) {
      const ended = new Promise((resolve) => this.#worker.once('exit', resolve))
      await Promise.all([this.#call('close'), ended])
    }
    if (this.#db.isOpen) this.#db.close()
  }

  #call<Name extends WriterMethod>(
    method: Name,
    ...args: Parameters<SqliteWriter[Name]>
  ): Promise<ReturnType<SqliteWriter[Name]>> {
    return new Promise((resolve, reject) => {
      if (this.#failed !== undefined) throw this.#failed
      const no = this.#no++
      this.#pending.set(no, { resolve, reject })
      const call: WriterCall = { no, method, args }
      this.#worker.postMessage(call)
    })
  }

  #read<T>(work: (statements: ReturnType<typeof prepare>) => T): T {
    try {
      return work(this.#statements)
    } catch (error) {
      throw storageError(error)
    }
  }

  #settle(answer: WriterAnswer): void {
    const pending = this.#pending.get(answer.no)
    this.#pending.delete(answer.no)
    if ('refused' in answer) pending?.reject(new SentryError(answer.refused))
    else pending?.resolve(answer.result as never)
  }

  #fail(reason: string): void {
    this.#failed ??= new SentryError({ code: 'sentry/store', reason })
    for (const { reject } of this.#pending.values()) reject(this.#failed)
    this.#pending.clear()
  }
}

/** @internal */
export function storageError(error: unknown): SentryError {
  if (error instanceof SentryError) return error
  return new SentryError({ code: 'sentry/store', reason: (error as Error).message }, { cause: error })
}

function prepare(db: DatabaseSync) {
  const sql = (text: string): StatementSync => db.prepare(text)
  return {
    session: sql('SELECT * FROM session WHERE id = ?'),
    grants: sql('SELECT coalesce(max(idx) + 1, 0) AS count FROM grant_log'),
    statements: sql('SELECT statement FROM grant_log WHERE idx >= ? AND idx < ? ORDER BY idx'),
    document: sql('SELECT json FROM document WHERE did = ?'),
    dids: sql('SELECT did FROM document WHERE did > ? ORDER BY did LIMIT ?'),
    documents: sql('SELECT count(*) AS count FROM document'),
  }
}

function sessionOf(row: Row | undefined): Session | undefined {
  return (
    row && {
      id: new Uint8Array(row['id'] as Uint8Array),
      identity: row['identity'] as string,
      adapter: row['adapter'] as string,
      expiresMs: Number(row['expires_ms']),
    }
  )
}

/** The thread runs from its source where this module does. */
function startWriter(workerData: WriterData): Worker {
  if (!import.meta.url.endsWith('.ts'))
    return new Worker(new URL('./sqlite/thread.js', import.meta.url), { workerData })
  const execArgv = ['--conditions=nexus-source', '--disable-warning=ExperimentalWarning']
  return new Worker(new URL('thread.ts', import.meta.url), { workerData, execArgv })
}
