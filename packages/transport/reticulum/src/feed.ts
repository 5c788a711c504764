import { ReticulumError } from './errors.ts'

/** Items that wait for a slow reader, and their bytes; the oldest go first. */
export const FEED_ITEMS_MAX = 1_024
export const FEED_BYTES_MAX: number = 1024 * 1024

interface Subscriber<T> {
  take(item: T): void
  end(): void
  /** What a loop has not read yet; nothing waits for a function. */
  readonly waiting?: Waiting<T>
}

/** Items in their order, and how many bytes they are. */
class Waiting<T> {
  readonly items: T[] = []
  readonly #bytesOf: (item: T) => number
  #bytes = 0

  constructor(bytesOf: (item: T) => number) {
    this.#bytesOf = bytesOf
  }

  get bytes(): number {
    return this.#bytes
  }

  push(item: T): void {
    this.items.push(item)
    this.#bytes += this.#bytesOf(item)
  }

  shift(): T {
    const item = this.items.shift() as T
    this.#bytes -= this.#bytesOf(item)
    return item
  }
}

/**
 * Events as they come: to functions at once, or to loops, each of which holds at most {@link FEED_ITEMS_MAX} that it has
 * not read yet, and some bytes with one item above them. What comes before the first reader is kept up to `kept` items, for
 * a reader who is about to begin.
 */
export class Feed<T> implements AsyncIterable<T> {
  readonly #subscribers = new Set<Subscriber<T>>()
  readonly #keptMax: number
  readonly #bytesOf: (item: T) => number
  readonly #bytesMax: number
  #kept: Waiting<T>
  #ended = false
  #dropped = 0

  /** @param bytesOf what of an item counts towards `bytesMax`, the same each time it is asked; default nothing */
  constructor(kept = 0, bytesOf: (item: T) => number = () => 0, bytesMax: number = FEED_BYTES_MAX) {
    this.#keptMax = kept
    this.#bytesOf = bytesOf
    this.#bytesMax = bytesMax
    this.#kept = new Waiting(bytesOf)
  }

  /** Items that no reader took in time. */
  get dropped(): number {
    return this.#dropped
  }

  /** Whether anyone listens. */
  get isHeard(): boolean {
    return this.#subscribers.size > 0
  }

  /** Bytes that wait for the slowest loop, or for the first reader. */
  get waitingBytes(): number {
    return this.#waits().reduce((most, { bytes }) => Math.max(most, bytes), 0)
  }

  /** Half of what may wait does: who sends reliably should be kept waiting. Before the first reader never. */
  get isBusy(): boolean {
    return [...this.#subscribers].some(
      ({ waiting }) =>
        waiting !== undefined && (waiting.items.length >= FEED_ITEMS_MAX / 2 || waiting.bytes >= this.#bytesMax / 2),
    )
  }

  /** Calls `listener` with each item until the returned function is called. */
  subscribe(listener: (item: T) => void): () => void {
    const subscriber = { take: listener, end: () => {} }
    this.#subscribers.add(subscriber)
    for (const item of this.#takeKept().items) listener(item)
    return () => this.#subscribers.delete(subscriber)
  }

  /** The next item. @throws {ReticulumError} `reticulum/closed` where the feed ends first; what `signal` says */
  async first(options: { readonly signal?: AbortSignal } = {}): Promise<T> {
    for await (const item of this.#iterate(options.signal)) return item
    options.signal?.throwIfAborted()
    throw new ReticulumError({ code: 'reticulum/closed', what: 'a feed', why: 'it ended' })
  }

  /** Items from now on, until the feed ends or `signal` aborts, which ends the loop without an error. */
  values(options: { readonly signal?: AbortSignal } = {}): AsyncGenerator<T, void, undefined> {
    return this.#iterate(options.signal)
  }

  [Symbol.asyncIterator](): AsyncIterator<T> {
    return this.#iterate(undefined)
  }

  /** Hands an item to all who listen. */
  publish(item: T): void {
    if (this.#ended) return
    if (this.#subscribers.size === 0 && this.#keptMax > 0) this.#hold(this.#kept, item, this.#keptMax)
    for (const subscriber of this.#subscribers) subscriber.take(item)
  }

  /** No more will come: loops end once they have read what waits. */
  end(): void {
    this.#ended = true
    for (const subscriber of this.#subscribers) subscriber.end()
    this.#subscribers.clear()
  }

  #hold(waiting: Waiting<T>, item: T, itemsMax: number): void {
    while (waiting.items.length >= itemsMax || waiting.bytes >= this.#bytesMax) {
      waiting.shift()
      this.#dropped++
    }
    waiting.push(item)
  }

  #waits(): Waiting<T>[] {
    return [this.#kept, ...[...this.#subscribers].flatMap(({ waiting }) => waiting ?? [])]
  }

  #takeKept(): Waiting<T> {
    const kept = this.#kept
    this.#kept = new Waiting(this.#bytesOf)
    return kept
  }

  #iterate(signal: AbortSignal | undefined): AsyncGenerator<T, void, undefined> {
    const waiting = this.#takeKept()
    let wake: () => void = () => {}
    let ended = this.#ended || signal?.aborted === true
    const subscriber: Subscriber<T> = {
      take: (item) => {
        this.#hold(waiting, item, FEED_ITEMS_MAX)
        wake()
      },
      end: () => {
        ended = true
        wake()
      },
      waiting,
    }
    if (!ended) this.#subscribers.add(subscriber)
    signal?.addEventListener('abort', subscriber.end)
    const finish = () => {
      this.#subscribers.delete(subscriber)
      signal?.removeEventListener('abort', subscriber.end)
    }
    return (async function* () {
      try {
        for (;;) {
          while (waiting.items.length > 0) yield waiting.shift()
          if (ended) return
          await new Promise<void>((resolve) => {
            wake = resolve
          })
        }
      } finally {
        finish()
      }
    })()
  }
}
