import { FLOOR_DIVISOR, RECENT_MS, RECOVERY_PER_SECOND, THROTTLE_FACTORS } from './limits.ts'
import type { Priority } from './scheduler.ts'
import { type CongestionSignal, isNewerSequence, type Severity } from './signal.ts'

/**
 * What a neighbour's congestion signals make of what is sent to it (docs/spec/congestion.md). They count for their drain
 * time; then what may be sent grows by a quarter a second until it is as before. Moderate and severe take a quarter and a half off what it was sent of late, real-time packets excepted, which go
 * first; saturated leaves these alone, and a quarter for interactive ones.
 */
export class Throttle {
  #severity: Severity = 0
  #untilMs = Number.NEGATIVE_INFINITY
  #sequence: number | undefined
  /** Rate while the signal counts; it grows after that until it is that of the medium. */
  #allowedBps = Number.POSITIVE_INFINITY
  #mediumBps = 0
  #owedBytes = 0
  #owedAtMs = 0
  /** Bytes sent in this window and in the one before. */
  #windowBytes = 0
  #windowBeforeBytes = 0
  #windowStartMs: number

  constructor(nowMs: number) {
    this.#windowStartMs = nowMs
  }

  /** Severity that counts now. */
  severity(nowMs: number): Severity {
    return nowMs < this.#untilMs ? this.#severity : 0
  }

  /** Takes a signal. False where a newer one was taken before. `bps`: what the medium carries. */
  signal(nowMs: number, signal: CongestionSignal, bps: number): boolean {
    if (this.#sequence !== undefined && !isNewerSequence(signal.sequence, this.#sequence)) return false
    this.#sequence = signal.sequence
    const before = this.severity(nowMs)
    this.#severity = signal.severity
    this.#untilMs = signal.severity === 0 ? nowMs : nowMs + signal.drainMs
    this.#mediumBps = bps
    // What lasts is prolonged: the queue has had no time yet to show what the first signal did.
    if (signal.severity <= before || signal.severity === 0) return true
    // So slow that it would never notice that things got better helps nobody.
    const leastBps = bps / FLOOR_DIVISOR ** 2
    this.#allowedBps = Math.max(leastBps, this.#recentBps(nowMs) * THROTTLE_FACTORS[signal.severity]!)
    this.#owedBytes = 0
    this.#owedAtMs = nowMs
    return true
  }

  /** A packet was sent to the neighbour. */
  sent(nowMs: number, packetBytes: number): void {
    this.#turnWindow(nowMs)
    this.#windowBytes += packetBytes
    if (this.#bps(nowMs) < Number.POSITIVE_INFINITY) this.#owedBytes = this.#owed(nowMs) + packetBytes
  }

  /** When a packet of this priority may go; Infinity: not before another signal, or the end of this one. */
  freeAtMs(nowMs: number, priority: Priority): number {
    const bps = this.#bps(nowMs)
    if (bps === Number.POSITIVE_INFINITY || priority === 0) return nowMs
    if (priority > 1 && this.severity(nowMs) === 3) return this.#untilMs
    const owedBytes = this.#owed(nowMs)
    // Half a byte may be left of a debt that was waited out, by rounding.
    return owedBytes <= 0.5 ? nowMs : nowMs + (owedBytes * 8_000) / bps
  }

  /** Rate that is allowed now; Infinity: all. */
  #bps(nowMs: number): number {
    if (nowMs <= this.#untilMs || this.#allowedBps === Number.POSITIVE_INFINITY) return this.#allowedBps
    const bps = this.#allowedBps * (1 + RECOVERY_PER_SECOND) ** ((nowMs - this.#untilMs) / 1_000)
    if (bps < this.#mediumBps) return bps
    this.#allowedBps = Number.POSITIVE_INFINITY
    return this.#allowedBps
  }

  #owed(nowMs: number): number {
    const earnedBytes = ((nowMs - this.#owedAtMs) * this.#bps(nowMs)) / 8_000
    const owedBytes = Math.max(0, this.#owedBytes - earnedBytes)
    this.#owedBytes = owedBytes
    this.#owedAtMs = nowMs
    return owedBytes
  }

  #recentBps(nowMs: number): number {
    this.#turnWindow(nowMs)
    const elapsedMs = RECENT_MS + nowMs - this.#windowStartMs
    return ((this.#windowBeforeBytes + this.#windowBytes) * 8_000) / elapsedMs
  }

  #turnWindow(nowMs: number): void {
    const elapsedMs = nowMs - this.#windowStartMs
    if (elapsedMs < RECENT_MS) return
    this.#windowBeforeBytes = elapsedMs < 2 * RECENT_MS ? this.#windowBytes : 0
    this.#windowBytes = 0
    this.#windowStartMs = nowMs
  }
}
