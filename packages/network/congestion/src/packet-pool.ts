import { PACKET_BYTES_MAX } from './limits.ts'

/** No slot. */
export const NONE = -1
const SLOTS_PER_BLOCK = 64

/**
 * Packets that wait, in slots of one size that are used again and again: once it has grown to what is needed, nothing is
 * allocated but a view where a packet has another length than the one before it in its slot. Slots form lists by `next`.
 */
export class PacketPool {
  next: Int32Array = new Int32Array(0)
  sources: Int32Array = new Int32Array(0)
  queuedAtMs: Float64Array = new Float64Array(0)
  readonly #slots: Uint8Array[] = []
  readonly #views: Uint8Array[] = []
  #free = NONE

  /** Slots made so far, in use or not. */
  get size(): number {
    return this.#slots.length
  }

  /** A copy of the packet, in a slot of its own. */
  put(nowMs: number, packet: Uint8Array, source: number): number {
    if (this.#free === NONE) this.#grow()
    const slot = this.#free
    this.#free = this.next[slot]!
    const bytes = this.#slots[slot]!
    bytes.set(packet)
    if (this.#views[slot]!.length !== packet.length) this.#views[slot] = bytes.subarray(0, packet.length)
    this.next[slot] = NONE
    this.sources[slot] = source
    this.queuedAtMs[slot] = nowMs
    return slot
  }

  /** The packet in a slot; valid until the slot is given back and filled anew. */
  packet(slot: number): Uint8Array {
    return this.#views[slot]!
  }

  give(slot: number): void {
    this.next[slot] = this.#free
    this.#free = slot
  }

  #grow(): void {
    const from = this.#slots.length
    const size = from + SLOTS_PER_BLOCK
    const block = new Uint8Array(SLOTS_PER_BLOCK * PACKET_BYTES_MAX)
    this.next = extended(this.next, new Int32Array(size))
    this.sources = extended(this.sources, new Int32Array(size))
    this.queuedAtMs = extended(this.queuedAtMs, new Float64Array(size))
    for (let slot = size - 1; slot >= from; slot--) {
      const at = (slot - from) * PACKET_BYTES_MAX
      const bytes = block.subarray(at, at + PACKET_BYTES_MAX)
      this.#slots[slot] = bytes
      this.#views[slot] = bytes
      this.give(slot)
    }
  }
}

function extended<T extends Int32Array | Float64Array>(from: T, into: T): T {
  into.set(from)
  return into
}
