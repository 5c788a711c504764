import type { Random } from '@nexus/crypto'
import type { ReticulumCrypto } from './crypto.ts'

/** What a node gets from its host: primitives, randomness, clocks, and to be woken. Called as functions, without `this`. */
export interface Ports {
  readonly crypto: ReticulumCrypto
  readonly random: Random
  /** Milliseconds of a clock that never goes back. */
  nowMs(): number
  /** Milliseconds since 1970: what announces and requests carry. */
  unixMs(): number
  /** The node wants its `tick` called at this time of {@link Ports.nowMs}; a later call replaces an earlier one. */
  wake(atMs: number): void
  /** A function of the caller's, such as a request handler, threw. */
  fault?(error: unknown): void
}

/** How calls that take time are bounded. */
export interface CallOptions {
  readonly signal?: AbortSignal
  readonly timeoutMs?: number
}
