import { concatBytes } from '@nexus/codec'
import type { Random } from '@nexus/crypto'
import { truncated } from './bytes.ts'
import { hkdf, type ReticulumCrypto } from './crypto.ts'
import { ReticulumError } from './errors.ts'
import { IDENTITY_KEY_BYTES, RATCHET_ID_BYTES } from './limits.ts'
import { openToken, sealToken } from './token.ts'

const HALF = 32
const SHARED_KEY_BYTES = 64

/** The public half of an identity: `X25519 32 | Ed25519 32`. */
export class RemoteIdentity {
  readonly publicKey: Uint8Array
  /** 16 bytes: the truncated SHA-256 of the public key. */
  readonly hash: Uint8Array
  /** What it computes with. */
  readonly crypto: ReticulumCrypto

  /** @throws {ReticulumError} `reticulum/length` */
  constructor(crypto: ReticulumCrypto, publicKey: Uint8Array) {
    if (publicKey.length !== IDENTITY_KEY_BYTES) {
      throw new ReticulumError({ code: 'reticulum/length', what: 'a public key', gotBytes: publicKey.length })
    }
    this.crypto = crypto
    this.publicKey = publicKey.slice()
    this.hash = truncated(crypto.sha256(publicKey))
  }

  get encryptionKey(): Uint8Array {
    return this.publicKey.subarray(0, HALF)
  }

  get signingKey(): Uint8Array {
    return this.publicKey.subarray(HALF)
  }

  verify(signature: Uint8Array, message: Uint8Array): boolean {
    return this.crypto.verify(this.signingKey, signature, message)
  }

  /**
   * `ephemeral X25519 32 | token`, for this identity alone.
   * @param ratchet the public key to use instead of the identity's own, where one is known
   * @throws {ReticulumError} `reticulum/form` where the key agrees on nothing
   */
  encrypt(plaintext: Uint8Array, random: Random, ratchet: Uint8Array = this.encryptionKey): Uint8Array {
    const ephemeral = this.crypto.ephemeralKey(random)
    const shared = ephemeral.agree(ratchet)
    ephemeral.wipe()
    if (shared === undefined) {
      throw new ReticulumError({ code: 'reticulum/form', what: 'a public key', why: 'of small order' })
    }
    const key = hkdf(this.crypto, SHARED_KEY_BYTES, shared, this.hash)
    return concatBytes(ephemeral.publicKey, sealToken(this.crypto, key, plaintext, random))
  }
}

/** What decryption gives: the plaintext, and the id of the ratchet that opened it, if it was one. */
export interface Opened {
  readonly plaintext: Uint8Array
  readonly ratchetId: Uint8Array | undefined
}

/** Keys of a Reticulum identity: `X25519 secret 32 | Ed25519 seed 32`, the bytes of Reticulum's identity files. */
export class Identity extends RemoteIdentity {
  readonly #secret: Uint8Array
  readonly #seed: Uint8Array

  /** @throws {ReticulumError} `reticulum/length` for other than 64 bytes, as a damaged file has */
  constructor(crypto: ReticulumCrypto, privateKey: Uint8Array) {
    if (privateKey.length !== IDENTITY_KEY_BYTES) {
      throw new ReticulumError({ code: 'reticulum/length', what: 'a private key', gotBytes: privateKey.length })
    }
    const secret = privateKey.slice(0, HALF)
    const seed = privateKey.slice(HALF)
    super(crypto, concatBytes(crypto.x25519PublicKey(secret), crypto.ed25519PublicKey(seed)))
    this.#secret = secret
    this.#seed = seed
  }

  /** A new identity. */
  static generate(crypto: ReticulumCrypto, random: Random): Identity {
    return new Identity(crypto, random(IDENTITY_KEY_BYTES))
  }

  /** The 64 bytes to keep, as Reticulum's identity files hold them. A secret. */
  exportPrivateKey(): Uint8Array {
    return concatBytes(this.#secret, this.#seed)
  }

  sign(message: Uint8Array): Uint8Array {
    return this.crypto.sign(this.#seed, message)
  }

  /**
   * Opens what {@link RemoteIdentity.encrypt} sealed: with the ratchets first (secrets, newest first), then with the
   * identity's own key unless `ratchetsOnly`. `undefined` where no key fits.
   */
  decrypt(ciphertext: Uint8Array, ratchets: readonly Uint8Array[] = [], ratchetsOnly = false): Opened | undefined {
    if (ciphertext.length <= HALF) return undefined
    for (const ratchet of ratchets) {
      const plaintext = this.#open(ratchet, ciphertext)
      if (plaintext !== undefined)
        return { plaintext, ratchetId: ratchetId(this.crypto, this.crypto.x25519PublicKey(ratchet)) }
    }
    const plaintext = ratchetsOnly ? undefined : this.#open(this.#secret, ciphertext)
    return plaintext && { plaintext, ratchetId: undefined }
  }

  #open(secret: Uint8Array, ciphertext: Uint8Array): Uint8Array | undefined {
    const shared = this.crypto.x25519(secret, ciphertext.subarray(0, HALF))
    if (shared === undefined) return undefined
    return openToken(this.crypto, hkdf(this.crypto, SHARED_KEY_BYTES, shared, this.hash), ciphertext.subarray(HALF))
  }
}

/** 10 bytes that name a ratchet's public key. */
export function ratchetId(crypto: ReticulumCrypto, ratchetPublicKey: Uint8Array): Uint8Array {
  return crypto.sha256(ratchetPublicKey).slice(0, RATCHET_ID_BYTES)
}
