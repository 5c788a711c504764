import { type CongestionSignal, type DropReason, type Priority, type Severity, Shaper } from '@nexus/congestion'
import { MediumBudget, type Tier } from '@nexus/gossip'
import { EGRESS_BURST_FRAMES } from './limits.ts'

const TIERS: readonly Tier[] = [1, 2, 3, 4]
const SEVERE = 2
/** From this priority on, frames may leave in parts. */
const CUT_FROM = 2
/** A medium that took nothing and does not say when it will is asked again after this. */
const RETRY_MS = 250

/** One control frame, as a link message. */
export interface ControlFrame {
  readonly type: number
  readonly body: Uint8Array
}

/** A packet that was taken back out of its queue. */
export interface WaitingPacket {
  readonly packet: Uint8Array
  readonly priority: Priority
  /** Link that it came over; {@link SELF} for this node's own. */
  readonly source: number
}

/** Source of this node's own packets: no link has this number. */
export const SELF = 0

export interface EgressPorts {
  /** Seals and hands over one message; what it took of the medium in bytes at its nominal rate, or 0 where nothing was taken. */
  send(nowMs: number, link: number, type: number, body: Uint8Array): number
  /** Seals a packet and hands over the first of its parts; how many are left, or -1 where nothing was taken. */
  sendFirstPart(nowMs: number, link: number, packet: Uint8Array): number
  /** Hands over the next part; how many are left. */
  sendNextPart(nowMs: number, link: number): number
  /** Bytes that wait in the medium. */
  mediumQueueBytes(): number
  /** Whether control frames of a tier wait for a link. */
  hasControl(link: number, tier: Tier): boolean
  /** The next control frame of a tier for a link, or nothing. */
  pullControl(nowMs: number, link: number, tier: Tier): ControlFrame | undefined
  /** A packet was given up: too old, or no room. */
  dropped(link: number, packet: Uint8Array, reason: DropReason): void
  /** Weight of a link among those that share the medium. */
  weight?(link: number): number
}

export interface EgressFacts {
  readonly nominalBps: number
  /** Of that, what this node may plan its control traffic with. */
  readonly usableBps: number
  readonly airtimeMs?: (frameBytes: number) => number
}

const PACKET = 1

/**
 * What leaves by one interface, in order (docs/spec/congestion.md): real-time packets, control within its budget, then
 * what a {@link Shaper} picks. It holds back when the medium does, and seals only at the moment of sending.
 */
export class Egress {
  readonly budget: MediumBudget
  readonly shaper: Shaper
  readonly #ports: EgressPorts
  /** Links with control frames that may not have been asked for them all, in the order of their turns. */
  readonly #controlDue = new Map<number, boolean>()
  #order: number[] = []
  readonly #turns = new Uint32Array(1 + TIERS.length)
  #held: { readonly link: number; readonly tier: Tier; readonly frame: ControlFrame } | undefined
  /** The link on which a frame is under way in parts. */
  #cutLink: number | undefined
  #blockedUntilMs: number | undefined
  #controlWakeMs = Number.POSITIVE_INFINITY
  #nowMs: number
  /** Who handed over the packet that left last. */
  lastSource: number = SELF
  /** Until when the medium counts as severe, and how often it gave up a frame. */
  jammedUntilMs: number = Number.NEGATIVE_INFINITY
  jams = 0

  constructor(nowMs: number, facts: EgressFacts, ports: EgressPorts) {
    const { nominalBps, usableBps, airtimeMs } = facts
    this.budget = new MediumBudget(nowMs, usableBps)
    this.shaper = new Shaper(
      nowMs,
      {
        nominalBps,
        ...(airtimeMs === undefined ? {} : { airtimeMs }),
        ...(ports.weight === undefined ? {} : { weight: (link) => ports.weight!(link) }),
      },
      { dropped: (link, packet, _priority, _source, reason) => ports.dropped(link, packet, reason) },
    )
    this.#ports = ports
    this.#nowMs = nowMs
  }

  get queuedBytes(): number {
    return this.shaper.queuedBytes
  }

  /** Links served by this interface. */
  get linkCount(): number {
    return this.#order.length
  }

  /** False where there are as many links on the interface as the limit allows. */
  linkUp(nowMs: number, link: number): boolean {
    if (!this.shaper.neighbourUp(nowMs, link)) return false
    this.#controlDue.set(link, true)
    this.#controlWakeMs = 0
    this.#order = [...this.#controlDue.keys()]
    return true
  }

  /** Forgets a link. Returns what waited for it, most urgent first, so that a second path can carry it. */
  linkDown(link: number): WaitingPacket[] {
    if (!this.#controlDue.delete(link)) return []
    if (this.#held?.link === link) this.#held = undefined
    if (this.#cutLink === link) this.#cutLink = undefined
    this.#order = [...this.#controlDue.keys()]
    const waiting: WaitingPacket[] = []
    this.shaper.neighbourDown(link, (packet, priority, source) =>
      waiting.push({ packet: packet.slice(), priority, source }),
    )
    return waiting
  }

  /** Takes back what waits for a link from a priority on. */
  recall(link: number, from: Priority): WaitingPacket[] {
    const waiting: WaitingPacket[] = []
    this.shaper.recall(link, from, (packet, priority, source) =>
      waiting.push({ packet: packet.slice(), priority, source }),
    )
    return waiting
  }

  /** Fill of the queue to a link, 0 to 255. */
  fill(link: number): number {
    const { shaper } = this
    return Math.ceil(255 * (shaper.queue(link)?.fill(shaper.capacityBytes) ?? 0))
  }

  /** The largest fill of the queue to a link since it was asked last, 0 to 1. */
  takeFillPeak(link: number): number {
    const { shaper } = this
    return shaper.queue(link)?.takeFillPeak(shaper.capacityBytes) ?? 0
  }

  /** Severity of a link, as {@link Shaper.severity}; severe at least while the medium gave up a frame of late. */
  severity(nowMs: number, link: number): Severity {
    const severity = this.shaper.severity(nowMs, link)
    return nowMs < this.jammedUntilMs && severity < SEVERE ? SEVERE : severity
  }

  /** Medium access gave up a frame after its last attempt. */
  jammed(untilMs: number): void {
    this.jams++
    this.jammedUntilMs = untilMs
  }

  /** Takes the signal of the neighbour at the other end of a link; false where it is older than one before. */
  signal(nowMs: number, link: number, signal: CongestionSignal): boolean {
    return this.shaper.signal(nowMs, link, signal)
  }

  /** Control frames wait for this link. */
  want(link: number): void {
    if (this.#controlDue.has(link)) this.#controlDue.set(link, true)
    this.#controlWakeMs = 0
  }

  /** Sends a packet at once where nothing waits, else queues a copy. `source`: the link it came over. False: it was dropped. */
  offer(nowMs: number, link: number, packet: Uint8Array, asked: Priority, source: number): boolean {
    this.#nowMs = nowMs
    if (!this.#controlDue.has(link)) return false
    const { shaper } = this
    const priority = shaper.admit(nowMs, source, packet.length, asked)
    if (this.#mayPass(nowMs, link, priority) && this.#send(nowMs, link, PACKET, packet) > 0) {
      this.lastSource = source
      shaper.passed(nowMs, link, packet.length)
      return true
    }
    return shaper.enqueue(nowMs, link, packet, priority, source)
  }

  /** The medium takes frames again. */
  unblock(): void {
    this.#blockedUntilMs = undefined
  }

  /** Every frame of this interface, whoever sent it. */
  used(nowMs: number, frameBytes: number): void {
    const { shaper } = this
    shaper.used(nowMs, frameBytes, shaper.isEmpty ? 0 : this.#ports.mediumQueueBytes())
  }

  /** Sends what may be sent now. Returns true where it stopped only to give others a turn. */
  pump(nowMs: number): boolean {
    this.#nowMs = nowMs
    if (nowMs >= (this.#blockedUntilMs ?? nowMs)) this.#blockedUntilMs = undefined
    for (let frames = 0; frames < EGRESS_BURST_FRAMES; frames++) {
      if (this.#blockedUntilMs !== undefined || !this.#hasWork) return false
      if (!this.shaper.isFree(nowMs, this.#ports.mediumQueueBytes()) || !this.#sendNext(nowMs)) return false
    }
    return true
  }

  nextWakeMs(): number {
    if (this.#blockedUntilMs !== undefined) return this.#blockedUntilMs
    const freeMs = this.shaper.freeAtMs(this.#nowMs)
    const isUnderWay = this.#held !== undefined || this.#cutLink !== undefined
    const frameMs = isUnderWay ? freeMs : Math.max(freeMs, this.#controlWakeMs)
    return Math.min(this.shaper.nextWakeMs(this.#nowMs), frameMs)
  }

  get #hasWork(): boolean {
    const waits = !this.shaper.isEmpty || this.#held !== undefined || this.#cutLink !== undefined
    return waits || this.#controlWakeMs <= this.#nowMs
  }

  #mayPass(nowMs: number, link: number, priority: Priority): boolean {
    const { shaper } = this
    if (this.#blockedUntilMs !== undefined || this.#cutLink !== undefined) return false
    if (priority >= CUT_FROM && shaper.cuts(nowMs)) return false
    return (
      shaper.mayPass(nowMs, link, priority) && (!shaper.isPaced || shaper.isFree(nowMs, this.#ports.mediumQueueBytes()))
    )
  }

  #sendNext(nowMs: number): boolean {
    const { shaper } = this
    if (shaper.hasRealTime && shaper.pick(nowMs, true)) return this.#sendPicked(nowMs)
    if (this.#sendControl(nowMs)) return true
    if (this.#cutLink !== undefined) {
      if (this.#ports.sendNextPart(nowMs, this.#cutLink) === 0) this.#cutLink = undefined
      return true
    }
    return shaper.pick(nowMs) && this.#sendPicked(nowMs)
  }

  #sendPicked(nowMs: number): boolean {
    const { shaper } = this
    const { neighbour, packet, priority, source } = shaper
    if (priority >= CUT_FROM && shaper.cuts(nowMs)) {
      const left = this.#ports.sendFirstPart(nowMs, neighbour, packet)
      if (left < 0) return this.#block(nowMs)
      if (left > 0) this.#cutLink = neighbour
    } else if (this.#send(nowMs, neighbour, PACKET, packet) === 0) return false
    this.lastSource = source
    shaper.taken(nowMs)
    return true
  }

  #sendControl(nowMs: number): boolean {
    this.#controlWakeMs = Number.POSITIVE_INFINITY
    if (this.#held !== undefined) return this.#sendHeld(nowMs)
    const due = this.#order.filter((link) => this.#controlDue.get(link) === true)
    if (due.length === 0) return false
    const idle = this.#idleTiers()
    for (const link of due) {
      this.#controlDue.set(
        link,
        TIERS.some((tier) => this.#ports.hasControl(link, tier)),
      )
    }
    for (const tier of TIERS) {
      if (idle.includes(tier)) continue
      const atMs = this.budget.allowedAtMs(nowMs, tier, idle)
      if (atMs > nowMs) this.#controlWakeMs = Math.min(this.#controlWakeMs, atMs)
      else if (this.#inTurn(tier, (link) => this.#pullControl(nowMs, link, tier))) return this.#sendHeld(nowMs)
    }
    return false
  }

  #pullControl(nowMs: number, link: number, tier: Tier): boolean {
    if (!this.#ports.hasControl(link, tier)) return false
    const frame = this.#ports.pullControl(nowMs, link, tier)
    if (frame !== undefined) this.#held = { link, tier, frame }
    return frame !== undefined
  }

  /** A frame that was pulled is sent, or waits until the medium takes it. */
  #sendHeld(nowMs: number): boolean {
    const { link, tier, frame } = this.#held!
    const bytes = this.#send(nowMs, link, frame.type, frame.body)
    if (bytes === 0) return true
    this.#held = undefined
    this.#controlWakeMs = 0
    this.budget.spend(nowMs, tier, bytes, this.#idleTiers())
    return true
  }

  /** Tiers with nothing to say to anyone here: their share is for those that have. */
  #idleTiers(): Tier[] {
    return TIERS.filter((tier) => !this.#order.some((link) => this.#ports.hasControl(link, tier)))
  }

  /**
   * Asks each link, from the one whose turn it is, until one was served; the next turn is its successor's. Each tier has turns of
   * its own: two that alternate must not serve the same links each time.
   */
  #inTurn(tier: Tier, serve: (link: number) => boolean): boolean {
    const count = this.#order.length
    for (let step = 0; step < count; step++) {
      const at = (this.#turns[tier]! + step) % count
      if (!serve(this.#order[at]!)) continue
      this.#turns[tier] = (at + 1) % count
      return true
    }
    return false
  }

  #send(nowMs: number, link: number, type: number, body: Uint8Array): number {
    const bytes = this.#ports.send(nowMs, link, type, body)
    if (bytes === 0) this.#block(nowMs)
    return bytes
  }

  #block(nowMs: number): false {
    this.#blockedUntilMs = nowMs + RETRY_MS
    return false
  }
}
