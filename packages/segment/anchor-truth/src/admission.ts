import { ByteWriter, concatBytes, encodeUtf8, toHex } from '@nexus/codec'
import { type Crypto, CryptoError } from '@nexus/crypto'
import type { Identity } from '@nexus/identity'
import type { AdmissionName } from './datagram.ts'
import { EPOCH_ID_BYTES, KEY_BYTES, ZONE_HASH_BYTES } from './limits.ts'

/** Who may join a segment. */
export type Admission =
  /** Anybody: the key proves one identity, one voice, and no more. */
  | { readonly mode: 'open' }
  /** Whoever knows the passphrase; `key` is made of it by a slow hash, 32 bytes. */
  | { readonly mode: 'passphrase'; readonly key: Uint8Array }
  /** Public keys in hexadecimal, each with the ego it may have, or undefined for any. */
  | { readonly mode: 'allow-list'; readonly egos: ReadonlyMap<string, number | undefined> }

/** What an epoch is known by: who gives it, its number, its salt. */
export interface EpochName {
  readonly publicKey: Uint8Array
  readonly epoch: number
  readonly salt: Uint8Array
}

const EMPTY = new Uint8Array(0)
/** Each sealing key seals one message, so the nonce may stay. */
const ZERO_NONCE = new Uint8Array(12)

/** BLAKE2b(`nxs-epoch-id` ‖ anchor ‖ epoch u32 ‖ salt)[0..8]. */
export function epochIdOf(crypto: Crypto, name: EpochName): Uint8Array {
  return crypto.blake2b(concatBytes(encodeUtf8('nxs-epoch-id'), epochInfo(name), name.salt)).slice(0, EPOCH_ID_BYTES)
}

/** BLAKE2b(`nxs-zone` ‖ name)[0..4]. */
export function zoneHashOf(crypto: Crypto, zone: string): Uint8Array {
  return crypto.blake2b(concatBytes(encodeUtf8('nxs-zone'), encodeUtf8(zone))).slice(0, ZONE_HASH_BYTES)
}

/** HKDF-SHA256(passphrase key, salt, `nxs-epoch` ‖ anchor ‖ epoch u32), 32 bytes. */
export function passphraseEpochKey(crypto: Crypto, passphraseKey: Uint8Array, name: EpochName): Uint8Array {
  return crypto.hkdfSha256(passphraseKey, name.salt, concatBytes(encodeUtf8('nxs-epoch'), epochInfo(name)), KEY_BYTES)
}

/** Both ends of one sealed key. */
export interface Sealing extends EpochName {
  /** X25519 of the two static keys. */
  readonly shared: Uint8Array
  readonly memberKey: Uint8Array
  /** The request's, 16 bytes. */
  readonly nonce: Uint8Array
}

/** 48 bytes: ChaCha20-Poly1305 under BLAKE2b(`nxs-epoch-seal` ‖ shared ‖ anchor ‖ epoch ‖ member ‖ nonce ‖ salt). */
export function sealEpochKey(crypto: Crypto, sealing: Sealing, epochKey: Uint8Array): Uint8Array {
  return crypto.seal(sealingKey(crypto, sealing), ZERO_NONCE, EMPTY, epochKey)
}

/** The epoch's key, or undefined where the seal does not hold. */
export function openEpochKey(crypto: Crypto, sealing: Sealing, sealed: Uint8Array): Uint8Array | undefined {
  return crypto.open(sealingKey(crypto, sealing), ZERO_NONCE, EMPTY, sealed)
}

/** The secret of two nodes; undefined where the other's key is one that no honest node has. */
export function sharedWith(crypto: Crypto, identity: Identity, publicKey: Uint8Array): Uint8Array | undefined {
  try {
    return identity.agree(crypto.toX25519Public(publicKey))
  } catch (error) {
    if (error instanceof CryptoError) return undefined
    throw error
  }
}

/** Whether a key may speak at all, and with that ego. */
export function admits(admission: Admission, publicKeyHex: string, ego: number): 'yes' | 'not-admitted' | 'pinned-ego' {
  if (admission.mode !== 'allow-list') return 'yes'
  if (!admission.egos.has(publicKeyHex)) return 'not-admitted'
  const pinned = admission.egos.get(publicKeyHex)
  return pinned === undefined || pinned === ego ? 'yes' : 'pinned-ego'
}

/** @throws {RangeError} for a key of another length, an ego out of range, or a list without the node itself */
export function checkAdmission(admission: Admission, publicKey: Uint8Array, ego: number): AdmissionName {
  if (admission.mode === 'passphrase' && admission.key.length !== KEY_BYTES) {
    throw new RangeError(`a passphrase key has ${KEY_BYTES} bytes`)
  }
  if (admits(admission, toHex(publicKey), ego) !== 'yes') {
    throw new RangeError('the allow-list lacks this node, or pins it to another ego')
  }
  return admission.mode
}

function epochInfo({ publicKey, epoch }: EpochName): Uint8Array {
  return new ByteWriter(KEY_BYTES + 4).bytes(publicKey, KEY_BYTES).u32(epoch).finish()
}

function sealingKey(crypto: Crypto, sealing: Sealing): Uint8Array {
  const { shared, memberKey, nonce, salt } = sealing
  return crypto.blake2b(concatBytes(encodeUtf8('nxs-epoch-seal'), shared, epochInfo(sealing), memberKey, nonce, salt))
}
