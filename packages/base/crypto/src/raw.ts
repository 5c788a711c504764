/**
 * Ed25519 over a message as it stands, without a tag: only for protocols that fix their own signed bytes.
 *
 * A raw signature over a 32-byte string that the lottery's VRF hashes to would repeat that proof's nonce and give the
 * secret key away, and a raw signature over chosen bytes can pass for any tagged record. So a key that signs here is
 * never a key that signs through `Crypto.sign`: derive another one from the seed. docs/spec/crypto.md names the users.
 */
import type { Crypto } from './provider.ts'

/** Where a provider keeps its raw functions, out of reach of those who import the package by its name. */
export const RAW: unique symbol = Symbol('raw Ed25519')

/** Signing and verifying bytes as they stand. */
export interface RawEd25519 {
  /** Pure Ed25519 (RFC 8032) of `message`. @throws {RangeError} where the seed is not 32 bytes */
  sign(seed: Uint8Array, message: Uint8Array): Uint8Array
  /** The strict verdict of `Crypto.verify`. */
  verify(publicKey: Uint8Array, signature: Uint8Array, message: Uint8Array): boolean
}

/** What the providers of this package are. */
export interface RawCrypto extends Crypto {
  readonly [RAW]: RawEd25519
}

/** The raw functions of a provider of this package, or of a copy of one. @throws {TypeError} for any other object */
export function rawEd25519(crypto: Crypto): RawEd25519 {
  const raw = (crypto as Partial<RawCrypto>)[RAW]
  if (raw === undefined) throw new TypeError(`the provider ${crypto.name} has no raw Ed25519`)
  return raw
}
