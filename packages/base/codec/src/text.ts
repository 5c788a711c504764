import { CodecError } from './errors.ts'

const LONE_SURROGATE = /[\ud800-\udfff]/u
const utf8Encoder = new TextEncoder()
const utf8Decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** UTF-8 bytes of a string; a lone surrogate is a caller's mistake. @throws {TypeError} */
export function encodeUtf8(text: string): Uint8Array {
  if (LONE_SURROGATE.test(text)) throw new TypeError('the string holds a lone surrogate')
  return utf8Encoder.encode(text)
}

/** The string, or `undefined` where the bytes are not valid UTF-8. A byte-order mark is kept as a character. */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return utf8Decoder.decode(bytes)
  } catch {
    return undefined
  }
}

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

/** Lower-case hexadecimal. */
export function toHex(bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes) text += HEX[byte]
  return text
}

/** Bytes of a hexadecimal string of either case. @throws {CodecError} `codec/hex` */
export function fromHex(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length >> 1)
  for (let at = 0; at < text.length; at += 2) {
    const high = hexDigit(text.charCodeAt(at))
    const low = hexDigit(text.charCodeAt(at + 1))
    if (high < 0 || low < 0) throw new CodecError({ code: 'codec/hex', at })
    bytes[at >> 1] = (high << 4) | low
  }
  return bytes
}

function hexDigit(code: number): number {
  if (code >= 48 && code <= 57) return code - 48
  const lower = code | 32
  return lower >= 97 && lower <= 102 ? lower - 87 : -1
}

const BASE32 = 'abcdefghijklmnopqrstuvwxyz234567'

/** RFC 4648 base32, lower case, no padding. */
export function toBase32(bytes: Uint8Array): string {
  let text = ''
  let held = 0
  let bits = 0
  for (const byte of bytes) {
    held = ((held << 8) | byte) & 0xfff
    bits += 8
    while (bits >= 5) {
      bits -= 5
      text += BASE32[(held >> bits) & 31]
    }
  }
  return bits > 0 ? text + BASE32[(held << (5 - bits)) & 31] : text
}

/**
 * Bytes of an RFC 4648 base32 string, either case, without padding. Leftover bits must be zero, so that each byte
 * string has one spelling but for case.
 * @throws {CodecError} `codec/base32`
 */
export function fromBase32(text: string): Uint8Array {
  const tail = text.length % 8
  if (tail === 1 || tail === 3 || tail === 6) throw new CodecError({ code: 'codec/base32', at: text.length })
  const bytes = new Uint8Array(Math.floor((text.length * 5) / 8))
  let held = 0
  let bits = 0
  let out = 0
  for (let at = 0; at < text.length; at++) {
    const digit = base32Digit(text.charCodeAt(at))
    if (digit < 0) throw new CodecError({ code: 'codec/base32', at })
    held = ((held << 5) | digit) & 0xfff
    bits += 5
    if (bits >= 8) {
      bits -= 8
      bytes[out++] = (held >> bits) & 0xff
    }
  }
  if ((held & ((1 << bits) - 1)) !== 0) throw new CodecError({ code: 'codec/base32', at: text.length - 1 })
  return bytes
}

function base32Digit(code: number): number {
  const lower = code | 32
  if (lower >= 97 && lower <= 122) return lower - 97
  return code >= 50 && code <= 55 ? code - 24 : -1
}
