import { readU32 } from './bytes.ts'
import { CodecError, type CodecErrorDetail } from './errors.ts'
import { decodeUtf8 } from './text.ts'

/** Turns a reading fault into the error of the package that reads. */
export type ReadFault = (detail: CodecErrorDetail) => Error

const asCodecError: ReadFault = (detail) => new CodecError(detail)

/**
 * Reads little-endian fields in order; never past the end, never a copy unless said (docs/spec/conventions.md).
 * Every method throws what `fault` makes of the problem, and nothing else.
 */
export class ByteReader {
  readonly #bytes: Uint8Array
  readonly #fault: ReadFault
  /** Made for the first field of eight bytes: most inputs have none. */
  #view: DataView | undefined
  #at = 0

  constructor(bytes: Uint8Array, fault: ReadFault = asCodecError) {
    // Seen as a plain array: slice() of a Buffer would not copy.
    this.#bytes =
      bytes.constructor === Uint8Array ? bytes : new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length)
    this.#fault = fault
  }

  /** Offset of the next byte. */
  get at(): number {
    return this.#at
  }

  /** Bytes not yet read. */
  get remaining(): number {
    return this.#bytes.length - this.#at
  }

  u8(): number {
    return this.#bytes[this.#take(1)]!
  }

  u16(): number {
    const at = this.#take(2)
    return this.#bytes[at]! | (this.#bytes[at + 1]! << 8)
  }

  u32(): number {
    return readU32(this.#bytes, this.#take(4))
  }

  u64(): bigint {
    return this.#words().getBigUint64(this.#take(8), true)
  }

  i64(): bigint {
    return this.#words().getBigInt64(this.#take(8), true)
  }

  /** A copy of the next `length` bytes; a fault where `length` is no whole number from 0 to what is left. */
  bytes(length: number): Uint8Array {
    const from = this.#take(length)
    return this.#bytes.slice(from, from + length)
  }

  /** A view of the next `length` bytes, valid as long as the input is; faults as {@link ByteReader.bytes} does. */
  view(length: number): Uint8Array {
    const from = this.#take(length)
    return this.#bytes.subarray(from, from + length)
  }

  /** A copy of all that is left. */
  rest(): Uint8Array {
    return this.bytes(this.remaining)
  }

  /** `u16` length, then UTF-8; malformed UTF-8 is a fault. */
  string16(): string {
    const from = this.#at
    const text = decodeUtf8(this.view(this.u16()))
    if (text === undefined) throw this.#fault({ code: 'codec/utf8', at: from })
    return text
  }

  /** Throws if anything is left. */
  end(): void {
    if (this.remaining > 0) throw this.#fault({ code: 'codec/trailing', at: this.#at, extraBytes: this.remaining })
  }

  #words(): DataView {
    this.#view ??= new DataView(this.#bytes.buffer, this.#bytes.byteOffset, this.#bytes.byteLength)
    return this.#view
  }

  #take(length: number): number {
    const at = this.#at
    // A computed length may be negative where a peer sent too little: that is as short as too long a one.
    if (length >>> 0 !== length || length > this.#bytes.length - at) {
      throw this.#fault({ code: 'codec/short', at, wantBytes: length, gotBytes: this.#bytes.length - at })
    }
    this.#at = at + length
    return at
  }
}
