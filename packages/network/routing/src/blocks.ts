// Announces are kept to be handed on. Ten thousand small Uint8Arrays would cost more in headers than in content, so
// their bytes live in one arena of equal blocks, chained where an announce takes several: no fragmentation, and a freed
// block fits the next announce.

/** Three of these hold an announce without TLVs (113 bytes) with 7 to spare. */
const BLOCK_BYTES = 40
const NONE = -1

/** Byte strings in chained blocks, addressed by their first block. */
export class BlockStore {
  #bytes = new Uint8Array(0)
  #next = new Int32Array(0)
  #free = NONE
  #used = 0

  /** Bytes held by the arena, free blocks included. */
  get arenaBytes(): number {
    return this.#bytes.length + this.#next.byteLength
  }

  /** Blocks in use. */
  get blocks(): number {
    return this.#used
  }

  /** Stores a copy of `content` (at least one byte) and returns its first block. */
  put(content: Uint8Array): number {
    let first = NONE
    // From the end, so that each block can name the one after it.
    for (let at = Math.floor((content.length - 1) / BLOCK_BYTES) * BLOCK_BYTES; at >= 0; at -= BLOCK_BYTES) {
      const block = this.#take()
      this.#bytes.set(content.subarray(at, at + BLOCK_BYTES), block * BLOCK_BYTES)
      this.#next[block] = first
      first = block
    }
    return first
  }

  /** Copies the `length` bytes stored at `first` to `at` of `into`. */
  read(first: number, length: number, into: Uint8Array, at: number): void {
    let block = first
    for (let done = 0; done < length; done += BLOCK_BYTES) {
      const from = block * BLOCK_BYTES
      into.set(this.#bytes.subarray(from, from + Math.min(BLOCK_BYTES, length - done)), at + done)
      block = this.#next[block]!
    }
  }

  /** Frees the blocks of the string at `first`. */
  drop(first: number): void {
    let last = first
    this.#used -= 1
    while (this.#next[last] !== NONE) {
      last = this.#next[last]!
      this.#used -= 1
    }
    this.#next[last] = this.#free
    this.#free = first
  }

  #take(): number {
    if (this.#free === NONE) this.#grow()
    const block = this.#free
    this.#free = this.#next[block]!
    this.#used += 1
    return block
  }

  #grow(): void {
    const before = this.#next.length
    const after = grownCapacity(before, Number.MAX_SAFE_INTEGER)
    const bytes = new Uint8Array(after * BLOCK_BYTES)
    bytes.set(this.#bytes)
    this.#bytes = bytes
    const next = new Int32Array(after)
    next.set(this.#next)
    for (let block = before; block < after; block++) next[block] = block + 1 < after ? block + 1 : NONE
    this.#next = next
    this.#free = before
  }
}

/** The next size of a table: an eighth more, since doubling would waste half of what a route may cost. */
export function grownCapacity(capacity: number, limit: number): number {
  return Math.min(limit, capacity + Math.max(64, capacity >> 3))
}
