import { PACKET_DATA_MAX_BYTES } from './limits.ts'
import type { Range } from './range-set.ts'
import { RttEstimator } from './rtt.ts'
import type { ChunkSpan } from './stream-sides.ts'

const WINDOW_BYTES_FIRST: number = 4 * PACKET_DATA_MAX_BYTES
const WINDOW_BYTES_MIN: number = 2 * PACKET_DATA_MAX_BYTES
const WINDOW_BYTES_MAX = 8 * 1024 * 1024
/** What remains of the window after a loss, as CUBIC has it (RFC 9438 §4.6): radio loses packets for other reasons too. */
const DECREASE = 0.7
/** A packet is lost where one that was sent this much later is acknowledged (RFC 9002 §6.1.1). */
const REORDER_PACKETS = 3
/** … or when it is this much of a round trip older (§6.1.2). */
const REORDER_TIME = 9 / 8
const TIMER_MS_MIN = 10
export const ACK_DELAY_MS_MAX = 25
const PERSISTENT_TIMEOUTS = 3

/** A packet that asks for an acknowledgement. */
export interface SentPacket {
  readonly counter: number
  readonly bytes: number
  readonly sentMs: number
  readonly span?: ChunkSpan
}

/**
 * Which packets came through, which are lost, and how much may be on the way (after RFC 9002): every packet has its own
 * counter, so an acknowledgement is never ambiguous. One window per stream, reduced once per round trip with losses.
 */
export class Recovery {
  readonly rtt: RttEstimator
  readonly #sent = new Map<number, SentPacket>()
  #windowBytes = WINDOW_BYTES_FIRST
  #thresholdBytes = Number.POSITIVE_INFINITY
  #inFlightBytes = 0
  #largestAcked = -1
  #recoverySinceMs = Number.NEGATIVE_INFINITY
  #lossMs = Number.POSITIVE_INFINITY
  #lastSentMs = 0
  #timeouts = 0

  constructor(rtoMsFirst: number) {
    this.rtt = new RttEstimator(rtoMsFirst, TIMER_MS_MIN)
  }

  /** Timeouts since the last acknowledgement. */
  get timeouts(): number {
    return this.#timeouts
  }

  get windowBytes(): number {
    return this.#windowBytes
  }

  get inFlightPackets(): number {
    return this.#sent.size
  }

  /** Whether a packet of `bytes` may leave. */
  allows(bytes: number): boolean {
    return this.#inFlightBytes + bytes <= this.#windowBytes
  }

  sent(packet: SentPacket): void {
    this.#sent.set(packet.counter, packet)
    this.#inFlightBytes += packet.bytes
    this.#lastSentMs = packet.sentMs
  }

  /** The packet was not taken by the network after all. */
  unsent(counter: number): void {
    this.#forget(counter)
  }

  /** Takes an acknowledgement in. */
  acked(nowMs: number, ranges: readonly Range[], delayMs: number): { acked: SentPacket[]; lost: SentPacket[] } {
    const acked = this.#among(ranges)
    if (acked.length === 0) return { acked, lost: [] }
    const newest = acked.at(-1)!
    if (newest.counter > this.#largestAcked) {
      const rttMs = nowMs - newest.sentMs
      this.rtt.sample(Math.max(0, rttMs - Math.min(delayMs, rttMs, ACK_DELAY_MS_MAX)))
    }
    this.#largestAcked = Math.max(this.#largestAcked, newest.counter)
    this.#timeouts = 0
    // A window that is not used says nothing about the path.
    const isUsed = this.#inFlightBytes >= this.#windowBytes / 2
    for (const packet of acked) {
      this.#forget(packet.counter)
      if (isUsed) this.#grow(packet)
    }
    return { acked, lost: this.#findLost(nowMs) }
  }

  /** Clock reading of the next step; infinite while nothing is on the way. */
  get timerMs(): number {
    if (this.#sent.size === 0) return Number.POSITIVE_INFINITY
    return Math.min(this.#lossMs, this.#lastSentMs + this.#timeoutMs())
  }

  /** What is lost by time; `probe` where nothing was answered and something should be sent whatever the window says. */
  timer(nowMs: number): { lost: SentPacket[]; probe: boolean } {
    if (this.#lossMs <= nowMs) return { lost: this.#findLost(nowMs), probe: false }
    this.#timeouts++
    this.#lastSentMs = nowMs
    if (this.#timeouts >= PERSISTENT_TIMEOUTS) {
      this.#thresholdBytes = Math.max(WINDOW_BYTES_MIN, this.#windowBytes * DECREASE)
      this.#windowBytes = WINDOW_BYTES_MIN
    }
    const oldest = this.#sent.values().next().value!
    this.#forget(oldest.counter)
    return { lost: [oldest], probe: true }
  }

  /** Those whose counters are in the ranges, which come highest first, in the order of sending. */
  #among(ranges: readonly Range[]): SentPacket[] {
    const found: SentPacket[] = []
    let at = ranges.length - 1
    for (const packet of this.#sent.values()) {
      while (at >= 0 && packet.counter >= ranges[at]!.end) at--
      if (at < 0) break
      if (packet.counter >= ranges[at]!.start) found.push(packet)
    }
    return found
  }

  #timeoutMs(): number {
    return (this.rtt.rtoMs + ACK_DELAY_MS_MAX) * 2 ** this.#timeouts
  }

  #findLost(nowMs: number): SentPacket[] {
    const ageMs = Math.max(TIMER_MS_MIN, REORDER_TIME * (this.rtt.smoothedMs ?? this.rtt.rtoMs))
    const lost: SentPacket[] = []
    this.#lossMs = Number.POSITIVE_INFINITY
    for (const packet of this.#sent.values()) {
      if (packet.counter >= this.#largestAcked) break
      if (packet.counter <= this.#largestAcked - REORDER_PACKETS || packet.sentMs + ageMs <= nowMs) lost.push(packet)
      else this.#lossMs = Math.min(this.#lossMs, packet.sentMs + ageMs)
    }
    for (const packet of lost) this.#forget(packet.counter)
    const newest = lost.at(-1)
    if (newest !== undefined && newest.sentMs > this.#recoverySinceMs) {
      this.#recoverySinceMs = nowMs
      this.#windowBytes = Math.max(WINDOW_BYTES_MIN, this.#windowBytes * DECREASE)
      this.#thresholdBytes = this.#windowBytes
    }
    return lost
  }

  #grow({ bytes, sentMs }: SentPacket): void {
    if (sentMs <= this.#recoverySinceMs) return
    const step = this.#windowBytes < this.#thresholdBytes ? bytes : (PACKET_DATA_MAX_BYTES * bytes) / this.#windowBytes
    this.#windowBytes = Math.min(WINDOW_BYTES_MAX, this.#windowBytes + step)
  }

  #forget(counter: number): void {
    const packet = this.#sent.get(counter)
    if (packet === undefined) return
    this.#sent.delete(counter)
    this.#inFlightBytes -= packet.bytes
  }
}
