import type { ServerResponse } from 'node:http'
import { type LedgerEntry, PAGE_ENTRIES_MAX, type Vault } from '@nexus/vault'
import { STREAM_BEAT_MS, STREAM_POLL_MS, STREAM_STALL_MS, STREAMS_MAX } from '../limits.ts'
import { ProblemError, problemOf } from './problem.ts'
import { entryJson } from './schemas.ts'

/** A stream as its reader asked for it. */
export interface StreamOptions {
  /** Index of the first entry to send. */
  readonly from: number
  /** Whether its reader still may read, as the database has it now. */
  readonly isAllowed: () => Promise<boolean>
}

/**
 * Streams of ledger events (server-sent events): each entry after its commit, in order, none twice and none left out;
 * the event's id is the index, by which a reader resumes. One look at the ledger serves all streams.
 */
export class Streams {
  readonly #vault: Pick<Vault, 'entries' | 'head' | 'onGrowth'>
  readonly #open = new Set<Stream>()
  readonly #unsubscribe: () => void
  readonly #poll: NodeJS.Timeout
  #size = 0
  #looking = false

  constructor(vault: Pick<Vault, 'entries' | 'head' | 'onGrowth'>) {
    this.#vault = vault
    this.#unsubscribe = vault.onGrowth((size) => this.#grown(size))
    // Other gateways may write to the same ledger.
    this.#poll = setInterval(() => void this.#look(), STREAM_POLL_MS).unref()
  }

  get count(): number {
    return this.#open.size
  }

  /** Takes a response over and sends events until either end closes it. @throws {ProblemError} 503 */
  open(response: ServerResponse, options: StreamOptions): void {
    // Its reader left while it was looked at: no event would ever tell of that again.
    if (response.destroyed || response.closed) return
    if (this.#open.size >= STREAMS_MAX) {
      throw new ProblemError(problemOf(503, 'http/streams', `${STREAMS_MAX} streams are open`), { retryAfterS: 5 })
    }
    response.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      // Proxies that collect an answer before they pass it on would hold events back.
      'x-accel-buffering': 'no',
    })
    response.write(': ledger events\n\n')
    const stream = new Stream(response, this.#vault, options)
    this.#open.add(stream)
    response.once('close', () => {
      stream.end()
      this.#open.delete(stream)
    })
    if (this.#size > options.from) stream.advance(this.#size)
    void this.#look()
  }

  close(): void {
    this.#unsubscribe()
    clearInterval(this.#poll)
    for (const stream of this.#open) stream.end()
  }

  async #look(): Promise<void> {
    if (this.#open.size === 0 || this.#looking) return
    this.#looking = true
    try {
      this.#grown((await this.#vault.head())?.size ?? 0)
    } catch {
      // A database that is away now is asked again in a moment; streams stay open.
    } finally {
      this.#looking = false
    }
  }

  #grown(size: number): void {
    if (size <= this.#size) return
    this.#size = size
    for (const stream of this.#open) stream.advance(size)
  }
}

class Stream {
  readonly #response: ServerResponse
  readonly #vault: Pick<Vault, 'entries'>
  readonly #isAllowed: () => Promise<boolean>
  readonly #beat: NodeJS.Timeout
  #next: number
  #size = 0
  #sending = false
  #ended = false

  constructor(response: ServerResponse, vault: Pick<Vault, 'entries'>, { from, isAllowed }: StreamOptions) {
    this.#response = response
    this.#vault = vault
    this.#isAllowed = isAllowed
    this.#next = from
    this.#beat = setInterval(() => void this.#live(), STREAM_BEAT_MS).unref()
  }

  /** Tells of the log's size; what is new goes out. */
  advance(size: number): void {
    this.#size = Math.max(this.#size, size)
    if (this.#sending || this.#ended) return
    // Whoever reads comes back with the id of the last event that it has.
    this.#send().catch(() => this.end())
  }

  end(): void {
    if (this.#ended) return
    this.#ended = true
    clearInterval(this.#beat)
    if (this.#response.destroyed) return
    // A reader that takes nothing in would never see the end, nor let go of the connection.
    const stalled = setTimeout(() => this.#response.destroy(), STREAM_STALL_MS).unref()
    this.#response.once('close', () => clearTimeout(stalled))
    this.#response.end()
  }

  async #send(): Promise<void> {
    this.#sending = true
    try {
      while (this.#next < this.#size && !this.#ended) {
        const entries = await this.#vault.entries(this.#next, Math.min(this.#size - this.#next, PAGE_ENTRIES_MAX))
        if (entries.length === 0 || this.#ended) return
        if (!(await this.#isAllowed())) return this.end()
        if (this.#ended) return
        this.#next = entries.at(-1)!.index + 1
        await this.#put(entries.map(eventOf).join(''))
      }
    } finally {
      this.#sending = false
    }
  }

  /** A sign of life to whom still may read; where the database cannot tell, none, until it can. */
  async #live(): Promise<void> {
    if (this.#sending || this.#ended) return
    this.#sending = true
    try {
      const allowed = await this.#isAllowed()
      if (this.#ended) return
      if (!allowed) return this.end()
      await this.#put(': alive\n\n')
    } catch {
      return
    } finally {
      this.#sending = false
    }
    this.advance(this.#size)
  }

  /** Writes, and waits until the reader has taken in what was written, but not for ever. */
  #put(text: string): Promise<void> | void {
    const response = this.#response
    if (response.destroyed || response.write(text) || response.destroyed) return
    return new Promise((resolve) => {
      const stalled = setTimeout(() => response.destroy(), STREAM_STALL_MS)
      const done = (): void => {
        clearTimeout(stalled)
        response.off('drain', done)
        response.off('close', done)
        resolve()
      }
      response.once('drain', done)
      response.once('close', done)
    })
  }
}

function eventOf(entry: LedgerEntry): string {
  return `id: ${entry.index}\nevent: entry\ndata: ${JSON.stringify(entryJson(entry))}\n\n`
}
