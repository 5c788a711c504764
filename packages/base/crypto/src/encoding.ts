import { fromHex } from '@nexus/codec'
import { PUBLIC_KEY_BYTES, SIGNATURE_BYTES } from './limits.ts'

/** p = 2^255 − 19, little-endian. */
const FIELD_PRIME = fromHex('edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f')
/** L = 2^252 + 27742317777372353535851937790883648493, the order of the base point, little-endian. */
const GROUP_ORDER = fromHex('edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010')

/**
 * The y of the eight points of small order: 1, −1, 0 and the two values of order 8. The sign bit only picks between
 * two of these points, or spells one of them in a non-canonical way.
 */
const SMALL_ORDER_Y = [
  fromHex('0100000000000000000000000000000000000000000000000000000000000000'),
  fromHex('ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f'),
  fromHex('0000000000000000000000000000000000000000000000000000000000000000'),
  fromHex('26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05'),
  fromHex('c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a'),
]

/**
 * Whether 32 bytes can be a public key at all: y below p, and not of small order. Being on the curve is for the
 * arithmetic to find. Public input: its time depends on the content.
 */
export function isAcceptableKey(publicKey: Uint8Array): boolean {
  return publicKey.length === PUBLIC_KEY_BYTES && isBelowFieldPrime(publicKey) && !isSmallOrder(publicKey)
}

/** Whether an encoding, of which the first 32 bytes are read, has the y of a point of small order. */
export function isSmallOrder(point: Uint8Array): boolean {
  return SMALL_ORDER_Y.some((y) => hasY(point, y))
}

/** Whether 64 bytes can be a signature: S below L, the y of R below p and not of small order. Public input, variable time. */
export function isAcceptableSignature(signature: Uint8Array): boolean {
  return (
    signature.length === SIGNATURE_BYTES &&
    isBelowGroupOrder(signature, 32) &&
    isBelowFieldPrime(signature) &&
    !isSmallOrder(signature)
  )
}

/** Whether the 32 bytes at `at` are a scalar below L. Public input, variable time. */
export function isBelowGroupOrder(bytes: Uint8Array, at: number): boolean {
  return isBelow(bytes, at, GROUP_ORDER, 0xff)
}

/** Whether the y of an encoding, of which the first 32 bytes are read, is below p. Public input, variable time. */
export function isBelowFieldPrime(point: Uint8Array): boolean {
  return isBelow(point, 0, FIELD_PRIME, 0x7f)
}

/** Compares 32 little-endian bytes at `at` with a bound; `topMask` drops a sign bit. */
function isBelow(bytes: Uint8Array, at: number, bound: Uint8Array, topMask: number): boolean {
  const top = bytes[at + 31]! & topMask
  if (top !== bound[31]) return top < bound[31]!
  for (let index = 30; index >= 0; index--) {
    const difference = bytes[at + index]! - bound[index]!
    if (difference !== 0) return difference < 0
  }
  return false
}

function hasY(point: Uint8Array, y: Uint8Array): boolean {
  if ((point[31]! & 0x7f) !== y[31]) return false
  for (let at = 0; at < 31; at++) if (point[at] !== y[at]) return false
  return true
}
