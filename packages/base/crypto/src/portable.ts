import { chacha20poly1305 } from '@noble/ciphers/chacha.js'
import { ed25519, x25519 } from '@noble/curves/ed25519.js'
import { blake2b } from '@noble/hashes/blake2.js'
import { blake3 } from '@noble/hashes/blake3.js'
import { hkdf } from '@noble/hashes/hkdf.js'
import { hmac } from '@noble/hashes/hmac.js'
import { sha256, sha512 } from '@noble/hashes/sha2.js'
import { wipe } from './bytes.ts'
import {
  assertAeadInput,
  assertHkdfLength,
  assertLength,
  assertRoom,
  blake2bLength,
  writeCounterNonce,
} from './check.ts'
import { isAcceptableKey } from './encoding.ts'
import { CryptoError } from './errors.ts'
import { AUTH_TAG_BYTES, KEY_BYTES, NONCE_BYTES, PUBLIC_KEY_BYTES } from './limits.ts'
import type { Cipher, Crypto, EphemeralKey } from './provider.ts'
import type { RawEd25519 } from './raw.ts'
import { signing } from './signing.ts'
import { decodePoint, verifyStrictly } from './strict.ts'
import { vrf } from './vrf.ts'
import { portableVrfGroup } from './vrf-group.ts'

/** The provider that runs wherever JavaScript does, on the audited noble libraries. */
export function portable(): Crypto {
  return {
    name: 'portable',
    sha256: (data) => sha256(data),
    sha512: (data) => sha512(data),
    hkdfSha256(secret, salt, info, length) {
      assertHkdfLength(length)
      return hkdf(sha256, secret, salt, info, length)
    },
    hmacSha256: (key, data) => hmac(sha256, key, data),
    blake2b(data, options) {
      const dkLen = blake2bLength(options)
      return options?.key === undefined ? blake2b(data, { dkLen }) : blake2b(data, { dkLen, key: options.key })
    },
    blake3(data, key) {
      if (key === undefined) return blake3(data)
      assertLength('a BLAKE3 key', key, KEY_BYTES)
      return blake3(data, { key })
    },
    publicKey,
    ...signing(raw),
    ...vrf(portableVrfGroup, sha512, publicKey),
    x25519PublicKey(secret) {
      assertLength('the secret', secret, KEY_BYTES)
      return x25519.getPublicKey(secret)
    },
    x25519: sharedSecret,
    ephemeralKey: (random) => new PortableEphemeralKey(random(KEY_BYTES)),
    toX25519Public,
    toX25519Secret(seed) {
      assertLength('the seed', seed, KEY_BYTES)
      return ed25519.utils.toMontgomerySecret(seed)
    },
    forget: wipe,
    seal(key, nonce, associated, plaintext) {
      assertAeadInput(key, nonce)
      return chacha20poly1305(key, nonce, associated).encrypt(plaintext)
    },
    open(key, nonce, associated, sealed) {
      assertAeadInput(key, nonce)
      return openSealed(key, nonce, associated, sealed)
    },
    cipher: (key) => new PortableCipher(key),
  }
}

const raw: RawEd25519 = {
  sign(seed, message) {
    assertLength('the seed', seed, KEY_BYTES)
    return ed25519.sign(message, seed)
  },
  verify: verifyStrictly,
}

function publicKey(seed: Uint8Array): Uint8Array {
  assertLength('the seed', seed, KEY_BYTES)
  return ed25519.getPublicKey(seed)
}

function sharedSecret(secret: Uint8Array, publicKey: Uint8Array): Uint8Array {
  assertLength('the secret', secret, KEY_BYTES)
  assertLength('the public key', publicKey, PUBLIC_KEY_BYTES)
  try {
    return x25519.getSharedSecret(secret, publicKey)
  } catch {
    // With both lengths right, the all-zero result is the one thing that noble refuses.
    throw new CryptoError({ code: 'crypto/zero-shared' })
  }
}

function toX25519Public(publicKey: Uint8Array): Uint8Array {
  const point = isAcceptableKey(publicKey) ? decodePoint(publicKey) : undefined
  if (point === undefined || !point.isTorsionFree()) throw new CryptoError({ code: 'crypto/public-key' })
  return ed25519.utils.toMontgomery(publicKey)
}

function openSealed(
  key: Uint8Array,
  nonce: Uint8Array,
  associated: Uint8Array,
  sealed: Uint8Array,
): Uint8Array | undefined {
  if (sealed.length < AUTH_TAG_BYTES) return undefined
  try {
    return chacha20poly1305(key, nonce, associated).decrypt(sealed)
  } catch {
    return undefined
  }
}

class PortableEphemeralKey implements EphemeralKey {
  readonly publicKey: Uint8Array
  readonly #secret: Uint8Array
  #wiped = false

  constructor(secret: Uint8Array) {
    assertLength('the secret', secret, KEY_BYTES)
    this.#secret = Uint8Array.from(secret)
    this.publicKey = x25519.getPublicKey(this.#secret)
  }

  agree(publicKey: Uint8Array): Uint8Array {
    if (this.#wiped) throw new CryptoError({ code: 'crypto/wiped' })
    return sharedSecret(this.#secret, publicKey)
  }

  wipe(): void {
    wipe(this.#secret)
    this.#wiped = true
  }
}

class PortableCipher implements Cipher {
  readonly #key: Uint8Array
  readonly #nonce = new Uint8Array(NONCE_BYTES)
  #wiped = false

  constructor(key: Uint8Array) {
    assertLength('the key', key, KEY_BYTES)
    // Not slice(): that of a Buffer would share the memory of the caller.
    this.#key = Uint8Array.from(key)
  }

  seal(counter: number, associated: Uint8Array, plaintext: Uint8Array, out: Uint8Array, at: number): number {
    this.#ready(counter)
    assertRoom(out, at, plaintext.length + AUTH_TAG_BYTES)
    const sealed = chacha20poly1305(this.#key, this.#nonce, associated).encrypt(plaintext)
    out.set(sealed, at)
    return sealed.length
  }

  open(counter: number, associated: Uint8Array, sealed: Uint8Array, out: Uint8Array, at: number): number {
    this.#ready(counter)
    if (sealed.length < AUTH_TAG_BYTES) return -1
    assertRoom(out, at, sealed.length - AUTH_TAG_BYTES)
    const plaintext = openSealed(this.#key, this.#nonce, associated, sealed)
    if (plaintext === undefined) return -1
    out.set(plaintext, at)
    return plaintext.length
  }

  wipe(): void {
    wipe(this.#key)
    this.#wiped = true
  }

  #ready(counter: number): void {
    if (this.#wiped) throw new CryptoError({ code: 'crypto/wiped' })
    writeCounterNonce(counter, this.#nonce)
  }
}
