import { Worker } from 'node:worker_threads'
import { VaultError } from '../errors.ts'
import type { LedgerEntry } from '../log/entry.ts'
import type { SignedTreeHead } from '../log/head.ts'
import type { Frontier } from '../log/tree.ts'
import type { AccountTotals, Append, Person } from '../plan.ts'
import type { Committed, VaultStore } from '../store.ts'
import type { WriterAnswer, WriterData, WriterResult, WriterTask } from './messages.ts'
import type { SqliteReader } from './reader.ts'

type Task = WriterTask extends infer T ? (T extends unknown ? Omit<T, 'no'> : never) : never

interface Pending {
  readonly resolve: (result: WriterResult) => void
  readonly reject: (error: VaultError) => void
}

/** A ledger in one SQLite file: a thread writes, this connection reads. */
export class SqliteStore implements VaultStore {
  readonly #reader: SqliteReader
  readonly #lock: Disposable
  readonly #worker: Worker
  readonly #pending = new Map<number, Pending>()
  #no = 0
  readonly #onFailure: (error: VaultError) => void
  #failed: VaultError | undefined
  #closing = false

  constructor(
    reader: SqliteReader,
    lock: Disposable,
    data: WriterData,
    onFailure: (error: VaultError) => void = () => {},
  ) {
    this.#reader = reader
    this.#lock = lock
    this.#onFailure = onFailure
    this.#worker = startWriter(data)
    this.#worker.on('message', (answer: WriterAnswer) => this.#settle(answer))
    this.#worker.on('error', (error: Error) => this.#fail(error.message))
    this.#worker.on('exit', () => this.#fail('the writing thread ended'))
  }

  get logId(): Uint8Array {
    return this.#reader.logId
  }

  get publicKey(): Uint8Array {
    return this.#reader.publicKey
  }

  async commit(batch: readonly Append[], nowMs: number): Promise<Committed> {
    return (await this.#ask({ kind: 'commit', batch, nowMs })) as Committed
  }

  async erase(identity: string): Promise<boolean> {
    return (await this.#ask({ kind: 'erase', identity })) as boolean
  }

  head(): Promise<SignedTreeHead | undefined> {
    return this.#reader.head()
  }

  headOf(index: number): Promise<SignedTreeHead | undefined> {
    return this.#reader.headOf(index)
  }

  entries(from: number, count: number): Promise<readonly LedgerEntry[]> {
    return this.#reader.entries(from, count)
  }

  entriesOf(...place: Parameters<VaultStore['entriesOf']>): Promise<readonly LedgerEntry[]> {
    return this.#reader.entriesOf(...place)
  }

  nodes(level: number, from: number, count: number): Promise<readonly Uint8Array[]> {
    return this.#reader.nodes(level, from, count)
  }

  frontier(): Promise<Frontier> {
    return this.#reader.frontier()
  }

  people(after: string, count: number): Promise<(Person & { readonly identity: string })[]> {
    return this.#reader.people(after, count)
  }

  person(identity: string): Promise<Person | undefined> {
    return this.#reader.person(identity)
  }

  totalsOf(pseudonym: Uint8Array): Promise<AccountTotals | undefined> {
    return this.#reader.totalsOf(pseudonym)
  }

  ledgerTotals(): Promise<AccountTotals> {
    return this.#reader.ledgerTotals()
  }

  accounts(after: Uint8Array, count: number): Promise<(AccountTotals & { readonly pseudonym: Uint8Array })[]> {
    return this.#reader.accounts(after, count)
  }

  async close(): Promise<void> {
    this.#closing = true
    const ended = new Promise((resolve) => this.#worker.once('exit', resolve))
    try {
      if (this.#failed === undefined) await Promise.all([this.#ask({ kind: 'close' }), ended])
    } finally {
      await this.#reader.close()
      this.#lock[Symbol.dispose]()
    }
  }

  #ask(task: Task): Promise<WriterResult> {
    return new Promise((resolve, reject) => {
      if (this.#failed !== undefined) throw this.#failed
      const no = this.#no++
      this.#pending.set(no, { resolve, reject })
      this.#worker.postMessage({ ...task, no })
    })
  }

  #settle(answer: WriterAnswer): void {
    const pending = this.#pending.get(answer.no)
    this.#pending.delete(answer.no)
    if ('refused' in answer) pending?.reject(new VaultError(answer.refused))
    else pending?.resolve(answer.result)
  }

  /** What the thread had in hand when it ended may or may not be on the disk. */
  #fail(reason: string): void {
    if (this.#failed !== undefined) return
    this.#failed = new VaultError({ code: 'vault/storage', reason })
    for (const { reject } of this.#pending.values()) reject(new VaultError({ code: 'vault/outcome-unknown' }))
    this.#pending.clear()
    if (!this.#closing) this.#onFailure(this.#failed)
  }
}

/** The thread runs from its source where this module does. */
function startWriter(workerData: WriterData): Worker {
  if (!import.meta.url.endsWith('.ts'))
    return new Worker(new URL('./sqlite/thread.js', import.meta.url), { workerData })
  const execArgv = ['--conditions=nexus-source', '--disable-warning=ExperimentalWarning']
  return new Worker(new URL('thread.ts', import.meta.url), { workerData, execArgv })
}
