import { compareBytes, concatBytes, encodeUtf8 } from '@nexus/codec'
import { type Crypto, portable } from '@nexus/crypto'

/**
 * Stand-ins for the primitives, for simulations of millions of datagrams: every check fails where the real one would for
 * wrong bytes, but anyone could forge. Nobody forges in those simulations; what forgers do is tested with real primitives.
 */
export function fastCrypto(): Crypto {
  const mac = (key: Uint8Array, data: Uint8Array): Uint8Array => digest(32, 1, key, data)
  const publicKey = (seed: Uint8Array): Uint8Array => digest(32, 2, seed)
  const signature = (key: Uint8Array, tag: string, parts: readonly Uint8Array[]): Uint8Array =>
    digest(64, 3, key, encodeUtf8(tag), ...parts)
  const fast: Partial<Crypto> = {
    name: 'stand-in',
    publicKey,
    hmacSha256: mac,
    hkdfSha256: (secret, salt, info, length) => digest(length, 4, secret, salt, info),
    blake2b: (data, { length = 32, key = new Uint8Array(0) } = {}) => digest(length, 5, key, data),
    sign: (seed, tag, ...parts) => signature(publicKey(seed), tag, parts),
    verify: (key, given, tag, ...parts) => compareBytes(given, signature(key, tag, parts)) === 0,
    toX25519Public: (key) => key,
    toX25519Secret: (seed) => seed,
    x25519: (secret, other) => {
      const own = publicKey(secret)
      return compareBytes(own, other) < 0 ? digest(32, 6, own, other) : digest(32, 6, other, own)
    },
    seal: (key, nonce, _associated, plaintext) => {
      const pad = digest(plaintext.length, 7, key, nonce)
      const sealed = plaintext.map((byte, at) => byte ^ pad[at]!)
      return concatBytes(sealed, digest(16, 8, key, sealed))
    },
    open: (key, nonce, _associated, sealed) => {
      const body = sealed.subarray(0, -16)
      if (compareBytes(digest(16, 8, key, body), sealed.subarray(-16)) !== 0) return undefined
      const pad = digest(body.length, 7, key, nonce)
      return body.map((byte, at) => byte ^ pad[at]!)
    },
  }
  return { ...portable(), ...fast }
}

/** Two lanes of a multiplicative hash, squeezed to any length. */
function digest(length: number, domain: number, ...parts: readonly Uint8Array[]): Uint8Array {
  let a = 0x811c9dc5 ^ domain
  let b = 0x9e3779b9 + domain
  for (const part of parts) {
    for (let at = 0; at < part.length; at++) {
      const byte = part[at]!
      a = Math.imul(a ^ byte, 0x01000193)
      b = Math.imul((b ^ byte) + (b >>> 15), 0x85ebca6b)
    }
    a = Math.imul(a ^ part.length, 0xc2b2ae35)
  }
  const out = new Uint8Array(length)
  for (let at = 0; at < length; at += 4) {
    a = Math.imul(a ^ (b >>> 13) ^ at, 0x85ebca6b)
    b = Math.imul(b ^ (a >>> 16), 0xc2b2ae35)
    const word = a ^ b
    out[at] = word
    out[at + 1] = word >>> 8
    out[at + 2] = word >>> 16
    out[at + 3] = word >>> 24
  }
  return out
}
