import { BULK_SHARE_MIN, PACKET_BYTES_MAX } from '../src/limits.ts'

const AGE_MS = [500, 5_000, 30_000, Number.POSITIVE_INFINITY]

export interface PlainPacket {
  readonly mark: number
  readonly bytes: number
  readonly neighbour: number
  readonly priority: 0 | 1 | 2 | 3
  readonly queuedAtMs: number
}

/** The scheduler once more, slow and plain: one list of packets, everything worked out anew at each step. Equal weights. */
export class PlainScheduler {
  waiting: PlainPacket[] = []
  readonly dropped: { mark: number; reason: 'expired' | 'full' }[] = []
  readonly capacityBytes: number
  readonly bytesMax: number
  #rings: { neighbour: number; deficit: number }[][] = [[], [], [], []]
  #turns = [0, 0, 0, 0]
  #credit = 0

  constructor(capacityBytes: number, bytesMax: number) {
    this.capacityBytes = capacityBytes
    this.bytesMax = bytesMax
  }

  enqueue(packet: PlainPacket): boolean {
    const weigh = (bytes: number) => Math.max(bytes, PACKET_BYTES_MAX / 2)
    const sum = (of: PlainPacket[]) => of.reduce((total, { bytes }) => total + weigh(bytes), 0)
    for (;;) {
      const own = this.waiting.filter(({ neighbour }) => neighbour === packet.neighbour)
      const fits =
        sum(own) + weigh(packet.bytes) <= this.capacityBytes && sum(this.waiting) + weigh(packet.bytes) <= this.bytesMax
      if (fits) break
      const victim = [3, 2, 1]
        .filter((priority) => priority > packet.priority)
        .map((priority) => own.find((each) => each.priority === priority))
        .find((each) => each !== undefined)
      if (victim === undefined) {
        this.dropped.push({ mark: packet.mark, reason: 'full' })
        return false
      }
      this.#remove(victim)
      this.dropped.push({ mark: victim.mark, reason: 'full' })
    }
    const ring = this.#rings[packet.priority]!
    if (!ring.some(({ neighbour }) => neighbour === packet.neighbour)) {
      ring.push({ neighbour: packet.neighbour, deficit: PACKET_BYTES_MAX })
    }
    this.waiting.push(packet)
    return true
  }

  take(nowMs: number): PlainPacket | undefined {
    for (const packet of [...this.waiting]) {
      if (nowMs - packet.queuedAtMs <= AGE_MS[packet.priority]!) continue
      this.#remove(packet)
      this.dropped.push({ mark: packet.mark, reason: 'expired' })
    }
    const order = [0, ...(this.#credit >= PACKET_BYTES_MAX ? [3] : []), 1, 2, 3]
    const priority = order.find((each) => this.#rings[each]!.length > 0)
    if (priority === undefined) return undefined
    const packet = this.#inTurn(priority)
    if (priority === 3) this.#credit = Math.max(0, this.#credit - packet.bytes)
    else if (this.#rings[3]!.length > 0) {
      const earned = (packet.bytes * BULK_SHARE_MIN) / (1 - BULK_SHARE_MIN)
      this.#credit = Math.min(2 * PACKET_BYTES_MAX, this.#credit + earned)
    }
    this.#remove(packet)
    return packet
  }

  #inTurn(priority: number): PlainPacket {
    const ring = this.#rings[priority]!
    for (;;) {
      const at = this.#turns[priority]! % ring.length
      const entry = ring[at]!
      const head = this.waiting.find((each) => each.priority === priority && each.neighbour === entry.neighbour)!
      if (entry.deficit >= head.bytes) {
        entry.deficit -= head.bytes
        this.#turns[priority] = at
        return head
      }
      entry.deficit += PACKET_BYTES_MAX
      this.#turns[priority] = (at + 1) % ring.length
    }
  }

  #remove(packet: PlainPacket): void {
    this.waiting = this.waiting.filter((each) => each !== packet)
    const { priority, neighbour } = packet
    if (this.waiting.some((each) => each.priority === priority && each.neighbour === neighbour)) return
    const ring = this.#rings[priority]!
    const at = ring.findIndex((entry) => entry.neighbour === neighbour)
    ring.splice(at, 1)
    if (at < this.#turns[priority]!) this.#turns[priority]!--
    if (priority === 3 && this.#rings[3]!.length === 0) this.#credit = 0
  }
}
