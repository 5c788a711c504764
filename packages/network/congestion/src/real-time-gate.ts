import {
  PACKET_BYTES_MAX,
  REAL_TIME_BURST_MS,
  REAL_TIME_IDLE_MS,
  REAL_TIME_SENDERS_MAX,
  REAL_TIME_SHARE_MAX,
} from './limits.ts'

interface Sender {
  savedBytes: number
  atMs: number
}

/**
 * Who may have packets treated as real-time on one medium. What a packet asks for is its sender's word; so real-time keeps
 * to half of the medium, in equal parts among those who send it, and the rest is taken for interactive
 * (docs/spec/congestion.md).
 */
export class RealTimeGate {
  readonly #senders = new Map<number, Sender>()
  #active = 0
  #countedMs = Number.NEGATIVE_INFINITY

  /** When a real-time packet was last seen; -Infinity: never. */
  seenMs: number = Number.NEGATIVE_INFINITY

  /** Whether a packet of `source` still is within its part of `bps`; counts it. */
  admit(nowMs: number, source: number, packetBytes: number, bps: number): boolean {
    this.seenMs = nowMs
    let sender = this.#senders.get(source)
    if (sender === undefined) {
      if (this.#senders.size >= REAL_TIME_SENDERS_MAX) this.#forgetOldest()
      sender = { savedBytes: Number.POSITIVE_INFINITY, atMs: nowMs }
      this.#senders.set(source, sender)
      this.#countedMs = Number.NEGATIVE_INFINITY
    }
    const bytesPerMs = (bps * REAL_TIME_SHARE_MAX) / 8_000 / this.#count(nowMs)
    const boundBytes = Math.max(2 * PACKET_BYTES_MAX, bytesPerMs * REAL_TIME_BURST_MS)
    sender.savedBytes = Math.min(boundBytes, sender.savedBytes + bytesPerMs * (nowMs - sender.atMs))
    sender.atMs = nowMs
    if (sender.savedBytes < packetBytes) return false
    sender.savedBytes -= packetBytes
    return true
  }

  /** Senders heard within the last seconds, at least 1; counted once a second. */
  #count(nowMs: number): number {
    if (nowMs - this.#countedMs < 1_000) return this.#active
    this.#countedMs = nowMs
    this.#active = 0
    for (const { atMs } of this.#senders.values()) if (nowMs - atMs < REAL_TIME_IDLE_MS) this.#active++
    return this.#active
  }

  #forgetOldest(): void {
    let oldest: number | undefined
    let atMs = Number.POSITIVE_INFINITY
    for (const [source, sender] of this.#senders) {
      if (sender.atMs >= atMs) continue
      oldest = source
      atMs = sender.atMs
    }
    if (oldest !== undefined) this.#senders.delete(oldest)
  }
}
