import type { Crypto } from '@nexus/crypto'

const HASHES = 3

/**
 * A Bloom filter over record ids: k = 3, 12.4 bits per id, a true 1 % of false positives (docs/spec/gossip.md).
 * h_i is the i-th little-endian u32 of BLAKE3(salt u32 ‖ id), modulo the bits; bit j is bit j & 7 of byte j >> 3.
 */
export class IdFilter {
  readonly bits: Uint8Array
  readonly #crypto: Crypto
  readonly #input = new Uint8Array(4 + 16)

  constructor(crypto: Crypto, salt: number, bits: Uint8Array) {
    this.#crypto = crypto
    this.bits = bits
    new DataView(this.#input.buffer).setUint32(0, salt, true)
  }

  /** The filter of `ids`, as small as the rate allows: 31 bytes per 20 ids, none for none. */
  static of(crypto: Crypto, salt: number, ids: readonly Uint8Array[]): IdFilter {
    const filter = new IdFilter(crypto, salt, new Uint8Array(Math.ceil((31 * ids.length) / 20)))
    for (const id of ids) for (const bit of filter.#bitsOf(id)) filter.bits[bit >> 3]! |= 1 << (bit & 7)
    return filter
  }

  /** False where the id is certainly not among those added. */
  has(id: Uint8Array): boolean {
    if (this.bits.length === 0) return false
    return this.#bitsOf(id).every((bit) => (this.bits[bit >> 3]! & (1 << (bit & 7))) !== 0)
  }

  #bitsOf(id: Uint8Array): number[] {
    this.#input.set(id, 4)
    const digest = this.#crypto.blake3(this.#input)
    const view = new DataView(digest.buffer, digest.byteOffset, digest.byteLength)
    const bits = 8 * this.bits.length
    return Array.from({ length: HASHES }, (_, i) => view.getUint32(4 * i, true) % bits)
  }
}
