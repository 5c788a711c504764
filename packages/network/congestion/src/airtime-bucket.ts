import { REFILL_SHARE } from './limits.ts'

/** What rounding may leave of a debt that was waited out. */
const ROUNDING_MS = 1e-6

/**
 * Airtime that may be used on a medium: of each millisecond 0.9, saved up to a bound. A frame may go while nothing is
 * owed, and what is spent without asking leaves a debt; so over any time t the airtime used is at most 0.9·t, the bound
 * and one frame.
 */
export class AirtimeBucket {
  readonly #boundMs: number
  #savedMs: number
  #atMs: number

  constructor(nowMs: number, boundMs: number) {
    if (!(boundMs > 0)) throw new RangeError('a bucket holds something')
    this.#boundMs = boundMs
    this.#savedMs = boundMs
    this.#atMs = nowMs
  }

  spend(nowMs: number, airtimeMs: number): void {
    this.#refill(nowMs)
    this.#savedMs -= airtimeMs
  }

  /** When a frame may be sent: `nowMs` if at once, else when nothing is owed any more. */
  freeAtMs(nowMs: number): number {
    this.#refill(nowMs)
    return this.#savedMs >= -ROUNDING_MS ? nowMs : nowMs - this.#savedMs / REFILL_SHARE
  }

  #refill(nowMs: number): void {
    if (nowMs <= this.#atMs) return
    this.#savedMs = Math.min(this.#boundMs, this.#savedMs + REFILL_SHARE * (nowMs - this.#atMs))
    this.#atMs = nowMs
  }
}
