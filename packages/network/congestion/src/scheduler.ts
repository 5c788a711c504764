import { AGE_MS_MAX, BULK_SHARE_MIN, NEIGHBOURS_MAX, PACKET_BYTES_MAX, PRIORITIES, WEIGHT_RATIO_MAX } from './limits.ts'
import { type DropReason, NeighbourQueue, weighed } from './neighbour-queue.ts'
import { NONE, PacketPool } from './packet-pool.ts'

/** 0 real-time, 1 interactive, 2 standard, 3 bulk. */
export type Priority = (typeof PRIORITIES)[number]
const BULK = 3
/** Rounds in which even the neighbour of least weight comes to a full packet, and one to begin with. */
const ROUNDS_MAX = WEIGHT_RATIO_MAX + 1

/** Takes a packet that waited; its bytes are valid during the call. */
export type HandBack = (packet: Uint8Array, priority: Priority, source: number) => void

export interface SchedulerPorts {
  /** Whether a neighbour may be sent packets of a priority now. */
  mayGo(nowMs: number, neighbour: number, priority: Priority): boolean
  /** A packet was given up; its bytes are valid during the call. */
  dropped(neighbour: number, packet: Uint8Array, priority: Priority, source: number, reason: DropReason): void
}

export interface SchedulerLimits {
  readonly bytesMax: number
  /** What the queue of one neighbour may hold. */
  capacityBytes(): number
}

/**
 * Whose packet leaves next on one medium (docs/spec/congestion.md): by priority, strictly, but that bulk keeps its tenth;
 * inside a priority in turns, each neighbour's as long as its weight (deficit round robin). Queues are bounded, and what
 * is less urgent makes room for what is more. Packets are copied in; enqueue and take allocate nothing in steady state.
 */
export class Scheduler {
  /** What {@link Scheduler.pick} chose. */
  neighbour = NONE
  priority: Priority = 0
  source = NONE
  packet: Uint8Array = new Uint8Array(0)
  readonly #limits: SchedulerLimits
  readonly #ports: SchedulerPorts
  readonly #pool = new PacketPool()
  readonly #queues = new Map<number, NeighbourQueue>()
  /** Neighbours with packets of a priority, in the order of their turns, and whose turn it is. */
  readonly #rings: NeighbourQueue[][] = PRIORITIES.map(() => [])
  readonly #turns = [0, 0, 0, 0]
  #weighedBytes = 0
  #congested = 0
  /** Bytes that bulk has earned from what others sent. */
  #bulkCredit = 0
  #expiryMs = Number.POSITIVE_INFINITY

  constructor(limits: SchedulerLimits, ports: SchedulerPorts) {
    this.#limits = limits
    this.#ports = ports
  }

  get isEmpty(): boolean {
    return this.#weighedBytes === 0
  }

  /** Whether any queue is more than half full, or was and has not drained far enough. */
  get isCongested(): boolean {
    return this.#congested > 0
  }

  /** Bytes of all packets that wait. */
  get bytes(): number {
    let bytes = 0
    for (const queue of this.#queues.values()) bytes += queue.bytes
    return bytes
  }

  get size(): number {
    return this.#queues.size
  }

  queue(neighbour: number): NeighbourQueue | undefined {
    return this.#queues.get(neighbour)
  }

  queues(): IterableIterator<NeighbourQueue> {
    return this.#queues.values()
  }

  /** Whether packets of a priority wait. */
  hasLevel(priority: Priority): boolean {
    return this.#rings[priority]!.length > 0
  }

  /** False where there are as many neighbours as the limit allows. */
  add(neighbour: number): boolean {
    if (this.#queues.size >= NEIGHBOURS_MAX) return false
    if (!this.#queues.has(neighbour)) this.#queues.set(neighbour, new NeighbourQueue(neighbour))
    return true
  }

  /** Forgets a neighbour; what waited for it is handed back as by {@link Scheduler.recall}. */
  remove(neighbour: number, handBack: HandBack): void {
    this.recall(neighbour, 0, handBack)
    this.#queues.delete(neighbour)
  }

  /**
   * Takes what waits for a neighbour, from a priority on, out of its queue and hands it back, most urgent first, then
   * oldest first. The bytes are valid during the call, in which nothing may be queued for that neighbour.
   */
  recall(neighbour: number, from: Priority, handBack: HandBack): void {
    const queue = this.#queues.get(neighbour)
    if (queue === undefined) return
    for (const priority of PRIORITIES) {
      if (priority < from) continue
      for (let slot = queue.heads[priority]!; slot !== NONE; slot = queue.heads[priority]!) {
        handBack(this.#pool.packet(slot), priority, this.#pool.sources[slot]!)
        this.#unlink(queue, priority)
      }
    }
  }

  /** Weights of the neighbours, over 0: how long their turns are. */
  weigh(weight: (neighbour: number) => number): void {
    let most = 0
    for (const { id } of this.#queues.values()) most = Math.max(most, weight(id))
    for (const queue of this.#queues.values()) {
      const share = most > 0 ? Math.max(1 / WEIGHT_RATIO_MAX, weight(queue.id) / most) : 1
      queue.quantumBytes = share * PACKET_BYTES_MAX
    }
  }

  /**
   * Queues a copy of a packet. False, and `dropped` was called, where there is no room that more urgent packets leave.
   * @throws {RangeError} for an unknown neighbour, or a packet over {@link PACKET_BYTES_MAX}
   */
  enqueue(nowMs: number, neighbour: number, packet: Uint8Array, priority: Priority, source: number): boolean {
    const queue = this.#queues.get(neighbour)
    if (queue === undefined) throw new RangeError(`no neighbour ${neighbour}`)
    if (packet.length > PACKET_BYTES_MAX) throw new RangeError(`a packet of ${packet.length} bytes`)
    if (!this.#makeRoom(queue, weighed(packet.length), priority)) {
      this.#drop(queue, packet, priority, source, 'full')
      return false
    }
    const slot = this.#pool.put(nowMs, packet, source)
    const tail = queue.tails[priority]!
    if (tail === NONE) {
      queue.heads[priority] = slot
      queue.deficits[priority] = queue.quantumBytes
      this.#rings[priority]!.push(queue)
      this.#expiryMs = Math.min(this.#expiryMs, nowMs + AGE_MS_MAX[priority]!)
    } else this.#pool.next[tail] = slot
    queue.tails[priority] = slot
    this.#account(queue, source, packet.length, 1)
    return true
  }

  /** Chooses the next packet, and says whether there is one that may go; with `below`, only of priorities before it. */
  pick(nowMs: number, below: number = PRIORITIES.length): boolean {
    if (nowMs >= this.#expiryMs) this.expire(nowMs)
    if (this.isEmpty) return false
    if (this.#pickFrom(nowMs, 0)) return true
    if (below > BULK && this.#bulkIsDue() && this.#pickFrom(nowMs, BULK)) return true
    for (let priority = 1; priority < below; priority++) {
      if (this.#pickFrom(nowMs, priority as Priority)) return true
    }
    return false
  }

  /** Takes what was picked out of its queue: it was sent. Its bytes stay valid until the next enqueue. */
  take(): void {
    const queue = this.#queues.get(this.neighbour)!
    const { length } = this.packet
    queue.deficits[this.priority]! -= length
    if (this.priority === BULK) this.#bulkCredit = Math.max(0, this.#bulkCredit - length)
    else if (this.hasLevel(BULK)) this.#earnBulk(length)
    this.#unlink(queue, this.priority)
  }

  /** Gives up what waited too long. */
  expire(nowMs: number): void {
    this.#expiryMs = Number.POSITIVE_INFINITY
    for (const priority of PRIORITIES) {
      const age = AGE_MS_MAX[priority]!
      const ring = this.#rings[priority]!
      for (let at = ring.length - 1; at >= 0; at--) {
        const queue = ring[at]!
        for (let slot = queue.heads[priority]!; slot !== NONE; slot = queue.heads[priority]!) {
          const expiryMs = this.#pool.queuedAtMs[slot]! + age
          if (nowMs <= expiryMs) {
            this.#expiryMs = Math.min(this.#expiryMs, expiryMs)
            break
          }
          this.#giveUp(queue, priority, 'expired')
        }
      }
    }
  }

  #bulkIsDue(): boolean {
    const ring = this.#rings[BULK]!
    return ring.length > 0 && this.#bulkCredit >= PACKET_BYTES_MAX
  }

  #earnBulk(bytes: number): void {
    const earned = (bytes * BULK_SHARE_MIN) / (1 - BULK_SHARE_MIN)
    this.#bulkCredit = Math.min(2 * PACKET_BYTES_MAX, this.#bulkCredit + earned)
  }

  #pickFrom(nowMs: number, priority: Priority): boolean {
    const ring = this.#rings[priority]!
    let barred = 0
    for (let step = ROUNDS_MAX * ring.length; step > 0 && barred < ring.length; step--) {
      const at = this.#turns[priority]! % ring.length
      const queue = ring[at]!
      const slot = queue.heads[priority]!
      if (!this.#ports.mayGo(nowMs, queue.id, priority)) barred++
      else if (queue.deficits[priority]! >= this.#pool.packet(slot).length) {
        this.#turns[priority] = at
        this.neighbour = queue.id
        this.priority = priority
        this.source = this.#pool.sources[slot]!
        this.packet = this.#pool.packet(slot)
        return true
      } else {
        barred = 0
        queue.deficits[priority]! += queue.quantumBytes
      }
      this.#turns[priority] = (at + 1) % ring.length
    }
    return false
  }

  #makeRoom(queue: NeighbourQueue, weighedBytes: number, priority: Priority): boolean {
    if (this.#hasRoom(queue, weighedBytes)) return true
    for (let lower = BULK; lower > priority; lower--) {
      while (queue.heads[lower] !== NONE) {
        this.#giveUp(queue, lower as Priority, 'full')
        if (this.#hasRoom(queue, weighedBytes)) return true
      }
    }
    return false
  }

  #hasRoom(queue: NeighbourQueue, weighedBytes: number): boolean {
    return (
      queue.weighedBytes + weighedBytes <= this.#limits.capacityBytes() &&
      this.#weighedBytes + weighedBytes <= this.#limits.bytesMax
    )
  }

  #giveUp(queue: NeighbourQueue, priority: Priority, reason: DropReason): void {
    const slot = queue.heads[priority]!
    this.#drop(queue, this.#pool.packet(slot), priority, this.#pool.sources[slot]!, reason)
    this.#unlink(queue, priority)
  }

  #drop(queue: NeighbourQueue, packet: Uint8Array, priority: Priority, source: number, reason: DropReason): void {
    queue.drops[reason]++
    this.#ports.dropped(queue.id, packet, priority, source, reason)
  }

  #account(queue: NeighbourQueue, source: number, packetBytes: number, sign: 1 | -1): void {
    const before = queue.severity
    queue.account(source, packetBytes, sign, this.#limits.capacityBytes())
    this.#weighedBytes += sign * weighed(packetBytes)
    if (before === 0 && queue.severity > 0) this.#congested++
    else if (before > 0 && queue.severity === 0) this.#congested--
  }

  /** Takes the oldest packet of a priority out of its list. */
  #unlink(queue: NeighbourQueue, priority: Priority): void {
    const slot = queue.heads[priority]!
    const { length } = this.#pool.packet(slot)
    queue.heads[priority] = this.#pool.next[slot]!
    this.#account(queue, this.#pool.sources[slot]!, length, -1)
    this.#pool.give(slot)
    if (queue.heads[priority] !== NONE) return
    queue.tails[priority] = NONE
    this.#leave(this.#rings[priority]!, queue, priority)
    if (priority === BULK && !this.hasLevel(BULK)) this.#bulkCredit = 0
  }

  /** Takes a neighbour out of the turns of a priority, without moving anyone else's. */
  #leave(ring: NeighbourQueue[], queue: NeighbourQueue, priority: Priority): void {
    const at = ring.indexOf(queue)
    ring.copyWithin(at, at + 1)
    ring.length--
    if (at < this.#turns[priority]!) this.#turns[priority]!--
  }
}
