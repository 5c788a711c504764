import { Buffer } from 'node:buffer'
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto'
import { fromHex } from '@nexus/codec'
import { wipe } from '../bytes.ts'
import { AGREEMENT_KEY_CACHE_MAX, MAPPED_KEY_CACHE_MAX, PUBLIC_KEY_CACHE_MAX, SECRET_KEY_CACHE_MAX } from '../limits.ts'
import type { Crypto } from '../provider.ts'
import { LruMap } from './lru.ts'

type Curve = 'Ed25519' | 'X25519'

/** PKCS #8 (RFC 8410) up to the 32 bytes of the secret. */
const SECRET_PREFIX: Readonly<Record<Curve, Uint8Array>> = {
  Ed25519: fromHex('302e020100300506032b657004220420'),
  X25519: fromHex('302e020100300506032b656e04220420'),
}

/**
 * Imported keys, since an import costs about as much as the operation itself. Public keys enter as JWK, the cheapest way;
 * secrets as DER, which costs 7 µs more and makes no string, since nobody can wipe a string.
 */
export class KeyCache {
  readonly #publicKeys = new LruMap<KeyObject | 'met'>(PUBLIC_KEY_CACHE_MAX)
  readonly #agreementKeys = new LruMap<KeyObject>(AGREEMENT_KEY_CACHE_MAX)
  readonly #mappedKeys = new LruMap<Uint8Array>(MAPPED_KEY_CACHE_MAX)
  readonly #secretKeys: Readonly<Record<Curve, LruMap<KeyObject>>> = {
    Ed25519: new LruMap(SECRET_KEY_CACHE_MAX),
    X25519: new LruMap(SECRET_KEY_CACHE_MAX),
  }
  readonly #blake2b: Crypto['blake2b']
  /** Secrets are looked up by their hash under this key, so that the names of entries give nothing away. */
  readonly #lookupKey: Uint8Array = randomBytes(32)

  constructor(blake2b: Crypto['blake2b']) {
    this.#blake2b = blake2b
  }

  /** How many entries each cache holds. */
  get sizes(): Readonly<Record<'publicKeys' | 'agreementKeys' | 'mappedKeys' | 'secretKeys', number>> {
    const { Ed25519, X25519 } = this.#secretKeys
    return {
      publicKeys: this.#publicKeys.size,
      agreementKeys: this.#agreementKeys.size,
      mappedKeys: this.#mappedKeys.size,
      secretKeys: Ed25519.size + X25519.size,
    }
  }

  /** An Ed25519 public key. */
  publicKey(publicKey: Uint8Array): KeyObject {
    const name = latin1(publicKey)
    const known = this.#publicKeys.get(name)
    return known === undefined || known === 'met' ? this.#addPublicKey(name, publicKey) : known
  }

  /** An Ed25519 public key seen before; at first sight it is only noted, since most keys are met once. */
  publicKeyIfMet(publicKey: Uint8Array): KeyObject | undefined {
    const name = latin1(publicKey)
    const known = this.#publicKeys.get(name)
    if (known === undefined) {
      this.#publicKeys.set(name, 'met')
      return undefined
    }
    return known === 'met' ? this.#addPublicKey(name, publicKey) : known
  }

  /** An X25519 public key. */
  agreementKey(publicKey: Uint8Array): KeyObject {
    const name = latin1(publicKey)
    let key = this.#agreementKeys.get(name)
    if (key === undefined) {
      key = importPublic('X25519', publicKey)
      this.#agreementKeys.set(name, key)
    }
    return key
  }

  /** A copy of the X25519 form of an Ed25519 key, which `map` makes at first; what it throws is not kept. */
  mapped(publicKey: Uint8Array, map: (publicKey: Uint8Array) => Uint8Array): Uint8Array {
    const name = latin1(publicKey)
    let mapped = this.#mappedKeys.get(name)
    if (mapped === undefined) {
      mapped = map(publicKey)
      this.#mappedKeys.set(name, mapped)
    }
    return mapped.slice()
  }

  secretKey(curve: Curve, secret: Uint8Array): KeyObject {
    const name = this.#secretName(secret)
    let key = this.#secretKeys[curve].get(name)
    if (key === undefined) {
      key = importSecret(curve, secret)
      this.#secretKeys[curve].set(name, key)
    }
    return key
  }

  /** Drops and zeroes secrets of either curve. */
  forget(secrets: readonly Uint8Array[]): void {
    for (const secret of secrets) {
      const name = this.#secretName(secret)
      this.#secretKeys.Ed25519.delete(name)
      this.#secretKeys.X25519.delete(name)
      wipe(secret)
    }
  }

  #addPublicKey(name: string, publicKey: Uint8Array): KeyObject {
    const key = importPublic('Ed25519', publicKey)
    this.#publicKeys.set(name, key)
    return key
  }

  #secretName(secret: Uint8Array): string {
    return latin1(this.#blake2b(secret, { key: this.#lookupKey }))
  }
}

/** The raw public key of an imported secret one. */
export function exportPublic(secretKey: KeyObject): Uint8Array {
  return new Uint8Array(Buffer.from(createPublicKey(secretKey).export({ format: 'jwk' }).x!, 'base64url'))
}

/** An X25519 pair made by OpenSSL: half the time of an import, and the secret never leaves it. */
export function generateAgreementKey(): KeyObject {
  return generateKeyPairSync('x25519').privateKey
}

export function importSecret(curve: Curve, secret: Uint8Array): KeyObject {
  const der = Buffer.concat([SECRET_PREFIX[curve], secret])
  const key = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
  wipe(der)
  return key
}

function importPublic(curve: Curve, publicKey: Uint8Array): KeyObject {
  return createPublicKey({ key: { kty: 'OKP', crv: curve, x: base64url(publicKey) }, format: 'jwk' })
}

function base64url(bytes: Uint8Array): string {
  return asBuffer(bytes).toString('base64url')
}

function latin1(bytes: Uint8Array): string {
  return asBuffer(bytes).toString('latin1')
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
