import type { Random } from '@nexus/crypto'

/** Hashes that one generation holds. */
export const SEEN_MAX = 65_536
const SLOTS = 2 * SEEN_MAX
const SLOT_SHIFT: number = 32 - Math.log2(SLOTS)

/**
 * Which packets have passed, by the first 64 bits of their hashes. Two generations: when the younger is full, the older
 * is forgotten, so that at least the last {@link SEEN_MAX} are known, in 2 MB, whatever comes. Where a hash goes hangs on
 * a secret: who could choose packets whose slots lie together would make every look a long one.
 */
export class Seen {
  readonly #factor: number
  #young = new Uint32Array(2 * SLOTS)
  #old = new Uint32Array(2 * SLOTS)
  #count = 0

  constructor(random: Random) {
    this.#factor = viewOf(random(4)).getInt32(0) | 1
  }

  has(hash: Uint8Array): boolean {
    return this.#slotOf(this.#young, hash) < 0 || this.#slotOf(this.#old, hash) < 0
  }

  add(hash: Uint8Array): void {
    const at = this.#slotOf(this.#young, hash)
    if (at < 0) return
    const view = viewOf(hash)
    this.#young[at] = view.getUint32(0)
    this.#young[at + 1] = view.getUint32(4) | 1
    if (++this.#count < SEEN_MAX) return
    const oldest = this.#old
    this.#old = this.#young
    this.#young = oldest.fill(0)
    this.#count = 0
  }

  /** The free slot where a hash would go, or -1 where it is there. Every second word of a used slot is odd. */
  #slotOf(table: Uint32Array, hash: Uint8Array): number {
    const view = viewOf(hash)
    const high = view.getUint32(0)
    const low = (view.getUint32(4) | 1) >>> 0
    for (let slot = Math.imul(high, this.#factor) >>> SLOT_SHIFT; ; slot = (slot + 1) % SLOTS) {
      const at = 2 * slot
      if (table[at + 1] === 0) return at
      if (table[at] === high && table[at + 1] === low) return -1
    }
  }
}

function viewOf(hash: Uint8Array): DataView {
  return new DataView(hash.buffer, hash.byteOffset, hash.byteLength)
}
