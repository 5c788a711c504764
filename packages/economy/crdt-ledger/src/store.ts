/**
 * Where a replica keeps what must survive: synchronous, and durable when `put` and `delete` return. One call is one
 * atomic step; `atomically` may make one step of several, and one flush.
 */
export interface Store {
  get(key: string): Uint8Array | undefined
  put(key: string, value: Uint8Array): void
  delete(key: string): void
  /** All entries whose key begins with `prefix`, in any order. */
  entries(prefix: string): Iterable<[string, Uint8Array]>
  atomically<T>(work: () => T): T
}

/** A store in memory, for simulations, tests and nodes that are to forget. */
export class MemoryStore implements Store {
  readonly #entries = new Map<string, Uint8Array>()

  get(key: string): Uint8Array | undefined {
    return this.#entries.get(key)?.slice()
  }

  put(key: string, value: Uint8Array): void {
    this.#entries.set(key, value.slice())
  }

  delete(key: string): void {
    this.#entries.delete(key)
  }

  *entries(prefix: string): Iterable<[string, Uint8Array]> {
    for (const [key, value] of this.#entries) if (key.startsWith(prefix)) yield [key, value.slice()]
  }

  atomically<T>(work: () => T): T {
    return work()
  }
}
