import { Buffer } from 'node:buffer'
import { createPrivateKey, createPublicKey, type KeyObject, randomBytes } from 'node:crypto'
import { PUBLIC_KEY_CACHE_MAX, SECRET_KEY_CACHE_MAX } from '../limits.ts'
import type { Crypto } from '../provider.ts'
import { LruMap } from './lru.ts'

type Curve = 'Ed25519' | 'X25519'

/** A JWK must name a public key; OpenSSL computes its own from the secret and ignores this one. */
const IGNORED_X = Buffer.alloc(32).toString('base64url')

/** Imported keys, since an import costs as much as the operation itself. JWK is the cheapest way in. */
export class KeyCache {
  readonly #publicKeys = new LruMap<KeyObject>(PUBLIC_KEY_CACHE_MAX)
  readonly #secretKeys = new LruMap<KeyObject>(SECRET_KEY_CACHE_MAX)
  readonly #blake2b: Crypto['blake2b']
  /** Secrets are looked up by a hash under this key, so that none becomes a string, which nobody can wipe. */
  readonly #lookupKey: Uint8Array = randomBytes(32)

  constructor(blake2b: Crypto['blake2b']) {
    this.#blake2b = blake2b
  }

  get sizes(): { readonly publicKeys: number; readonly secretKeys: number } {
    return { publicKeys: this.#publicKeys.size, secretKeys: this.#secretKeys.size }
  }

  /** An Ed25519 public key. */
  publicKey(publicKey: Uint8Array): KeyObject {
    const name = latin1(publicKey)
    let key = this.#publicKeys.get(name)
    if (key === undefined) {
      key = importPublic('Ed25519', publicKey)
      this.#publicKeys.set(name, key)
    }
    return key
  }

  secretKey(curve: Curve, secret: Uint8Array): KeyObject {
    const name = curve + latin1(this.#blake2b(secret, { key: this.#lookupKey }))
    let key = this.#secretKeys.get(name)
    if (key === undefined) {
      const jwk = { kty: 'OKP', crv: curve, x: IGNORED_X, d: base64url(secret) }
      key = createPrivateKey({ key: jwk, format: 'jwk' })
      this.#secretKeys.set(name, key)
    }
    return key
  }
}

export function importPublic(curve: Curve, publicKey: Uint8Array): KeyObject {
  return createPublicKey({ key: { kty: 'OKP', crv: curve, x: base64url(publicKey) }, format: 'jwk' })
}

/** The raw public key of an imported secret one. */
export function exportPublic(secretKey: KeyObject): Uint8Array {
  return new Uint8Array(Buffer.from(secretKey.export({ format: 'jwk' }).x!, 'base64url'))
}

function base64url(bytes: Uint8Array): string {
  return asBuffer(bytes).toString('base64url')
}

function latin1(bytes: Uint8Array): string {
  return asBuffer(bytes).latin1Slice()
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
