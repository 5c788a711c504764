import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { rnsPython } from './python.ts'

const WAIT_MS = 30_000

/** A line that the peer program prints. */
export interface PeerEvent {
  readonly event: string
  // biome-ignore lint/suspicious/noExplicitAny: each event has fields of its own, which the tests look at
  readonly [field: string]: any
}

/** A live Reticulum in a process of its own. */
export class Peer {
  readonly events: PeerEvent[] = []
  readonly exit: Promise<number | null>
  readonly #child: ChildProcess
  readonly #waiting = new Set<() => void>()
  #errors = ''

  private constructor(child: ChildProcess) {
    this.#child = child
    child.stderr!.on('data', (chunk) => {
      this.#errors = (this.#errors + chunk).slice(-4_000)
    })
    createInterface({ input: child.stdout! }).on('line', (line) => {
      this.events.push(JSON.parse(line))
      for (const look of [...this.#waiting]) look()
    })
    this.exit = new Promise((resolve) => {
      child.once('close', (code) => {
        resolve(code)
        for (const look of [...this.#waiting]) look()
      })
    })
  }

  /** Starts the program and waits until it is ready. */
  static async start(...args: readonly string[]): Promise<Peer> {
    return Peer.run('rns_peer.py', ...args)
  }

  /** The same with another program beside this one. */
  static async run(program: string, ...args: readonly string[]): Promise<Peer> {
    const script = fileURLToPath(new URL(program, import.meta.url))
    return Peer.spawn(await rnsPython(), script, ...args, '--exit-with-stdin')
  }

  /** The same with any command that prints such lines, and ends with its standard input. */
  static async spawn(command: string, ...args: readonly string[]): Promise<Peer> {
    const peer = new Peer(spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'] }))
    await peer.event('ready')
    return peer
  }

  /** Address of the nth interface that listens. */
  address(nth = 0): string {
    const { host, port } = this.#ready['listening'][nth]
    return `${host}:${port}`
  }

  get destination(): Uint8Array {
    return Uint8Array.from(Buffer.from(this.#ready['destination'], 'hex'))
  }

  get #ready(): PeerEvent {
    return this.events.find(({ event }) => event === 'ready') as PeerEvent
  }

  /** The first event of this name that `fits`, already come or to come. */
  async event(name: string, fits: (event: PeerEvent) => boolean = () => true, waitMs = WAIT_MS): Promise<PeerEvent> {
    const find = () => this.events.find((event) => event.event === name && fits(event))
    const found = find()
    if (found !== undefined) return found
    return new Promise((resolve, reject) => {
      const finish = (act: () => void) => {
        clearTimeout(limit)
        this.#waiting.delete(look)
        act()
      }
      const look = () => {
        const event = find()
        if (event !== undefined) finish(() => resolve(event))
        else if (this.#child.exitCode !== null) finish(() => reject(this.#failure(`ended before ${name}`)))
      }
      const limit = setTimeout(() => finish(() => reject(this.#failure(`no ${name}`))), waitMs)
      this.#waiting.add(look)
    })
  }

  /** A line for programs that read commands. */
  tell(command: object): void {
    this.#child.stdin!.write(`${JSON.stringify(command)}\n`)
  }

  async stop(): Promise<void> {
    this.#child.stdin!.end()
    const limit = setTimeout(() => this.#child.kill('SIGKILL'), 5_000)
    await this.exit
    clearTimeout(limit)
  }

  /** Resolves when the program has ended by itself, as it does when it has done what it was asked for. */
  async done(): Promise<PeerEvent> {
    const code = await this.exit
    const result = this.events.find(({ event }) => event === 'result')
    if (code !== 0) throw this.#failure(`exit code ${code}`)
    return result as PeerEvent
  }

  #failure(why: string): Error {
    const last = this.events.slice(-12).map((event) => JSON.stringify(event).slice(0, 300))
    return new Error(`the peer: ${why}\n${last.join('\n')}\n${this.#errors}`)
  }
}
