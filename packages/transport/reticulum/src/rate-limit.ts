/** Lets `perSecond` units through in the long run, and `burst` at once: a token bucket. */
export class RateLimit {
  readonly #burst: number
  readonly #perSecond: number
  #units: number
  #atMs = Number.NEGATIVE_INFINITY

  constructor(burst: number, perSecond: number) {
    this.#burst = burst
    this.#perSecond = perSecond
    this.#units = burst
  }

  /** Whether there are so many units now. */
  has(units: number, nowMs: number): boolean {
    if (nowMs > this.#atMs) {
      const refill = ((nowMs - this.#atMs) / 1_000) * this.#perSecond
      this.#units = Math.min(this.#burst, this.#units + refill)
      this.#atMs = nowMs
    }
    return this.#units >= units
  }

  /** Takes units where there are so many; whether it did. */
  take(units: number, nowMs: number): boolean {
    if (!this.has(units, nowMs)) return false
    this.#units -= units
    return true
  }
}
