/**
 * Where a messenger keeps what must survive: synchronous, and durable when `put` and `delete` return. One call is one atomic
 * step; nothing is assumed of two. The keys of a messenger begin with the prefix it was given.
 */
export interface Store {
  get(key: string): Uint8Array | undefined
  put(key: string, value: Uint8Array): void
  delete(key: string): void
  /** All entries whose key begins with `prefix`, in any order. */
  entries(prefix: string): Iterable<[string, Uint8Array]>
}

/** A store in memory, for browsers without storage, simulations and tests. */
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

  /** In the order of the keys. */
  entries(prefix: string): [string, Uint8Array][] {
    return [...this.#entries]
      .filter(([key]) => key.startsWith(prefix))
      .map(([key, value]): [string, Uint8Array] => [key, value.slice()])
      .sort(([a], [b]) => (a < b ? -1 : 1))
  }

  /** Nothing here can be torn: for hosts whose store has transactions. */
  atomically<T>(work: () => T): T {
    return work()
  }
}

/** The key of a record that is named by a number, so that keys sort as the numbers do. */
export function numberedKey(prefix: string, value: bigint): string {
  return prefix + value.toString(16).padStart(16, '0')
}
