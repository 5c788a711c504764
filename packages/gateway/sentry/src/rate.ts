import { SentryError } from './errors.ts'
import { BUCKETS_MAX } from './limits.ts'

/** How many requests somebody may make. */
export interface Rate {
  /** Tokens that come back in a second. */
  readonly perSecond: number
  /** Tokens that a rested bucket holds. */
  readonly burst: number
}

interface Bucket {
  tokens: number
  atMs: number
}

/**
 * Token buckets by name, {@link BUCKETS_MAX} at most. The one that was touched longest ago makes room: whoever could
 * gain a fresh bucket by that has as many names as the table has places, and so as many fresh buckets anyway.
 */
export class RateTable {
  readonly #rate: Rate
  readonly #buckets = new Map<string, Bucket>()

  /** @throws {RangeError} unless both figures are above 0 */
  constructor(rate: Rate) {
    if (!(rate.perSecond > 0 && rate.burst >= 1)) throw new RangeError('a rate of nothing')
    this.#rate = rate
  }

  get size(): number {
    return this.#buckets.size
  }

  /** Takes a token. @throws {SentryError} `sentry/rate` where there is none */
  take(name: string, nowMs: number): void {
    const { perSecond, burst } = this.#rate
    const bucket = this.#buckets.get(name) ?? { tokens: burst, atMs: nowMs }
    // A clock that was set back adds nothing and takes nothing away.
    const passedMs = Math.max(0, nowMs - bucket.atMs)
    bucket.tokens = Math.min(burst, bucket.tokens + (passedMs * perSecond) / 1_000)
    bucket.atMs = nowMs
    this.#buckets.delete(name)
    this.#buckets.set(name, bucket)
    if (this.#buckets.size > BUCKETS_MAX) this.#buckets.delete(this.#buckets.keys().next().value!)
    if (bucket.tokens < 1) {
      throw new SentryError({ code: 'sentry/rate', retryMs: Math.ceil(((1 - bucket.tokens) * 1_000) / perSecond) })
    }
    bucket.tokens -= 1
  }
}
