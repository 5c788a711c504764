import { encodeUtf8 } from '@nexus/codec'
import { sha256 } from '@noble/hashes/sha2.js'
import type { Random } from '../provider.ts'

/**
 * Bytes that a seed decides, for tests and simulations that must repeat: xoshiro128** from the SHA-256 of the seed.
 * NOT for production: anyone who sees a few outputs can compute the rest.
 */
export function seededRandom(seed: number | string): Random {
  const state = sha256(encodeUtf8(`${typeof seed} ${seed}`))
  const word = new DataView(state.buffer)
  let a = word.getUint32(0, true)
  let b = word.getUint32(4, true)
  let c = word.getUint32(8, true)
  let d = word.getUint32(12, true)
  const next = (): number => {
    const product = Math.imul(b, 5)
    const result = Math.imul((product << 7) | (product >>> 25), 9)
    const shifted = b << 9
    c ^= a
    d ^= b
    b ^= c
    a ^= d
    c ^= shifted
    d = (d << 11) | (d >>> 21)
    return result
  }
  return (length) => {
    const bytes = new Uint8Array(length)
    for (let at = 0; at < length; at += 4) {
      const value = next()
      bytes[at] = value
      bytes[at + 1] = value >>> 8
      bytes[at + 2] = value >>> 16
      bytes[at + 3] = value >>> 24
    }
    return bytes
  }
}
