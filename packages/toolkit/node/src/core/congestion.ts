import {
  Backpressure,
  CongestionError,
  type CongestionSignal,
  decodeSignal,
  encodeSignal,
  type Load,
  type NeighbourQueue,
  SIGNAL_SPACING_AIRTIMES,
  SIGNAL_SPACING_MS,
} from '@nexus/congestion'
import type { Link } from '@nexus/link'
import { SELF } from './egress.ts'
import type { Interfaces } from './interfaces.ts'
import { JAM_MS_MAX, STOCK_MS } from './limits.ts'
import type { Packets } from './packets.ts'

const SEVERE = 2
/** From this priority on, packets look for another way at {@link SEVERE}. */
const REROUTED_FROM = 2
/** A frame that medium access gave up waited up to so many slots of a radio packet of this length. */
const JAM_SLOTS = 2 ** 7
const SLOT_BYTES = 254
const FRAME_BYTES = 508

export interface CongestionParts {
  readonly interfaces: Interfaces
  readonly packets: Packets
  /** Seals and sends a signal; false where the medium did not take it. */
  send(nowMs: number, link: Link, body: Uint8Array): boolean
  /** One more queue is too full: its link is about to cost more. */
  began(nowMs: number): void
}

/** Congestion between neighbours (docs/spec/congestion.md, section 4): signals sent for queues here, and signals obeyed. */
export class Congestion {
  readonly #parts: CongestionParts
  readonly #backpressure: Backpressure
  #stockMs = Number.NEGATIVE_INFINITY
  #congestedQueues = 0
  sentSignals = 0
  receivedSignals = 0

  constructor(parts: CongestionParts) {
    this.#parts = parts
    this.#backpressure = new Backpressure({
      send: (nowMs, upstream, signal) => this.#send(nowMs, upstream, signal),
      spacingMs: (upstream) => this.#spacingMs(upstream),
    })
  }

  /** The body of a congestion message. Returns why it was dropped, if it was. */
  receive(nowMs: number, link: Link, body: Uint8Array): string | undefined {
    let signal: CongestionSignal
    try {
      signal = decodeSignal(body)
    } catch (error) {
      if (!(error instanceof CongestionError)) throw error
      return 'congestion-malformed'
    }
    const egress = this.#parts.interfaces.of(link.id)?.egress
    const wasSevere = (egress?.shaper.signalled(nowMs, link.id) ?? 0) >= SEVERE
    if (egress === undefined || !egress.signal(nowMs, link.id, signal)) return 'congestion-outdated'
    this.receivedSignals++
    // Not at each repeat: what found no other way would be queued anew each time, and never be too old.
    if (signal.severity >= SEVERE && !wasSevere) {
      this.#parts.packets.reroute(nowMs, egress.recall(link.id, REROUTED_FROM), 'no-route')
    }
    return undefined
  }

  /** Medium access gave a frame up after its last attempt: who handed it over is told as of a severe queue. */
  frameLost(nowMs: number, interfaceId: string): void {
    const traffic = this.#parts.interfaces.get(interfaceId)
    if (traffic === undefined) return
    const slotMs = 1_000 * (traffic.facts.airtimeSeconds?.(SLOT_BYTES) ?? (8 * SLOT_BYTES) / traffic.facts.bitrateBps)
    traffic.egress.jammed(nowMs + Math.min(JAM_MS_MAX, JAM_SLOTS * slotMs))
    this.#parts.packets.drop('medium-busy')
    this.#stockMs = Number.NEGATIVE_INFINITY
  }

  linkDown(link: number): void {
    this.#backpressure.forget(link)
  }

  tick(nowMs: number): void {
    if (nowMs < this.nextWakeMs()) return
    this.#stockMs = nowMs
    this.#backpressure.update(nowMs, this.#loads(nowMs))
  }

  /** When {@link Congestion.tick} takes stock next. */
  nextWakeMs(): number {
    let wakeMs = this.#backpressure.nextWakeMs()
    for (const { egress } of this.#parts.interfaces.values()) {
      if (egress.shaper.isCongested || egress.jammedUntilMs > this.#stockMs) {
        wakeMs = Math.min(wakeMs, this.#stockMs + STOCK_MS)
      }
    }
    return wakeMs
  }

  /** How bad a neighbour upstream was last told that it is. */
  told(upstream: number): CongestionSignal['severity'] {
    return this.#backpressure.told(upstream)
  }

  #loads(nowMs: number): Map<number, Load> {
    const loads = new Map<number, Load>()
    let freeQueues = 0
    let congestedQueues = 0
    for (const traffic of this.#parts.interfaces.values()) {
      const { egress } = traffic
      let sharers = 0
      for (const { packets } of egress.shaper.queues()) if (packets > 0) sharers++
      for (const queue of egress.shaper.queues()) {
        if (queue.severity === 0) freeQueues++
        else {
          congestedQueues++
          this.#addLoads(loads, (queue.bytes * 8_000 * sharers) / egress.shaper.meter.bps, queue)
        }
      }
      if (nowMs < egress.jammedUntilMs) {
        this.#add(loads, egress.lastSource, { severity: SEVERE, drainMs: egress.jammedUntilMs - nowMs, scope: 'link' })
      }
    }
    if (congestedQueues > this.#congestedQueues) this.#parts.began(nowMs)
    this.#congestedQueues = congestedQueues
    for (const [upstream, load] of loads) {
      // What came over a link does not go back over it: that link is no way on.
      const ownIsFree = (this.#parts.interfaces.of(upstream)?.egress.shaper.queue(upstream)?.severity ?? 0) === 0
      load.scope = freeQueues - (ownIsFree ? 1 : 0) > 0 ? 'link' : 'all'
    }
    return loads
  }

  #addLoads(loads: Map<number, Load>, drainMs: number, queue: NeighbourQueue): void {
    for (const [source, bytes] of queue.fedBy) {
      if (bytes > 0 && source !== queue.id)
        this.#add(loads, source, { severity: queue.severity, drainMs, scope: 'link' })
    }
  }

  #add(loads: Map<number, Load>, upstream: number, load: Load): void {
    if (upstream === SELF || this.#parts.interfaces.link(upstream) === undefined) return
    const before = loads.get(upstream)
    if (before === undefined || load.severity > before.severity) loads.set(upstream, load)
    else if (load.severity === before.severity) before.drainMs = Math.max(before.drainMs, load.drainMs)
  }

  #send(nowMs: number, upstream: number, signal: CongestionSignal): boolean {
    const link = this.#parts.interfaces.link(upstream)
    if (link === undefined || !this.#parts.send(nowMs, link, encodeSignal(signal))) return false
    this.sentSignals++
    return true
  }

  #spacingMs(upstream: number): number {
    const shaper = this.#parts.interfaces.of(upstream)?.egress.shaper
    return Math.max(SIGNAL_SPACING_MS, SIGNAL_SPACING_AIRTIMES * (shaper?.airtimeMs(FRAME_BYTES) ?? 0))
  }
}
