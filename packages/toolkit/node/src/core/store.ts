/**
 * What must outlive a crash, by key. `put` and `delete` are durable when they return; inside `atomically` all or nothing
 * is. Keys are short ASCII paths such as `outbox/0000000000000001`.
 */
export interface Store {
  get(key: string): Uint8Array | undefined
  put(key: string, value: Uint8Array): void
  delete(key: string): void
  /** Entries whose key begins with `prefix`, in key order. */
  entries(prefix: string): Iterable<[string, Uint8Array]>
  /** Runs `work` so that all of its writes become durable together, with one flush. */
  atomically<T>(work: () => T): T
}

/** A store in memory: tests, simulations, nodes that are to forget. */
export class MemoryStore implements Store {
  readonly #values = new Map<string, Uint8Array>()

  get(key: string): Uint8Array | undefined {
    return this.#values.get(key)
  }

  put(key: string, value: Uint8Array): void {
    this.#values.set(key, value.slice())
  }

  delete(key: string): void {
    this.#values.delete(key)
  }

  entries(prefix: string): [string, Uint8Array][] {
    return [...this.#values].filter(([key]) => key.startsWith(prefix)).sort(([a], [b]) => (a < b ? -1 : 1))
  }

  atomically<T>(work: () => T): T {
    return work()
  }
}
