import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** A child process that answers calls: one message in, one out, by number. */
export class Remote {
  readonly child: ChildProcess
  readonly exited: Promise<number | null>
  readonly #waiting = new Map<number, { resolve(value: never): void; reject(error: Error): void }>()
  #next = 1

  /** Starts `file`, which lies beside this one, with `settings` as its argument, under `flags` for Node.js. */
  constructor(file: string, settings: unknown, flags: readonly string[] = []) {
    this.child = fork(fileURLToPath(new URL(file, import.meta.url)), [JSON.stringify(settings)], {
      execArgv: ['--conditions=nexus-source', '--expose-gc', '--disable-warning=ExperimentalWarning', ...flags],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    })
    this.child.on('message', ({ id, value }: { id: number; value: never }) => {
      this.#waiting.get(id)?.resolve(value)
      this.#waiting.delete(id)
    })
    this.exited = new Promise((resolve) => {
      this.child.on('exit', (code) => {
        for (const { reject } of this.#waiting.values()) reject(new Error(`${file} ended with ${code}`))
        this.#waiting.clear()
        resolve(code)
      })
    })
  }

  get isUp(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null
  }

  call<T>(name: string, argument?: unknown): Promise<T> {
    if (!this.isUp) return Promise.reject(new Error('the process is gone'))
    const id = this.#next++
    return new Promise<T>((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject })
      this.child.send({ id, name, argument })
    })
  }

  async kill(): Promise<void> {
    this.child.kill('SIGKILL')
    await this.exited
  }
}

/** The other side: serves calls in the child, and ends when the parent is gone. */
export function serve(methods: Record<string, (argument: never) => unknown>): void {
  process.on('disconnect', () => process.exit(0))
  process.on('message', async ({ id, name, argument }: { id: number; name: string; argument: never }) => {
    process.send!({ id, value: await methods[name]!(argument) })
  })
}

export const settingsOf = <T>(): T => JSON.parse(process.argv[2]!) as T

/** What a process holds after several collections. */
export interface Memory {
  /** Of the heap, in use. */
  readonly heapBytes: number
  /** Resident, of the whole process. */
  readonly rssBytes: number
}

export async function memory(): Promise<Memory> {
  for (let turn = 0; turn < 4; turn++) {
    globalThis.gc!()
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  const { heapUsed, rss } = process.memoryUsage()
  return { heapBytes: heapUsed, rssBytes: rss }
}
