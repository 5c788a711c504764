import { MediumBudget, type Tier } from '@nexus/gossip'
import { EGRESS_BURST_FRAMES, EGRESS_BYTES_MAX, EGRESS_BYTES_PER_LINK_MAX } from './limits.ts'

/** 0 real-time, 1 interactive, 2 standard, 3 bulk: strictly in this order, round-robin between neighbours inside a level. */
export type Priority = 0 | 1 | 2 | 3
const PRIORITIES: readonly Priority[] = [0, 1, 2, 3]
/** A packet that waited longer is worth nothing to who sent it. */
const AGE_MS_MAX: Record<Priority, number> = { 0: 500, 1: 5_000, 2: 30_000, 3: Number.POSITIVE_INFINITY }
const TIERS: readonly Tier[] = [1, 2, 3, 4]
/** A medium that took nothing and does not say when it will is asked again after this. */
const RETRY_MS = 250
/** Control frames are pulled again when at least this much may be said. */
const CONTROL_STEP_BYTES = 64

/** One control frame, as a link message. */
export interface ControlFrame {
  readonly type: number
  readonly body: Uint8Array
}

export interface EgressPorts {
  /** Seals and hands over one message; what it took of the medium in bytes, or 0 where the medium took nothing. */
  send(nowMs: number, link: number, type: number, body: Uint8Array): number
  /** Whether control frames of a tier wait for a link. */
  hasControl(link: number, tier: Tier): boolean
  /** The next control frame of a tier for a link, at most `bytesMax` of body, or nothing that fits. */
  pullControl(nowMs: number, link: number, tier: Tier, bytesMax: number): ControlFrame | undefined
  /** A packet was given up: too old, or no room. */
  dropped(link: number, packet: Uint8Array, reason: 'expired' | 'full' | 'link-down'): void
}

interface Waiting {
  readonly packet: Uint8Array
  readonly queuedAtMs: number
}

interface LinkQueue {
  readonly waiting: Record<Priority, Waiting[]>
  bytes: number
  controlDue: boolean
}

const PACKET = 1

/**
 * What leaves by one interface, in order: control within its budget, then packets by priority, in turns between
 * neighbours. It holds back when the medium does, and seals only at the moment of sending.
 */
export class Egress {
  readonly budget: MediumBudget
  readonly #ports: EgressPorts
  /** Bytes that a link message adds on this medium. */
  readonly #overheadBytes: number
  readonly #links = new Map<number, LinkQueue>()
  #order: number[] = []
  #turn = 0
  #held: { readonly link: number; readonly tier: Tier; readonly frame: ControlFrame } | undefined
  #blockedUntilMs: number | undefined
  #queuedBytes = 0
  #controlWakeMs = Number.POSITIVE_INFINITY

  constructor(nowMs: number, usableBps: number, overheadBytes: number, ports: EgressPorts) {
    this.budget = new MediumBudget(nowMs, usableBps)
    this.#overheadBytes = overheadBytes
    this.#ports = ports
  }

  get queuedBytes(): number {
    return this.#queuedBytes
  }

  /** Links served by this interface. */
  get linkCount(): number {
    return this.#links.size
  }

  linkUp(link: number): void {
    this.#links.set(link, { waiting: { 0: [], 1: [], 2: [], 3: [] }, bytes: 0, controlDue: true })
    this.#order = [...this.#links.keys()]
  }

  /** Forgets a link. Returns what waited for it, oldest first, so that a second path can carry it. */
  linkDown(link: number): { priority: Priority; packet: Uint8Array }[] {
    const queue = this.#links.get(link)
    if (queue === undefined) return []
    this.#links.delete(link)
    if (this.#held?.link === link) this.#held = undefined
    this.#order = [...this.#links.keys()]
    this.#queuedBytes -= queue.bytes
    return PRIORITIES.flatMap((priority) => queue.waiting[priority].map(({ packet }) => ({ priority, packet })))
  }

  /** Fill of the queue to a link, 0 to 255. */
  fill(link: number): number {
    const queue = this.#links.get(link)
    return queue === undefined ? 0 : Math.min(255, Math.ceil((255 * queue.bytes) / EGRESS_BYTES_PER_LINK_MAX))
  }

  /** Control frames wait for this link. */
  want(link: number): void {
    const queue = this.#links.get(link)
    if (queue !== undefined) queue.controlDue = true
    this.#controlWakeMs = 0
  }

  /** Sends a packet at once where nothing waits, else queues a copy. Returns whether it was taken. */
  offer(nowMs: number, link: number, packet: Uint8Array, priority: Priority): boolean {
    const queue = this.#links.get(link)
    if (queue === undefined) return false
    if (this.#blockedUntilMs === undefined && this.#queuedBytes === 0 && this.#sendPacket(nowMs, link, packet))
      return true
    const full =
      queue.bytes + packet.length > EGRESS_BYTES_PER_LINK_MAX || this.#queuedBytes + packet.length > EGRESS_BYTES_MAX
    if (full && !this.#makeRoom(link, queue, packet.length, priority)) {
      this.#ports.dropped(link, packet, 'full')
      return false
    }
    queue.waiting[priority].push({ packet: packet.slice(), queuedAtMs: nowMs })
    queue.bytes += packet.length
    this.#queuedBytes += packet.length
    return true
  }

  /** The medium takes frames again. */
  unblock(): void {
    this.#blockedUntilMs = undefined
  }

  /** Sends what may be sent now. Returns true where it stopped only to give others a turn. */
  pump(nowMs: number): boolean {
    this.#expire(nowMs)
    if (nowMs >= (this.#blockedUntilMs ?? nowMs)) this.#blockedUntilMs = undefined
    for (let frames = 0; frames < EGRESS_BURST_FRAMES; frames++) {
      if (this.#blockedUntilMs !== undefined) return false
      if (!this.#sendControl(nowMs) && !this.#sendWaiting(nowMs)) return false
    }
    return true
  }

  nextWakeMs(): number {
    if (this.#blockedUntilMs !== undefined) return this.#blockedUntilMs
    return this.#queuedBytes > 0 || this.#held !== undefined ? 0 : this.#controlWakeMs
  }

  #sendControl(nowMs: number): boolean {
    this.#controlWakeMs = Number.POSITIVE_INFINITY
    if (this.#held !== undefined) return this.#sendHeld(nowMs)
    let idle: readonly Tier[] | undefined
    return this.#inTurn((link, queue) => {
      if (!queue.controlDue) return false
      queue.controlDue = false
      idle ??= this.#idleTiers()
      for (const tier of TIERS) {
        if (!this.#ports.hasControl(link, tier)) continue
        queue.controlDue = true
        const available = this.budget.availableBytes(nowMs, tier, idle) - this.#overheadBytes
        const frame = available > 0 ? this.#ports.pullControl(nowMs, link, tier, available) : undefined
        if (frame !== undefined) {
          this.#held = { link, tier, frame }
          return this.#sendHeld(nowMs)
        }
        const more = Math.max(0, available) + this.#overheadBytes + CONTROL_STEP_BYTES
        this.#controlWakeMs = Math.min(this.#controlWakeMs, this.budget.allowedAtMs(nowMs, tier, more, idle))
      }
      return false
    })
  }

  /** A frame that was pulled is sent, or waits until the medium takes it. */
  #sendHeld(nowMs: number): boolean {
    const { link, tier, frame } = this.#held!
    const bytes = this.#ports.send(nowMs, link, frame.type, frame.body)
    if (bytes === 0) {
      this.#blockedUntilMs = nowMs + RETRY_MS
      return true
    }
    this.#held = undefined
    this.budget.spend(nowMs, tier, bytes, this.#idleTiers())
    return true
  }

  /** Tiers with nothing to say to anyone here: their share is for those that have. */
  #idleTiers(): Tier[] {
    return TIERS.filter((tier) => !this.#order.some((link) => this.#ports.hasControl(link, tier)))
  }

  #sendWaiting(nowMs: number): boolean {
    if (this.#queuedBytes === 0) return false
    for (const priority of PRIORITIES) {
      const sent = this.#inTurn((link, queue) => {
        const next = queue.waiting[priority][0]
        if (next === undefined) return false
        if (!this.#sendPacket(nowMs, link, next.packet)) return true
        queue.waiting[priority].shift()
        queue.bytes -= next.packet.length
        this.#queuedBytes -= next.packet.length
        return true
      })
      if (sent) return true
    }
    return false
  }

  /** Asks each link, from the one whose turn it is, until one was served; the next turn is its successor's. */
  #inTurn(serve: (link: number, queue: LinkQueue) => boolean): boolean {
    const count = this.#order.length
    for (let step = 0; step < count; step++) {
      const at = (this.#turn + step) % count
      const link = this.#order[at]!
      if (!serve(link, this.#links.get(link)!)) continue
      this.#turn = (at + 1) % count
      return true
    }
    return false
  }

  #sendPacket(nowMs: number, link: number, packet: Uint8Array): boolean {
    if (this.#ports.send(nowMs, link, PACKET, packet) > 0) return true
    this.#blockedUntilMs = nowMs + RETRY_MS
    return false
  }

  #expire(nowMs: number): void {
    if (this.#queuedBytes === 0) return
    for (const [link, queue] of this.#links) {
      for (const priority of PRIORITIES) {
        const waiting = queue.waiting[priority]
        while (waiting.length > 0 && nowMs - waiting[0]!.queuedAtMs > AGE_MS_MAX[priority]) {
          this.#giveUp(link, queue, waiting.shift()!.packet, 'expired')
        }
      }
    }
  }

  /** Drops the oldest packets of lower priority on the same link until `bytes` fit. */
  #makeRoom(link: number, queue: LinkQueue, bytes: number, priority: Priority): boolean {
    for (const lower of [...PRIORITIES].reverse()) {
      if (lower <= priority) return false
      const waiting = queue.waiting[lower]
      while (waiting.length > 0) {
        this.#giveUp(link, queue, waiting.shift()!.packet, 'full')
        if (queue.bytes + bytes <= EGRESS_BYTES_PER_LINK_MAX && this.#queuedBytes + bytes <= EGRESS_BYTES_MAX)
          return true
      }
    }
    return false
  }

  #giveUp(link: number, queue: LinkQueue, packet: Uint8Array, reason: 'expired' | 'full'): void {
    queue.bytes -= packet.length
    this.#queuedBytes -= packet.length
    this.#ports.dropped(link, packet, reason)
  }
}
