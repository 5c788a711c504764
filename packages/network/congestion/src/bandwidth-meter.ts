import {
  CYCLE_FRAMES_MAX,
  FLOOR_DIVISOR,
  FRAME_BYTES_FULL,
  GROWTH_AFTER_MS,
  GROWTH_PER_SECOND,
  HALF_LIFE_MS,
  SAMPLE_MS_MIN,
} from './limits.ts'

/**
 * What a medium really carries, in bit/s (docs/spec/congestion.md): an average of bytes ÷ own airtime while packets wait,
 * that forgets by airtime and not by the clock. By the clock it would decay under its own refill: whoever sends at 90 %
 * of what he measured would measure 90 % of it.
 *
 * Where the medium states the airtime of each frame, {@link BandwidthMeter.spent} takes it. Where it does not, the rate is
 * read from how the medium's own queue empties, by {@link BandwidthMeter.observe} and {@link BandwidthMeter.handed}: only
 * while it is known to have been at work.
 */
export class BandwidthMeter {
  #nominalBps: number
  #bps: number
  /** Queue of the medium as last seen, and when; 0: it may have been idle since. */
  #queueBytes = 0
  #seenMs = 0
  #isWatched = false
  /** When the medium last took more after it had been watched, and what it was handed since; NaN: not known. */
  #tookMs = Number.NaN
  #handedBytes = 0
  #stretchBytes = 0
  #stretchMs = 0
  /** Since when packets have waited here while the medium kept up, and up to when the rate has grown for it. */
  #keptUpSinceMs = Number.NaN
  #grownMs = 0

  /** @throws {RangeError} unless the nominal rate is over 0 */
  constructor(nominalBps: number) {
    this.#nominalBps = checkRate(nominalBps)
    this.#bps = nominalBps
  }

  get nominalBps(): number {
    return this.#nominalBps
  }

  /** Bit/s while the medium works. */
  get bps(): number {
    return this.#bps
  }

  /** The medium is another than before: what was measured says nothing about it. @throws {RangeError} as the constructor */
  reset(nominalBps: number): void {
    this.#nominalBps = checkRate(nominalBps)
    this.#bps = nominalBps
    this.pause()
  }

  /** `bytes` kept the medium at work for `airtimeMs`, while more waited. */
  spent(bytes: number, airtimeMs: number): void {
    if (!(airtimeMs > 0)) return
    const kept = 2 ** (-airtimeMs / HALF_LIFE_MS)
    const bps = kept * this.#bps + (1 - kept) * ((bytes * 8_000) / airtimeMs)
    this.#bps = Math.max(this.#nominalBps / FLOOR_DIVISOR, bps)
  }

  /**
   * `queueBytes` wait in the medium, and packets wait here. `isWatched`: they are held back until nothing waits there, and
   * the medium is looked at so often that one look tells when that was.
   */
  observe(nowMs: number, queueBytes: number, isWatched: boolean): void {
    if (queueBytes > 0) {
      this.#keptUpSinceMs = Number.NaN
      // Unwatched media show their whole queue: what is gone of it was carried, and something was left to carry.
      if (!isWatched && !this.#isWatched && this.#queueBytes > 0) {
        this.#extend(this.#queueBytes - queueBytes, nowMs - this.#seenMs)
      }
    } else if (this.#isWatched) this.#took(nowMs)
    else this.#grow(nowMs)
    this.#see(nowMs, queueBytes, isWatched)
  }

  /** A frame of `bytes` was handed over, and `queueBytes` wait in the medium now. */
  handed(nowMs: number, bytes: number, queueBytes: number): void {
    this.#handedBytes += bytes
    this.#see(nowMs, queueBytes, false)
  }

  /** Nothing waits here: what the medium does says nothing about what it could do. */
  pause(): void {
    this.#stretchBytes = 0
    this.#stretchMs = 0
    this.#queueBytes = 0
    this.#isWatched = false
    this.#tookMs = Number.NaN
    this.#keptUpSinceMs = Number.NaN
  }

  #see(nowMs: number, queueBytes: number, isWatched: boolean): void {
    this.#queueBytes = queueBytes
    this.#seenMs = nowMs
    this.#isWatched = isWatched
  }

  /**
   * The medium takes more after it was full. A kernel may hide some frames, but no more now than when it did so before: what
   * it was handed between the two times it carried between them, unless it ran dry, as it may have in a long time.
   */
  #took(nowMs: number): void {
    const ms = nowMs - this.#tookMs
    const msMax = (CYCLE_FRAMES_MAX * FRAME_BYTES_FULL * 8_000) / this.#nominalBps
    if (ms <= msMax) this.#extend(this.#handedBytes, ms)
    this.#tookMs = nowMs
    this.#handedBytes = 0
  }

  #extend(bytes: number, ms: number): void {
    this.#stretchBytes += bytes
    this.#stretchMs += ms
    if (this.#stretchMs < SAMPLE_MS_MIN) return
    this.spent(this.#stretchBytes, this.#stretchMs)
    this.#stretchBytes = 0
    this.#stretchMs = 0
  }

  #grow(nowMs: number): void {
    if (this.#bps >= this.#nominalBps) return
    if (Number.isNaN(this.#keptUpSinceMs)) {
      this.#keptUpSinceMs = nowMs
      this.#grownMs = nowMs + GROWTH_AFTER_MS
    }
    const seconds = (nowMs - this.#grownMs) / 1_000
    if (seconds < 1) return
    this.#bps = Math.min(this.#nominalBps, this.#bps * (1 + GROWTH_PER_SECOND * seconds))
    this.#grownMs = nowMs
  }
}

function checkRate(bps: number): number {
  if (!(bps > 0)) throw new RangeError(`a rate of ${bps} bit/s`)
  return bps
}
