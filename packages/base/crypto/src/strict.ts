import { ed25519 } from '@noble/curves/ed25519.js'
import { sha512 } from '@noble/hashes/sha2.js'
import { isAcceptableKey, isAcceptableSignature } from './encoding.ts'

const { Point } = ed25519

/**
 * RFC 8032 §5.1.7 without the cofactor, and without an R of small order: the encoding of [S]B − [k]A must be R, byte for
 * byte, which no non-canonical R can be. k is reduced modulo L first: with a key of mixed order the verdict depends on it.
 */
export function verifyStrictly(publicKey: Uint8Array, signature: Uint8Array, message: Uint8Array): boolean {
  if (!isAcceptableKey(publicKey) || !isAcceptableSignature(signature)) return false
  const a = decodePoint(publicKey)
  if (a === undefined) return false
  const r = signature.subarray(0, 32)
  const k = Point.Fn.create(littleEndian(sha512.create().update(r).update(publicKey).update(message).digest()))
  const s = littleEndian(signature.subarray(32))
  const expected = Point.BASE.multiplyUnsafe(s).subtract(a.multiplyUnsafe(k)).toBytes()
  return expected.every((byte, at) => byte === r[at])
}

/** The point, or `undefined` where the encoding is not canonical or not on the curve. */
export function decodePoint(bytes: Uint8Array): InstanceType<typeof Point> | undefined {
  try {
    return Point.fromBytes(bytes)
  } catch {
    return undefined
  }
}

/** The number that little-endian bytes spell. */
export function littleEndian(bytes: Uint8Array): bigint {
  let value = 0n
  for (let at = bytes.length - 1; at >= 0; at--) value = (value << 8n) | BigInt(bytes[at]!)
  return value
}
