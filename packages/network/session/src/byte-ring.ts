/** Bytes of a stream by offset, in a buffer of fixed size that is made on first use. */
export class ByteRing {
  readonly capacity: number
  #bytes: Uint8Array | undefined

  constructor(capacity: number) {
    this.capacity = capacity
  }

  /** The caller keeps offsets within one capacity of each other. */
  write(offset: number, bytes: Uint8Array): void {
    this.#bytes ??= new Uint8Array(this.capacity)
    const at = offset % this.capacity
    const before = Math.min(bytes.length, this.capacity - at)
    this.#bytes.set(bytes.subarray(0, before), at)
    this.#bytes.set(bytes.subarray(before), 0)
  }

  /** A view where the bytes lie in one piece, else a copy; good until the next write. */
  peek(offset: number, length: number): Uint8Array {
    const at = offset % this.capacity
    if (this.#bytes === undefined || at + length > this.capacity) return this.read(offset, length)
    return this.#bytes.subarray(at, at + length)
  }

  /** A copy. */
  read(offset: number, length: number): Uint8Array {
    const bytes = new Uint8Array(length)
    if (this.#bytes === undefined) return bytes
    const at = offset % this.capacity
    const before = Math.min(length, this.capacity - at)
    bytes.set(this.#bytes.subarray(at, at + before))
    bytes.set(this.#bytes.subarray(0, length - before), before)
    return bytes
  }
}
