import { decodeUtf8, encodeUtf8 } from '@nexus/codec'
import { ReticulumError } from './errors.ts'
import { MSGPACK_DEPTH_MAX } from './limits.ts'

/**
 * A value of msgpack. Whole numbers that are safe in JavaScript are integers on the wire, all others float64; integers
 * beyond 2^53 are `bigint`. Maps come as `Map`; a plain object may be given for one with text keys.
 */
export type MsgPack =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | readonly MsgPack[]
  | ReadonlyMap<MsgPack, MsgPack>
  | { readonly [key: string]: MsgPack }

/** A number that is a float64 on the wire, whole or not: what Reticulum sends times as. */
export class Float64 {
  readonly value: number
  constructor(value: number) {
    this.value = value
  }
}

/** Writes a value in the shortest form (msgpack specification, 2013). @throws {TypeError} for what msgpack has no form of */
export function encodeMsgPack(value: MsgPack | Float64 | readonly (MsgPack | Float64)[]): Uint8Array {
  const writer = new Writer()
  writer.value(value, 0)
  return writer.finish()
}

class Writer {
  #bytes = new Uint8Array(256)
  #view = new DataView(this.#bytes.buffer)
  #at = 0

  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#at)
  }

  value(value: unknown, depth: number): void {
    if (depth > MSGPACK_DEPTH_MAX) throw new TypeError('nested too deeply')
    if (value === null) this.#u8(0xc0)
    else if (typeof value === 'boolean') this.#u8(value ? 0xc3 : 0xc2)
    else if (typeof value === 'number') this.#number(value)
    else if (typeof value === 'bigint') this.#bigint(value)
    else if (typeof value === 'string') this.#text(encodeUtf8(value))
    else if (value instanceof Uint8Array) this.#binary(value)
    else if (value instanceof Float64) this.#float(value.value)
    else if (Array.isArray(value)) {
      this.#head(value.length, 0x90, 16, 0xdc)
      for (const item of value) this.value(item, depth + 1)
    } else if (value instanceof Map) this.#map([...value], depth)
    else if (typeof value === 'object') this.#map(Object.entries(value as object), depth)
    else throw new TypeError(`msgpack has no form of ${typeof value}`)
  }

  #map(entries: readonly (readonly [unknown, unknown])[], depth: number): void {
    this.#head(entries.length, 0x80, 16, 0xde)
    for (const [key, item] of entries) {
      this.value(key, depth + 1)
      this.value(item, depth + 1)
    }
  }

  #number(value: number): void {
    if (!Number.isSafeInteger(value) || Object.is(value, -0)) this.#float(value)
    else if (value >= 0x1_0000_0000 || value < -0x8000_0000) this.#bigint(BigInt(value))
    else if (value >= 0) {
      if (value < 0x80) this.#u8(value)
      else if (value < 0x100) this.#u8(0xcc, value)
      else if (value < 0x1_0000) this.#u16(0xcd, value)
      else this.#u32(0xce, value)
    } else if (value >= -0x20) this.#u8(value & 0xff)
    else if (value >= -0x80) this.#u8(0xd0, value & 0xff)
    else if (value >= -0x8000) this.#u16(0xd1, value & 0xffff)
    else this.#u32(0xd2, value >>> 0)
  }

  #bigint(value: bigint): void {
    if (value >= -0x8000_0000n && value < 0x1_0000_0000n) {
      this.#number(Number(value))
      return
    }
    if (value < -(1n << 63n) || value >= 1n << 64n) throw new TypeError('msgpack integers have 64 bits')
    this.#grow(9)
    this.#view.setUint8(this.#at, value < 0n ? 0xd3 : 0xcf)
    this.#view.setBigUint64(this.#at + 1, BigInt.asUintN(64, value))
    this.#at += 9
  }

  #float(value: number): void {
    this.#grow(9)
    this.#view.setUint8(this.#at, 0xcb)
    this.#view.setFloat64(this.#at + 1, value)
    this.#at += 9
  }

  #text(bytes: Uint8Array): void {
    const { length } = bytes
    if (length < 32) this.#u8(0xa0 | length)
    else if (length < 0x100) this.#u8(0xd9, length)
    else if (length < 0x1_0000) this.#u16(0xda, length)
    else this.#u32(0xdb, length)
    this.#raw(bytes)
  }

  #binary(bytes: Uint8Array): void {
    const { length } = bytes
    if (length < 0x100) this.#u8(0xc4, length)
    else if (length < 0x1_0000) this.#u16(0xc5, length)
    else this.#u32(0xc6, length)
    this.#raw(bytes)
  }

  #head(count: number, short: number, shortMax: number, code16: number): void {
    if (count < shortMax) this.#u8(short | count)
    else if (count < 0x1_0000) this.#u16(code16, count)
    else this.#u32(code16 + 1, count)
  }

  #u8(...bytes: readonly number[]): void {
    this.#grow(bytes.length)
    for (const byte of bytes) this.#bytes[this.#at++] = byte
  }

  #u16(code: number, value: number): void {
    this.#u8(code, value >>> 8, value & 0xff)
  }

  #u32(code: number, value: number): void {
    this.#u8(code, value >>> 24, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff)
  }

  #raw(bytes: Uint8Array): void {
    this.#grow(bytes.length)
    this.#bytes.set(bytes, this.#at)
    this.#at += bytes.length
  }

  #grow(bytes: number): void {
    if (this.#at + bytes <= this.#bytes.length) return
    const larger = new Uint8Array(Math.max(2 * this.#bytes.length, this.#at + bytes))
    larger.set(this.#bytes)
    this.#bytes = larger
    this.#view = new DataView(larger.buffer)
  }
}

/**
 * Reads one value that fills `bytes`. Numbers may be in a longer form than needed, as other encoders write them; nothing
 * is allocated by a length that the bytes do not bear out. Byte strings are copies.
 *
 * @throws {ReticulumError} `reticulum/msgpack`
 */
export function decodeMsgPack(bytes: Uint8Array): MsgPack {
  const reader = new Reader(bytes)
  const value = reader.value(0)
  reader.end()
  return value
}

class Reader {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  end(): void {
    if (this.#at < this.#bytes.length) this.#fail('more than one value')
  }

  value(depth: number): MsgPack {
    if (depth > MSGPACK_DEPTH_MAX) this.#fail('nested too deeply')
    const code = this.#view.getUint8(this.#take(1))
    if (code < 0x80) return code
    if (code < 0x90) return this.#map(code & 0x0f, depth)
    if (code < 0xa0) return this.#array(code & 0x0f, depth)
    if (code < 0xc0) return this.#text(code & 0x1f)
    if (code >= 0xe0) return code - 0x100
    return this.#coded(code, depth)
  }

  #coded(code: number, depth: number): MsgPack {
    switch (code) {
      case 0xc0:
        return null
      case 0xc2:
        return false
      case 0xc3:
        return true
      case 0xc4:
      case 0xc5:
      case 0xc6:
        return this.#raw(this.#length(code - 0xc4)).slice()
      case 0xca:
        return this.#view.getFloat32(this.#take(4))
      case 0xcb:
        return this.#view.getFloat64(this.#take(8))
      case 0xcc:
      case 0xcd:
      case 0xce:
        return this.#length(code - 0xcc)
      case 0xcf:
        return small(this.#view.getBigUint64(this.#take(8)))
      case 0xd0:
        return this.#view.getInt8(this.#take(1))
      case 0xd1:
        return this.#view.getInt16(this.#take(2))
      case 0xd2:
        return this.#view.getInt32(this.#take(4))
      case 0xd3:
        return small(this.#view.getBigInt64(this.#take(8)))
      case 0xd9:
      case 0xda:
      case 0xdb:
        return this.#text(this.#length(code - 0xd9))
      case 0xdc:
      case 0xdd:
        return this.#array(this.#length(code - 0xdc + 1), depth)
      case 0xde:
      case 0xdf:
        return this.#map(this.#length(code - 0xde + 1), depth)
      default:
        return this.#fail(`type 0x${code.toString(16)}`)
    }
  }

  /** An unsigned number of 1, 2 or 4 bytes, by `size` 0, 1 or 2. */
  #length(size: number): number {
    if (size === 0) return this.#view.getUint8(this.#take(1))
    return size === 1 ? this.#view.getUint16(this.#take(2)) : this.#view.getUint32(this.#take(4))
  }

  #array(count: number, depth: number): MsgPack[] {
    this.#expect(count)
    const items: MsgPack[] = []
    for (let i = 0; i < count; i++) items.push(this.value(depth + 1))
    return items
  }

  #map(count: number, depth: number): Map<MsgPack, MsgPack> {
    this.#expect(2 * count)
    const map = new Map<MsgPack, MsgPack>()
    for (let i = 0; i < count; i++) {
      const key = this.value(depth + 1)
      map.set(key, this.value(depth + 1))
    }
    return map
  }

  #text(length: number): string {
    return decodeUtf8(this.#raw(length)) ?? this.#fail('malformed UTF-8')
  }

  #raw(length: number): Uint8Array {
    const at = this.#take(length)
    return this.#bytes.subarray(at, at + length)
  }

  /** Every item takes at least a byte. */
  #expect(items: number): void {
    if (items > this.#bytes.length - this.#at) this.#fail('cut short')
  }

  #take(length: number): number {
    if (length > this.#bytes.length - this.#at) this.#fail('cut short')
    const at = this.#at
    this.#at += length
    return at
  }

  #fail(why: string): never {
    throw new ReticulumError({ code: 'reticulum/msgpack', at: this.#at, why })
  }
}

function small(value: bigint): number | bigint {
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : value
}
