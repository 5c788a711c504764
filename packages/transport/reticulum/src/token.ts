import { concatBytes } from '@nexus/codec'
import { equalConstantTime, type Random } from '@nexus/crypto'
import type { AesKey, ReticulumCrypto } from './crypto.ts'
import { HASH_BYTES, TOKEN_IV_BYTES, TOKEN_OVERHEAD_BYTES } from './limits.ts'

const BLOCK_BYTES = 16

/** Bytes of the token of a plaintext. */
export function tokenBytes(plaintextBytes: number): number {
  return TOKEN_OVERHEAD_BYTES + (Math.floor(plaintextBytes / BLOCK_BYTES) + 1) * BLOCK_BYTES
}

/**
 * A key for tokens: `IV 16 | AES-CBC, PKCS#7 | HMAC-SHA-256 over both` (docs/spec/reticulum.md). 64 bytes mean AES-256, 32
 * mean AES-128; the first half authenticates. The bytes are used where they are, until they are zeroed.
 */
export class TokenKey {
  readonly #crypto: ReticulumCrypto
  readonly #signing: Uint8Array
  readonly #aes: AesKey

  /** @throws {RangeError} for a key of another length */
  constructor(crypto: ReticulumCrypto, key: Uint8Array) {
    if (key.length !== 64 && key.length !== 32) throw new RangeError(`a token key of ${key.length} bytes`)
    this.#crypto = crypto
    this.#signing = key.subarray(0, key.length / 2)
    this.#aes = crypto.aes(key.subarray(key.length / 2))
  }

  seal(plaintext: Uint8Array, random: Random): Uint8Array {
    const iv = random(TOKEN_IV_BYTES)
    const token = new Uint8Array(tokenBytes(plaintext.length))
    token.set(iv)
    token.set(this.#aes.encrypt(iv, padded(plaintext)), TOKEN_IV_BYTES)
    const signed = token.length - HASH_BYTES
    token.set(this.#crypto.hmacSha256(this.#signing, token.subarray(0, signed)), signed)
    return token
  }

  /** The plaintext, or `undefined` where the token is not of this key. */
  open(token: Uint8Array): Uint8Array | undefined {
    const signed = token.length - HASH_BYTES
    if (signed < TOKEN_IV_BYTES + BLOCK_BYTES || signed % BLOCK_BYTES !== 0) return undefined
    const mac = this.#crypto.hmacSha256(this.#signing, token.subarray(0, signed))
    if (!equalConstantTime(mac, token.subarray(signed))) return undefined
    return unpadded(this.#aes.decrypt(token.subarray(0, TOKEN_IV_BYTES), token.subarray(TOKEN_IV_BYTES, signed)))
  }
}

/** {@link TokenKey.seal} with a key of one use. */
export function sealToken(crypto: ReticulumCrypto, key: Uint8Array, plaintext: Uint8Array, random: Random): Uint8Array {
  return new TokenKey(crypto, key).seal(plaintext, random)
}

/** {@link TokenKey.open} with a key of one use. */
export function openToken(crypto: ReticulumCrypto, key: Uint8Array, token: Uint8Array): Uint8Array | undefined {
  return new TokenKey(crypto, key).open(token)
}

/** PKCS#7 (RFC 5652 section 6.3). */
export function padded(data: Uint8Array): Uint8Array {
  const count = BLOCK_BYTES - (data.length % BLOCK_BYTES)
  return concatBytes(data, new Uint8Array(count).fill(count))
}

/** Takes off what the last byte counts, as Reticulum does: the other bytes of the padding are under the HMAC anyway. */
function unpadded(data: Uint8Array): Uint8Array | undefined {
  const count = data[data.length - 1]!
  return count > BLOCK_BYTES ? undefined : data.subarray(0, data.length - count)
}
