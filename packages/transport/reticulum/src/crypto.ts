import { type Crypto, CryptoError, type Random } from '@nexus/crypto'
import { rawEd25519 } from '@nexus/crypto/raw'
import { cbc } from '@noble/ciphers/aes.js'

/** AES-CBC without padding under one key; the length of the input is a multiple of 16 bytes. */
export interface AesKey {
  encrypt(iv: Uint8Array, padded: Uint8Array): Uint8Array
  decrypt(iv: Uint8Array, ciphertext: Uint8Array): Uint8Array
}

/** Makes a key of 16 or 32 bytes ready, which on Node takes longer than to use it. */
export type AesCbc = (key: Uint8Array) => AesKey

/** What Reticulum computes with. Its keys are never keys of a NEXUS identity: here Ed25519 signs bytes as they stand. */
export interface ReticulumCrypto {
  readonly name: string
  sha256(data: Uint8Array): Uint8Array
  hmacSha256(key: Uint8Array, data: Uint8Array): Uint8Array
  readonly aes: AesCbc
  x25519PublicKey(secret: Uint8Array): Uint8Array
  /** A key pair of one use. */
  ephemeralKey(random: Random): Ephemeral
  /** `undefined` for an all-zero result. */
  x25519(secret: Uint8Array, publicKey: Uint8Array): Uint8Array | undefined
  ed25519PublicKey(seed: Uint8Array): Uint8Array
  sign(seed: Uint8Array, message: Uint8Array): Uint8Array
  /** Strict, as everywhere in NEXUS: keys of small order verify nothing, though Reticulum lets some pass. */
  verify(publicKey: Uint8Array, signature: Uint8Array, message: Uint8Array): boolean
  /** Drops what is kept of secrets that are no longer needed, and zeroes them. */
  forget(...secrets: readonly Uint8Array[]): void
}

/** A key pair of one use, which gives its secret up with {@link Ephemeral.wipe}. */
export interface Ephemeral {
  readonly publicKey: Uint8Array
  /** `undefined` for an all-zero result. */
  agree(publicKey: Uint8Array): Uint8Array | undefined
  wipe(): void
}

/** AES-CBC of @noble/ciphers: anywhere. */
export const portableAes: AesCbc = (key) => ({
  encrypt: (iv, padded) => cbc(key, iv, { disablePadding: true }).encrypt(padded),
  decrypt: (iv, ciphertext) => cbc(key, iv, { disablePadding: true }).decrypt(ciphertext),
})

/** Reticulum's primitives from a provider of @nexus/crypto. @throws {TypeError} for a provider that is not of that package */
export function reticulumCrypto(crypto: Crypto, aes: AesCbc = portableAes): ReticulumCrypto {
  const raw = rawEd25519(crypto)
  return {
    name: crypto.name,
    sha256: (data) => crypto.sha256(data),
    hmacSha256: (key, data) => crypto.hmacSha256(key, data),
    aes,
    x25519PublicKey: (secret) => crypto.x25519PublicKey(secret),
    ephemeralKey(random) {
      const key = crypto.ephemeralKey(random)
      return {
        publicKey: key.publicKey,
        agree: (publicKey) => unlessZero(() => key.agree(publicKey)),
        wipe: () => key.wipe(),
      }
    },
    x25519: (secret, publicKey) => unlessZero(() => crypto.x25519(secret, publicKey)),
    ed25519PublicKey: (seed) => crypto.publicKey(seed),
    sign: (seed, message) => raw.sign(seed, message),
    verify: (publicKey, signature, message) =>
      publicKey.length === 32 && signature.length === 64 && raw.verify(publicKey, signature, message),
    forget: (...secrets) => crypto.forget(...secrets),
  }
}

function unlessZero(agree: () => Uint8Array): Uint8Array | undefined {
  try {
    return agree()
  } catch (error) {
    if (error instanceof CryptoError && error.detail.code === 'crypto/zero-shared') return undefined
    throw error
  }
}

/**
 * HKDF-SHA256 as Reticulum computes it (docs/spec/reticulum.md): an absent or empty salt is 32 zero bytes, and the block
 * counter goes on from 255 to 0, where RFC 5869 ends; access codes of long packets need that.
 */
export function hkdf(
  crypto: Pick<ReticulumCrypto, 'hmacSha256'>,
  length: number,
  secret: Uint8Array,
  salt?: Uint8Array,
  context: Uint8Array = new Uint8Array(0),
): Uint8Array {
  const key = crypto.hmacSha256(salt === undefined || salt.length === 0 ? new Uint8Array(32) : salt, secret)
  const output = new Uint8Array(length)
  const input = new Uint8Array(32 + context.length + 1)
  input.set(context, 32)
  for (let at = 0, counter = 1; at < length; at += 32, counter++) {
    input[input.length - 1] = counter & 0xff
    const block = crypto.hmacSha256(key, at === 0 ? input.subarray(32) : input)
    output.set(block.subarray(0, Math.min(32, length - at)), at)
    input.set(block)
  }
  return output
}
