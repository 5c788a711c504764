import { diffieHellman, type KeyObject } from 'node:crypto'
import { systemRandom } from '../bytes.ts'
import { assertAeadInput, assertLength } from '../check.ts'
import { isAcceptableKey } from '../encoding.ts'
import { CryptoError } from '../errors.ts'
import { AUTH_TAG_BYTES, KEY_BYTES, PUBLIC_KEY_BYTES } from '../limits.ts'
import type { Crypto, EphemeralKey, Random } from '../provider.ts'
import { signing } from '../signing.ts'
import { vrf } from '../vrf.ts'
import { NodeCipher, opensslOpen, opensslSeal, WasmAead } from './aead.ts'
import { BatchVerifier, nodeEd25519 } from './ed25519.ts'
import { hkdfSha256, hmacSha256, sha256, sha512, wasmBlake2b, wasmBlake3 } from './hashes.ts'
import { exportPublic, generateAgreementKey, importSecret, KeyCache } from './keys.ts'
import { loadSodium, type Sodium } from './sodium.ts'
import { WasmVrfGroup } from './vrf-group.ts'

/**
 * The provider for Node. Each call makes one with caches and wasm memory of its own; a process needs one, and a worker
 * thread its own.
 */
export async function nodeCrypto(): Promise<Crypto> {
  const [sodium, blake3] = await Promise.all([loadSodium(), wasmBlake3()])
  const blake2b = wasmBlake2b(sodium)
  const keys = new KeyCache(blake2b)
  const map = mapToX25519(sodium)
  const aead = new WasmAead(sodium)
  const batches = new BatchVerifier(keys)
  const publicKey = (seed: Uint8Array): Uint8Array => {
    assertLength('the seed', seed, KEY_BYTES)
    return exportPublic(keys.secretKey('Ed25519', seed))
  }
  return {
    name: 'node',
    sha256,
    sha512,
    hkdfSha256,
    hmacSha256,
    blake2b,
    blake3,
    publicKey,
    ...signing(nodeEd25519(keys, sodium)),
    verifyBatch: (jobs) => batches.verify(jobs),
    ...vrf(new WasmVrfGroup(sodium), sha512, publicKey),
    x25519PublicKey(secret) {
      assertLength('the secret', secret, KEY_BYTES)
      return exportPublic(keys.secretKey('X25519', secret))
    },
    x25519(secret, publicKey) {
      assertLength('the secret', secret, KEY_BYTES)
      return sharedSecret(keys, keys.secretKey('X25519', secret), publicKey)
    },
    ephemeralKey: (random) => new NodeEphemeralKey(keys, random),
    toX25519Public: (publicKey) => keys.mapped(publicKey, map),
    toX25519Secret(seed) {
      assertLength('the seed', seed, KEY_BYTES)
      return clamped(sha512(seed))
    },
    forget: (...secrets) => keys.forget(secrets),
    seal(key, nonce, associated, plaintext) {
      assertAeadInput(key, nonce)
      const sealed = new Uint8Array(plaintext.length + AUTH_TAG_BYTES)
      if (aead.fits(associated, plaintext.length)) {
        aead.seal(key, nonce, associated, plaintext, sealed, 0)
        aead.wipeKey()
      } else opensslSeal(key, nonce, associated, plaintext, sealed, 0)
      return sealed
    },
    open(key, nonce, associated, sealed) {
      assertAeadInput(key, nonce)
      if (sealed.length < AUTH_TAG_BYTES) return undefined
      const plaintext = new Uint8Array(sealed.length - AUTH_TAG_BYTES)
      const opened = aead.fits(associated, plaintext.length)
        ? aead.open(key, nonce, associated, sealed, plaintext, 0)
        : opensslOpen(key, nonce, associated, sealed, plaintext, 0)
      aead.wipeKey()
      return opened ? plaintext : undefined
    },
    cipher: (key) => new NodeCipher(aead, key),
  }
}

/** OpenSSL zeroes the secret when the key object is collected; until then nothing refers to it. */
class NodeEphemeralKey implements EphemeralKey {
  readonly publicKey: Uint8Array
  readonly #keys: KeyCache
  #privateKey: KeyObject | undefined

  constructor(keys: KeyCache, random: Random) {
    this.#keys = keys
    this.#privateKey = random === systemRandom ? generateAgreementKey() : importedOnce(random)
    this.publicKey = exportPublic(this.#privateKey)
  }

  agree(publicKey: Uint8Array): Uint8Array {
    if (this.#privateKey === undefined) throw new CryptoError({ code: 'crypto/wiped' })
    return sharedSecret(this.#keys, this.#privateKey, publicKey)
  }

  wipe(): void {
    this.#privateKey = undefined
  }
}

/** A secret from elsewhere, of which the caller's bytes are left as they are. */
function importedOnce(random: Random): KeyObject {
  const secret = random(KEY_BYTES)
  assertLength('the secret', secret, KEY_BYTES)
  return importSecret('X25519', secret)
}

function sharedSecret(keys: KeyCache, privateKey: KeyObject, publicKey: Uint8Array): Uint8Array {
  assertLength('the public key', publicKey, PUBLIC_KEY_BYTES)
  try {
    return new Uint8Array(diffieHellman({ privateKey, publicKey: keys.agreementKey(publicKey) }))
  } catch {
    // Every 32 bytes import as a public key; OpenSSL refuses the all-zero result alone.
    throw new CryptoError({ code: 'crypto/zero-shared' })
  }
}

function mapToX25519(sodium: Sodium): Crypto['toX25519Public'] {
  const ed25519 = sodium._malloc(PUBLIC_KEY_BYTES)
  const x25519 = sodium._malloc(PUBLIC_KEY_BYTES)
  return (publicKey) => {
    if (!isAcceptableKey(publicKey)) throw new CryptoError({ code: 'crypto/public-key' })
    sodium.HEAPU8.set(publicKey, ed25519)
    if (sodium._crypto_sign_ed25519_pk_to_curve25519(x25519, ed25519) !== 0) {
      throw new CryptoError({ code: 'crypto/public-key' })
    }
    return sodium.HEAPU8.slice(x25519, x25519 + PUBLIC_KEY_BYTES)
  }
}

/** The X25519 scalar within the SHA-512 of a seed (RFC 8032 §5.1.5). */
function clamped(digest: Uint8Array): Uint8Array {
  const scalar = digest.slice(0, KEY_BYTES)
  digest.fill(0)
  scalar[0]! &= 0xf8
  scalar[31] = (scalar[31]! & 0x7f) | 0x40
  return scalar
}
