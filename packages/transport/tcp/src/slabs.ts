/** Bytes of one slab: what one write hands to the kernel at most. */
export const SLAB_BYTES = 65_536
/** Slabs that a pool keeps for the next use; more are left to the collector. */
export const SLABS_KEPT_MAX = 16

/** Memory that frames are encoded into, and that must stand still until the socket has taken it. */
export interface Slab {
  readonly bytes: Uint8Array
  readonly view: DataView
  used: number
}

/** Slabs between uses. A connection holds one only while bytes wait in it, so an idle one costs nothing. */
export class SlabPool {
  readonly #free: Slab[] = []

  take(): Slab {
    const slab = this.#free.pop()
    if (slab !== undefined) {
      slab.used = 0
      return slab
    }
    const bytes = new Uint8Array(SLAB_BYTES)
    return { bytes, view: new DataView(bytes.buffer), used: 0 }
  }

  give(slab: Slab): void {
    if (this.#free.length < SLABS_KEPT_MAX) this.#free.push(slab)
  }
}
