import { writeU32 } from './bytes.ts'
import { encodeUtf8 } from './text.ts'

/** Writes little-endian fields in order into a buffer whose size is known from the start. */
export class ByteWriter {
  readonly #bytes: Uint8Array
  readonly #end: number
  /** Made for the first field of eight bytes: most outputs have none. */
  #view: DataView | undefined
  #at: number

  /** Makes a buffer of `size` bytes, or takes `size` bytes of `into` from offset `at` on, and never writes outside. */
  constructor(size: number, into?: Uint8Array, at = 0) {
    this.#bytes = into ?? new Uint8Array(size)
    if (at < 0 || size < 0 || at + size > this.#bytes.length) throw new RangeError(`${size} bytes do not fit at ${at}`)
    this.#at = at
    this.#end = at + size
  }

  /** Offset of the next byte. */
  get at(): number {
    return this.#at
  }

  u8(value: number): this {
    inRange(value, 0xff)
    this.#bytes[this.#take(1)] = value
    return this
  }

  u16(value: number): this {
    inRange(value, 0xffff)
    const at = this.#take(2)
    this.#bytes[at] = value
    this.#bytes[at + 1] = value >>> 8
    return this
  }

  u32(value: number): this {
    inRange(value, 0xffff_ffff)
    writeU32(this.#bytes, this.#take(4), value)
    return this
  }

  u64(value: bigint): this {
    if (value < 0n || value > 0xffff_ffff_ffff_ffffn) throw new RangeError(`${value} is no u64`)
    this.#words().setBigUint64(this.#take(8), value, true)
    return this
  }

  i64(value: bigint): this {
    if (BigInt.asIntN(64, value) !== value) throw new RangeError(`${value} is no i64`)
    this.#words().setBigInt64(this.#take(8), value, true)
    return this
  }

  /** Writes all of `bytes`; with `length`, insists on that many. */
  bytes(bytes: Uint8Array, length: number = bytes.length): this {
    if (bytes.length !== length) throw new RangeError(`wanted ${length} bytes, got ${bytes.length}`)
    this.#bytes.set(bytes, this.#take(length))
    return this
  }

  /** `u16` length, then UTF-8. @throws {RangeError} where that takes more than 65 535 bytes */
  string16(text: string): this {
    const bytes = encodeUtf8(text)
    return this.u16(bytes.length).bytes(bytes)
  }

  /** The buffer made, or the one given, once all of the room is written. */
  finish(): Uint8Array {
    if (this.#at !== this.#end) throw new RangeError(`${this.#end - this.#at} bytes were not written`)
    return this.#bytes
  }

  #words(): DataView {
    this.#view ??= new DataView(this.#bytes.buffer, this.#bytes.byteOffset, this.#bytes.byteLength)
    return this.#view
  }

  #take(length: number): number {
    const at = this.#at
    if (length > this.#end - at) throw new RangeError(`${length} bytes do not fit before ${this.#end}, at ${at}`)
    this.#at = at + length
    return at
  }
}

function inRange(value: number, max: number): void {
  if (!Number.isInteger(value) || value < 0 || value > max) throw new RangeError(`${value} is not within 0…${max}`)
}
