import type { Store as MessengerStore } from '@nexus/session'

export { MemoryStore } from '@nexus/session'

/**
 * What must outlive a crash, by key. `put` and `delete` are durable when they return; inside `atomically` all or nothing
 * is. Keys are short ASCII paths such as `outbox/0000000000000001`.
 */
export interface Store extends MessengerStore {
  /** Entries whose key begins with `prefix`, in key order. */
  entries(prefix: string): Iterable<[string, Uint8Array]>
  /** Runs `work` so that all of its writes become durable together, with one flush. */
  atomically<T>(work: () => T): T
}
