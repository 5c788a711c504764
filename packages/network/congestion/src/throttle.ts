import { FLOOR_DIVISOR, RECENT_MS, THROTTLE_FACTORS } from './limits.ts'
import type { Priority } from './scheduler.ts'
import { type CongestionSignal, isNewerSequence, type Severity } from './signal.ts'

/**
 * What a neighbour's congestion signals make of what is sent to it (docs/spec/congestion.md). They count for their drain
 * time. Moderate and severe take a quarter and a half off what it was sent of late, real-time packets excepted, which go
 * first; saturated leaves these alone, and a quarter for interactive ones.
 */
export class Throttle {
  #severity: Severity = 0
  #untilMs = Number.NEGATIVE_INFINITY
  #sequence: number | undefined
  #allowedBps = Number.POSITIVE_INFINITY
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
    const recentBps = this.#recentBps(nowMs)
    this.#severity = signal.severity
    this.#untilMs = nowMs + signal.drainMs
    // So slow that it would never notice that things got better helps nobody.
    const leastBps = bps / FLOOR_DIVISOR ** 2
    this.#allowedBps = Math.max(leastBps, recentBps * THROTTLE_FACTORS[signal.severity]!)
    this.#owedBytes = 0
    this.#owedAtMs = nowMs
    return true
  }

  /** A packet was sent to the neighbour. */
  sent(nowMs: number, packetBytes: number): void {
    this.#turnWindow(nowMs)
    this.#windowBytes += packetBytes
    if (nowMs < this.#untilMs) this.#owedBytes = this.#owed(nowMs) + packetBytes
  }

  /** When a packet of this priority may go; Infinity: not before another signal, or the end of this one. */
  freeAtMs(nowMs: number, priority: Priority): number {
    const severity = this.severity(nowMs)
    if (severity === 0 || priority === 0) return nowMs
    if (severity === 3 && priority > 1) return this.#untilMs
    const owedBytes = this.#owed(nowMs)
    // Half a byte may be left of a debt that was waited out, by rounding.
    if (owedBytes <= 0.5) return nowMs
    return Math.min(this.#untilMs, nowMs + (owedBytes * 8_000) / this.#allowedBps)
  }

  #owed(nowMs: number): number {
    const owedBytes = Math.max(0, this.#owedBytes - ((nowMs - this.#owedAtMs) * this.#allowedBps) / 8_000)
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
