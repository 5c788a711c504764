import { RETRY_MS_MAX, RETRY_MS_MIN } from './limits.ts'

export interface BackoffOptions {
  /** First wait; default {@link RETRY_MS_MIN}. */
  readonly retryMsMin?: number
  /** Longest wait; default {@link RETRY_MS_MAX}, or the first where that is longer. */
  readonly retryMsMax?: number
  /** Returns `length` random bytes; default: the platform's generator. */
  readonly random?: (length: number) => Uint8Array
}

/**
 * Waits between attempts: doubling from the first to the longest, each drawn from the upper half of its range, so that
 * the clients of a server that fell do not come back in step.
 */
export class Backoff {
  readonly #minMs: number
  readonly #maxMs: number
  readonly #random: (length: number) => Uint8Array
  #rangeMs: number

  constructor(options: BackoffOptions = {}) {
    this.#minMs = options.retryMsMin ?? RETRY_MS_MIN
    this.#maxMs = options.retryMsMax ?? Math.max(RETRY_MS_MAX, this.#minMs)
    if (!(this.#minMs > 0 && this.#maxMs >= this.#minMs))
      throw new RangeError('retryMsMin must be over 0, up to retryMsMax')
    this.#random = options.random ?? ((length) => crypto.getRandomValues(new Uint8Array(length)))
    this.#rangeMs = this.#minMs
  }

  /** The next wait, in ms. */
  nextMs(): number {
    const [low = 0, high = 0] = this.#random(2)
    const waitMs = this.#rangeMs * (0.5 + (high * 256 + low) / 131_072)
    this.#rangeMs = Math.min(this.#maxMs, this.#rangeMs * 2)
    return waitMs
  }

  /** Starts small again: after a success, or when the network changed. */
  reset(): void {
    this.#rangeMs = this.#minMs
  }
}
