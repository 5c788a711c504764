import { ReticulumError } from './errors.ts'

/** Items that wait for a slow reader; the oldest go first. */
export const FEED_ITEMS_MAX = 1_024

interface Subscriber<T> {
  take(item: T): void
  end(): void
}

/**
 * Events as they come: to functions at once, or to loops, each of which holds at most {@link FEED_ITEMS_MAX} that it has
 * not read yet. What comes before the first reader is kept up to `kept` items, for a reader who is about to begin.
 */
export class Feed<T> implements AsyncIterable<T> {
  readonly #subscribers = new Set<Subscriber<T>>()
  readonly #kept: T[] = []
  readonly #keptMax: number
  #ended = false
  #dropped = 0

  constructor(kept = 0) {
    this.#keptMax = kept
  }

  /** Items that no reader took in time. */
  get dropped(): number {
    return this.#dropped
  }

  /** Whether anyone listens. */
  get isHeard(): boolean {
    return this.#subscribers.size > 0
  }

  /** Calls `listener` with each item until the returned function is called. */
  subscribe(listener: (item: T) => void): () => void {
    const subscriber = { take: listener, end: () => {} }
    this.#subscribers.add(subscriber)
    for (const item of this.#kept.splice(0)) listener(item)
    return () => this.#subscribers.delete(subscriber)
  }

  /** The next item. @throws {ReticulumError} `reticulum/closed` where the feed ends first; what `signal` says */
  async first(options: { readonly signal?: AbortSignal } = {}): Promise<T> {
    for await (const item of this.#iterate(options.signal)) return item
    options.signal?.throwIfAborted()
    throw new ReticulumError({ code: 'reticulum/closed', what: 'a feed', why: 'it ended' })
  }

  /** Items from now on, until the feed ends or `signal` aborts, which ends the loop without an error. */
  async *values(options: { readonly signal?: AbortSignal } = {}): AsyncGenerator<T, void, undefined> {
    yield* this.#iterate(options.signal)
  }

  [Symbol.asyncIterator](): AsyncIterator<T> {
    return this.#iterate(undefined)
  }

  /** Hands an item to all who listen. */
  publish(item: T): void {
    if (this.#ended) return
    if (this.#subscribers.size === 0 && this.#keptMax > 0) {
      if (this.#kept.length >= this.#keptMax) this.#drop(this.#kept)
      this.#kept.push(item)
    }
    for (const subscriber of this.#subscribers) subscriber.take(item)
  }

  /** No more will come: loops end once they have read what waits. */
  end(): void {
    this.#ended = true
    for (const subscriber of this.#subscribers) subscriber.end()
    this.#subscribers.clear()
  }

  #drop(items: T[]): void {
    items.shift()
    this.#dropped++
  }

  #iterate(signal: AbortSignal | undefined): AsyncGenerator<T, void, undefined> {
    const waiting: T[] = this.#kept.splice(0)
    let wake: () => void = () => {}
    let ended = this.#ended || signal?.aborted === true
    const subscriber: Subscriber<T> = {
      take: (item) => {
        if (waiting.length >= FEED_ITEMS_MAX) this.#drop(waiting)
        waiting.push(item)
        wake()
      },
      end: () => {
        ended = true
        wake()
      },
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
          while (waiting.length > 0) yield waiting.shift() as T
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
