import { AirtimeBucket } from './airtime-bucket.ts'
import { BandwidthMeter } from './bandwidth-meter.ts'
import {
  BURST_MS,
  CUT_AFTER_REAL_TIME_MS,
  CUT_AIRTIME_MS,
  FRAME_BYTES_FULL,
  MEDIUM_QUEUE_MS,
  NEIGHBOUR_QUEUE_BYTES_MAX,
  PACED_BELOW_BPS,
  PACKET_BYTES_MAX,
  QUEUE_BYTES_MAX,
  QUEUE_MS_MAX,
  QUEUE_PACKETS_MIN,
} from './limits.ts'
import type { NeighbourQueue } from './neighbour-queue.ts'
import { RealTimeGate } from './real-time-gate.ts'
import { type HandBack, type Priority, Scheduler, type SchedulerPorts } from './scheduler.ts'
import type { CongestionSignal, Severity } from './signal.ts'
import { Throttle } from './throttle.ts'

/** How often weights are asked for. */
const WEIGH_MS = 1_000
/** A medium that holds too much is looked at again when that should be gone, within this, or an eighth of a full airtime. */
const LOOK_MS_MIN = 1
const LOOK_MS_MAX = 20

export interface ShaperOptions {
  /** Bit/s that the medium is said to carry. */
  readonly nominalBps: number
  /** Milliseconds that a frame keeps the medium busy, where the medium can tell; bytes × 8 ÷ measured rate otherwise. */
  readonly airtimeMs?: (frameBytes: number) => number
  /** Weight of a neighbour, over 0; equal for all unless given. */
  readonly weight?: (neighbour: number) => number
  /** {@link QUEUE_BYTES_MAX}, for small machines. */
  readonly queueBytesMax?: number
}

export type ShaperPorts = Pick<SchedulerPorts, 'dropped'>

/**
 * What leaves by one medium, and when (docs/spec/congestion.md): queues by priority and neighbour, a bucket of airtime,
 * the measured rate that fills it, and what neighbours asked for by their signals. The caller hands frames to the medium:
 *
 *     if (shaper.isFree(nowMs, mediumQueueBytes) && shaper.pick(nowMs)) { send(shaper.packet); shaper.taken(nowMs, frameBytes) }
 *
 * and reports every other frame too, by {@link Shaper.used}.
 */
export class Shaper {
  readonly meter: BandwidthMeter
  readonly #options: ShaperOptions
  readonly #scheduler: Scheduler
  readonly #bucket: AirtimeBucket
  readonly #gate = new RealTimeGate()
  readonly #throttles = new Map<number, Throttle>()
  readonly #fullAirtimeMs: number
  #weighedMs = Number.NEGATIVE_INFINITY
  /** Earliest time at which a throttled packet may go, found by the last pick. */
  #throttledUntilMs = Number.POSITIVE_INFINITY
  #lookAtMs = 0

  /** @throws {RangeError} unless the nominal rate is over 0 */
  constructor(nowMs: number, options: ShaperOptions, ports: ShaperPorts) {
    this.#options = options
    this.meter = new BandwidthMeter(options.nominalBps)
    this.#fullAirtimeMs = this.airtimeMs(FRAME_BYTES_FULL)
    this.#bucket = new AirtimeBucket(nowMs, Math.max(BURST_MS, this.#fullAirtimeMs))
    this.#scheduler = new Scheduler(
      { bytesMax: options.queueBytesMax ?? QUEUE_BYTES_MAX, capacityBytes: () => this.capacityBytes },
      {
        mayGo: (atMs, neighbour, priority) => this.#mayGo(atMs, neighbour, priority),
        dropped: (neighbour, packet, priority, source, reason) =>
          ports.dropped(neighbour, packet, priority, source, reason),
      },
    )
  }

  /** Bytes of packets that wait. */
  get queuedBytes(): number {
    return this.#scheduler.bytes
  }

  get isEmpty(): boolean {
    return this.#scheduler.isEmpty
  }

  /** Whether any queue is more than half full, or was and has not drained far enough. */
  get isCongested(): boolean {
    return this.#scheduler.isCongested
  }

  get neighbourCount(): number {
    return this.#scheduler.size
  }

  /** What {@link Shaper.pick} chose; valid until the next enqueue. */
  get packet(): Uint8Array {
    return this.#scheduler.packet
  }

  get neighbour(): number {
    return this.#scheduler.neighbour
  }

  get priority(): Priority {
    return this.#scheduler.priority
  }

  get source(): number {
    return this.#scheduler.source
  }

  /** Weighed bytes that the queue of one neighbour holds: what its part of the medium sends in 30 s, within bounds. */
  get capacityBytes(): number {
    const bytes = (this.meter.bps * QUEUE_MS_MAX) / 8_000 / Math.max(1, this.#scheduler.size)
    return Math.min(NEIGHBOUR_QUEUE_BYTES_MAX, Math.max(QUEUE_PACKETS_MIN * PACKET_BYTES_MAX, bytes))
  }

  /** Whether frames that may be interrupted are to be sent in parts: only while there is anyone to interrupt them. */
  cuts(nowMs: number): boolean {
    return this.#fullAirtimeMs > CUT_AIRTIME_MS && nowMs - this.#gate.seenMs < CUT_AFTER_REAL_TIME_MS
  }

  /** Milliseconds that a frame keeps the medium busy. */
  airtimeMs(frameBytes: number): number {
    return this.#options.airtimeMs?.(frameBytes) ?? (frameBytes * 8_000) / this.meter.bps
  }

  /** False where there are as many neighbours as the limit allows. */
  neighbourUp(nowMs: number, neighbour: number): boolean {
    if (!this.#scheduler.add(neighbour)) return false
    this.#throttles.set(neighbour, new Throttle(nowMs))
    return true
  }

  /** What waited for the neighbour is handed back, most urgent first, then oldest first. */
  neighbourDown(neighbour: number, handBack: HandBack): void {
    this.#throttles.delete(neighbour)
    this.#scheduler.remove(neighbour, handBack)
  }

  /** Takes what waits for a neighbour, from a priority on, out of its queue and hands it back, most urgent first, then oldest first. */
  recall(neighbour: number, from: Priority, handBack: HandBack): void {
    this.#scheduler.recall(neighbour, from, handBack)
  }

  queue(neighbour: number): NeighbourQueue | undefined {
    return this.#scheduler.queue(neighbour)
  }

  queues(): IterableIterator<NeighbourQueue> {
    return this.#scheduler.queues()
  }

  /** What a packet of `source` that asks for `priority` gets. */
  admit(nowMs: number, source: number, packetBytes: number, priority: Priority): Priority {
    if (priority !== 0) return priority
    return this.#gate.admit(nowMs, source, packetBytes, this.meter.bps) ? 0 : 1
  }

  /** Queues a copy of a packet; false where it was dropped for want of room. @throws {RangeError} as {@link Scheduler.enqueue} */
  enqueue(nowMs: number, neighbour: number, packet: Uint8Array, priority: Priority, source: number): boolean {
    return this.#scheduler.enqueue(nowMs, neighbour, packet, priority, source)
  }

  /** Whether a packet may go past the queues: nothing waits, and its neighbour takes it. The medium has to be free too. */
  mayPass(nowMs: number, neighbour: number, priority: Priority): boolean {
    if (!this.#scheduler.isEmpty) return false
    const throttle = this.#throttles.get(neighbour)
    return throttle === undefined || throttle.freeAtMs(nowMs, priority) <= nowMs
  }

  /** Whether a frame may be handed to the medium, in which `mediumQueueBytes` wait. */
  isFree(nowMs: number, mediumQueueBytes: number): boolean {
    // Before that nothing is read from the medium either: that it still works on the last frame is as it should be.
    if (this.isPaced && this.#bucket.freeAtMs(nowMs) > nowMs) return false
    const leftMs = (mediumQueueBytes * 8_000) / this.meter.bps
    const isHeld = leftMs > (this.#isSlow ? 0 : MEDIUM_QUEUE_MS)
    if (!this.#scheduler.isEmpty && this.#options.airtimeMs === undefined) {
      this.meter.observe(nowMs, mediumQueueBytes, isHeld && this.#isSlow)
    }
    const lookMs = Math.min(Math.max(LOOK_MS_MAX, this.#fullAirtimeMs / 8), Math.max(LOOK_MS_MIN, leftMs))
    this.#lookAtMs = isHeld ? nowMs + lookMs : 0
    return !isHeld
  }

  /** Chooses what goes next; false where nothing may. `onlyRealTime`: while a frame in parts is under way. */
  pick(nowMs: number, onlyRealTime = false): boolean {
    if (this.#options.weight !== undefined && nowMs - this.#weighedMs >= WEIGH_MS) {
      this.#weighedMs = nowMs
      this.#scheduler.weigh(this.#options.weight)
    }
    this.#throttledUntilMs = Number.POSITIVE_INFINITY
    return this.#scheduler.pick(nowMs, onlyRealTime ? 1 : undefined)
  }

  /** Whether a real-time packet waits. */
  get hasRealTime(): boolean {
    return this.#scheduler.hasLevel(0)
  }

  /** What was picked is out of its queue: it was sent. */
  taken(nowMs: number): void {
    this.#throttles.get(this.#scheduler.neighbour)?.sent(nowMs, this.#scheduler.packet.length)
    this.#scheduler.take()
  }

  /** A packet went past the queues. */
  passed(nowMs: number, neighbour: number, packetBytes: number): void {
    this.#throttles.get(neighbour)?.sent(nowMs, packetBytes)
  }

  /** Every frame that was handed to the medium, whatever it was, and what waits in the medium now. */
  used(nowMs: number, frameBytes: number, mediumQueueBytes: number): void {
    const airtimeMs = this.airtimeMs(frameBytes)
    if (this.isPaced) this.#bucket.spend(nowMs, airtimeMs)
    if (this.#scheduler.isEmpty) this.meter.pause()
    else if (this.#options.airtimeMs !== undefined) this.meter.spent(frameBytes, airtimeMs)
    else this.meter.handed(nowMs, frameBytes, mediumQueueBytes)
  }

  /** Takes a neighbour's congestion signal; false where it is older than one before. */
  signal(nowMs: number, neighbour: number, signal: CongestionSignal): boolean {
    return this.#throttles.get(neighbour)?.signal(nowMs, signal, this.meter.bps) ?? false
  }

  /** What the neighbour signalled last, while it counts. */
  signalled(nowMs: number, neighbour: number): Severity {
    return this.#throttles.get(neighbour)?.severity(nowMs) ?? 0
  }

  /** The larger of what the neighbour signalled and what its queue here has come to. */
  severity(nowMs: number, neighbour: number): Severity {
    const theirs = this.signalled(nowMs, neighbour)
    const ours = this.#scheduler.queue(neighbour)?.severity ?? 0
    return Math.max(theirs, ours) as Severity
  }

  /** When a frame may be handed to the medium, or it is to be looked at again: `nowMs` if at once. */
  freeAtMs(nowMs: number): number {
    const bucketMs = this.isPaced ? this.#bucket.freeAtMs(nowMs) : nowMs
    return Math.max(bucketMs, this.#lookAtMs)
  }

  /** When something that waits may go, if the medium takes it; Infinity: nothing waits. */
  nextWakeMs(nowMs: number): number {
    if (this.#scheduler.isEmpty) return Number.POSITIVE_INFINITY
    const throttledMs = this.#throttledUntilMs === Number.POSITIVE_INFINITY ? nowMs : this.#throttledUntilMs
    return Math.max(this.freeAtMs(nowMs), throttledMs)
  }

  /** Whether frames wait for the bucket; else the medium's own queue is all that holds them back. */
  get isPaced(): boolean {
    return this.#options.airtimeMs !== undefined || this.meter.bps < PACED_BELOW_BPS
  }

  /** Where a full frame takes longer than may wait in the medium, none waits there. */
  get #isSlow(): boolean {
    return this.airtimeMs(FRAME_BYTES_FULL) > MEDIUM_QUEUE_MS
  }

  #mayGo(nowMs: number, neighbour: number, priority: Priority): boolean {
    const throttle = this.#throttles.get(neighbour)
    if (throttle === undefined) return true
    const freeAtMs = throttle.freeAtMs(nowMs, priority)
    if (freeAtMs <= nowMs) return true
    this.#throttledUntilMs = Math.min(this.#throttledUntilMs, freeAtMs)
    return false
  }
}
