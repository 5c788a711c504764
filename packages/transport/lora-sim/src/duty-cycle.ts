import { DUTY_BUCKETS, DUTY_WINDOW_MS } from './limits.ts'

const BUCKET_MS = DUTY_WINDOW_MS / DUTY_BUCKETS

/**
 * Airtime of one radio over the sliding hour (EN 300 220-2). Kept in minutes, and on the safe side: a transmission
 * counts until the whole minute in which it ended has left the hour.
 */
export class DutyCycleLedger {
  readonly #allowedMs: number
  /** One more than the hour holds, for the minute that is partly outside. */
  readonly #spentMs = new Float64Array(DUTY_BUCKETS + 1)
  #newest = Number.NEGATIVE_INFINITY
  #sumMs = 0

  /** `dutyCycle`: over 0 and up to 1. */
  constructor(dutyCycle: number) {
    if (!(dutyCycle > 0 && dutyCycle <= 1)) throw new RangeError(`duty cycle ${dutyCycle} is not over 0 and up to 1`)
    this.#allowedMs = dutyCycle * DUTY_WINDOW_MS
  }

  /** Milliseconds of airtime in the last hour, rounded up to whole minutes of remembering. */
  spentMs(nowMs: number): number {
    this.#forget(nowMs)
    return this.#sumMs
  }

  /** 0 where `airtimeMs` more may be sent now; else the milliseconds to wait; Infinity where that hour never comes. */
  waitMs(nowMs: number, airtimeMs: number): number {
    if (airtimeMs > this.#allowedMs) return Number.POSITIVE_INFINITY
    this.#forget(nowMs)
    let sumMs = this.#sumMs
    if (sumMs + airtimeMs <= this.#allowedMs) return 0
    for (let bucket = this.#newest - DUTY_BUCKETS; bucket <= this.#newest; bucket++) {
      sumMs -= this.#spentMs[this.#slot(bucket)]!
      // The sum of what is left may differ from zero by a rounding error.
      if (sumMs + airtimeMs <= this.#allowedMs + 1e-6) return (bucket + 1) * BUCKET_MS + DUTY_WINDOW_MS - nowMs
    }
    throw new Error('duty cycle: an empty hour has no room')
  }

  /** Enters a transmission that ends at `endMs`. */
  spend(endMs: number, airtimeMs: number): void {
    this.#forget(endMs)
    this.#spentMs[this.#slot(this.#newest)]! += airtimeMs
    this.#sumMs += airtimeMs
  }

  #slot(bucket: number): number {
    const rest = bucket % (DUTY_BUCKETS + 1)
    return rest < 0 ? rest + DUTY_BUCKETS + 1 : rest
  }

  #forget(nowMs: number): void {
    const bucket = Math.floor(nowMs / BUCKET_MS)
    if (bucket <= this.#newest) return
    if (bucket - this.#newest > DUTY_BUCKETS) {
      this.#spentMs.fill(0)
    } else {
      for (let next = this.#newest + 1; next <= bucket; next++) this.#spentMs[this.#slot(next)] = 0
    }
    this.#newest = bucket
    this.#sumMs = this.#spentMs.reduce((sum, spent) => sum + spent, 0)
  }
}
