import { type Crypto, PUBLIC_KEY_BYTES, type VrfProver } from '@nexus/crypto'
import { NODE_ID_BYTES, SEED_BYTES } from './limits.ts'

/** A node's keys at work. The seed stays inside: what is printed or serialised shows public parts only. */
export interface Identity {
  /** 16 bytes: {@link nodeIdOf} the public key. */
  readonly nodeId: Uint8Array
  /** Ed25519, 32 bytes. */
  readonly publicKey: Uint8Array
  /** The X25519 form of the public key, 32 bytes. */
  readonly agreementKey: Uint8Array
  /** The X25519 secret of {@link agreementKey}, 32 bytes, for Noise handshakes. */
  readonly agreementSecret: Uint8Array
  /** Signs an 8-character tag and the parts. @throws {CryptoError} `crypto/tag`, `crypto/message-length` */
  sign(tag: string, ...parts: readonly Uint8Array[]): Uint8Array
  /** The 80-byte VRF proof over any bytes, which {@link publicKey} verifies (RFC 9381, suite 0x03). */
  prove(alpha: Uint8Array): Uint8Array
  /** The X25519 shared secret. @throws {CryptoError} `crypto/zero-shared` */
  agree(theirAgreementKey: Uint8Array): Uint8Array
}

/** The identity of a 32-byte seed, which is copied (docs/spec/identity.md). @throws {RangeError} for another length */
export function createIdentity(crypto: Crypto, seed: Uint8Array): Identity {
  if (seed.length !== SEED_BYTES) throw new RangeError(`a seed has ${SEED_BYTES} bytes, not ${seed.length}`)
  return new KeyedIdentity(crypto, seed.slice())
}

/** BLAKE2b-256(public key)[0..16]. @throws {RangeError} unless the key has 32 bytes */
export function nodeIdOf(crypto: Crypto, publicKey: Uint8Array): Uint8Array {
  if (publicKey.length !== PUBLIC_KEY_BYTES) {
    throw new RangeError(`a public key has ${PUBLIC_KEY_BYTES} bytes, not ${publicKey.length}`)
  }
  return crypto.blake2b(publicKey).slice(0, NODE_ID_BYTES)
}

class KeyedIdentity implements Identity {
  readonly nodeId: Uint8Array
  readonly publicKey: Uint8Array
  readonly agreementKey: Uint8Array
  readonly #crypto: Crypto
  readonly #seed: Uint8Array
  readonly #agreementSecret: Uint8Array
  /** Made by the first proof: most identities of a process never play. */
  #prover: VrfProver | undefined

  constructor(crypto: Crypto, seed: Uint8Array) {
    this.#crypto = crypto
    this.#seed = seed
    this.publicKey = crypto.publicKey(seed)
    this.nodeId = nodeIdOf(crypto, this.publicKey)
    this.agreementKey = crypto.toX25519Public(this.publicKey)
    this.#agreementSecret = crypto.toX25519Secret(seed)
  }

  get agreementSecret(): Uint8Array {
    return this.#agreementSecret
  }

  sign(tag: string, ...parts: readonly Uint8Array[]): Uint8Array {
    return this.#crypto.sign(this.#seed, tag, ...parts)
  }

  prove(alpha: Uint8Array): Uint8Array {
    this.#prover ??= this.#crypto.vrfProver(this.#seed)
    return this.#prover.prove(alpha)
  }

  agree(theirAgreementKey: Uint8Array): Uint8Array {
    return this.#crypto.x25519(this.#agreementSecret, theirAgreementKey)
  }
}
