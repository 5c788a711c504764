import type { Api } from '../api/api.ts'
import type { MessageStatus } from '../api/schemas.ts'
import type { Look, WatchItem } from '../api/watch.ts'
import { lookAt, outboxOf } from './look.ts'
import { type PageNode, viewsOf } from './page-node.ts'

const LOOK_MS = 1_000
/** A message that changed is shown so soon. */
const LOOK_SOON_MS = 100
/** An outbox in which nothing waits is read each so many looks. */
const OUTBOX_EVERY = 5
/** Events and messages that wait for a page which reads slowly; the node keeps the rest. */
const WAITING_MAX = 256

export interface WatchOptions {
  readonly nodes: () => readonly PageNode[]
  readonly about: Look['about']
  /** Name of the node to follow; the first one, where there is none of this name. */
  readonly selected: string | undefined
}

/** All that one page shows, as one stream, until `signal` aborts. */
export async function* watch(options: WatchOptions, signal: AbortSignal): AsyncGenerator<WatchItem> {
  const watching = new Watch(options, signal)
  try {
    yield* watching.items()
  } finally {
    watching.end()
  }
}

class Watch {
  readonly #options: WatchOptions
  readonly #signal: AbortSignal
  readonly #waiting: WatchItem[] = []
  /** Called, and forgotten, when something is waiting or has been taken. */
  readonly #wakers = new Set<() => void>()
  #followed: { readonly api: Api; readonly abort: AbortController } | undefined
  #lookAtMs = 0
  #looks = 0
  #outboxMatters = true

  constructor(options: WatchOptions, signal: AbortSignal) {
    this.#options = options
    this.#signal = signal
    signal.addEventListener('abort', () => this.#wake(), { once: true })
  }

  async *items(): AsyncGenerator<WatchItem> {
    while (!this.#signal.aborted) {
      while (this.#waiting.length > 0) {
        yield this.#waiting.shift() as WatchItem
        this.#wake()
      }
      const waitMs = this.#lookAtMs - performance.now()
      if (waitMs > 0) await this.#woken(waitMs)
      else yield { kind: 'look', look: await this.#look() }
    }
  }

  end(): void {
    this.#followed?.abort.abort()
    this.#followed = undefined
    this.#wake()
  }

  async #look(): Promise<Look> {
    this.#lookAtMs = performance.now() + LOOK_MS
    const { about } = this.#options
    const nodes = this.#options.nodes()
    const selected = nodes.find(({ name }) => name === this.#options.selected) ?? nodes[0]
    this.#follow(selected)
    const [looks, outbox] = await Promise.all([
      Promise.all(nodes.map((node) => lookAt(node, node === selected))),
      this.#outbox(selected),
    ])
    return {
      about,
      nodes: looks,
      ...(selected === undefined ? {} : { selected: selected.name }),
      ...(outbox === undefined ? {} : { outbox }),
    }
  }

  async #outbox(node: PageNode | undefined): Promise<readonly MessageStatus[] | undefined> {
    const api = node?.api()
    if (node === undefined || api === undefined || !viewsOf(node).includes('status')) return undefined
    if (!this.#outboxMatters && this.#looks++ % OUTBOX_EVERY !== 0) return undefined
    const outbox = await outboxOf(api)
    this.#outboxMatters = outbox?.some(({ state }) => state === 'queued' || state === 'sent') ?? true
    return outbox
  }

  /** Follows the streams of the node that is looked at; anew when it was away, or is another process by now. */
  #follow(node: PageNode | undefined): void {
    const api = node?.api()
    if (api === this.#followed?.api) return
    this.#followed?.abort.abort()
    this.#followed = undefined
    if (node === undefined || api === undefined) return
    const abort = new AbortController()
    this.#followed = { api, abort }
    this.#waiting.push({ kind: 'following', node: node.name })
    void this.#relay('events', api, abort)
    if (viewsOf(node).includes('status')) void this.#relay('listen', api, abort)
  }

  /** Hands on what a stream brings, no faster than it is read. */
  async #relay(method: 'events' | 'listen', api: Api, abort: AbortController): Promise<void> {
    const { signal } = abort
    try {
      if (method === 'events') {
        for await (const event of api.stream('events', { after: 0 }, signal)) {
          await this.#put({ kind: 'event', event }, signal)
          if (event.kind === 'message-state') this.#messageChanged()
        }
      } else {
        for await (const message of api.stream('listen', { take: false }, signal)) {
          await this.#put({ kind: 'message', message }, signal)
        }
      }
    } catch {
      // A node that goes away ends its streams as it may; the next look begins again.
    } finally {
      abort.abort()
      if (this.#followed?.abort === abort) this.#followed = undefined
    }
  }

  async #put(item: WatchItem, signal: AbortSignal): Promise<void> {
    while (this.#waiting.length >= WAITING_MAX && !signal.aborted) await this.#woken(LOOK_MS)
    if (signal.aborted) return
    this.#waiting.push(item)
    this.#wake()
  }

  #messageChanged(): void {
    this.#outboxMatters = true
    this.#lookAtMs = Math.min(this.#lookAtMs, performance.now() + LOOK_SOON_MS)
    this.#wake()
  }

  #wake(): void {
    const wakers = [...this.#wakers]
    this.#wakers.clear()
    for (const wake of wakers) wake()
  }

  #woken(withinMs: number): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(timer)
        this.#wakers.delete(end)
        resolve()
      }
      const timer = setTimeout(end, withinMs)
      this.#wakers.add(end)
    })
  }
}
