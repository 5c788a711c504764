import { getRandomValues } from 'node:crypto'
import instantiate from 'libsodium-sumo'

/**
 * The functions of the libsodium wasm module that we call; pointers are offsets into its heap, a u64 is two u32. Room is
 * taken once per provider and never given back: no call of ours lets the heap grow.
 */
export interface Sodium {
  /** The module's memory. */
  readonly HEAPU8: Uint8Array
  _malloc(bytes: number): number
  _sodium_init(): number
  _crypto_aead_chacha20poly1305_ietf_encrypt(
    sealed: number,
    sealedLength: number,
    plaintext: number,
    plaintextLow: number,
    plaintextHigh: number,
    associated: number,
    associatedLow: number,
    associatedHigh: number,
    secretNonce: number,
    nonce: number,
    key: number,
  ): number
  _crypto_aead_chacha20poly1305_ietf_decrypt(
    plaintext: number,
    plaintextLength: number,
    secretNonce: number,
    sealed: number,
    sealedLow: number,
    sealedHigh: number,
    associated: number,
    associatedLow: number,
    associatedHigh: number,
    nonce: number,
    key: number,
  ): number
  _crypto_generichash_blake2b(
    digest: number,
    digestLength: number,
    input: number,
    inputLow: number,
    inputHigh: number,
    key: number,
    keyLength: number,
  ): number
  _crypto_generichash_blake2b_statebytes(): number
  _crypto_generichash_blake2b_init(state: number, key: number, keyLength: number, digestLength: number): number
  _crypto_generichash_blake2b_update(state: number, input: number, inputLow: number, inputHigh: number): number
  _crypto_generichash_blake2b_final(state: number, digest: number, digestLength: number): number
  _crypto_sign_verify_detached(
    signature: number,
    message: number,
    messageLow: number,
    messageHigh: number,
    publicKey: number,
  ): number
  _crypto_core_ed25519_add(sum: number, p: number, q: number): number
  _crypto_core_ed25519_sub(difference: number, p: number, q: number): number
  _crypto_core_ed25519_scalar_reduce(scalar: number, digest: number): void
  _crypto_core_ed25519_scalar_mul(product: number, x: number, y: number): void
  _crypto_core_ed25519_scalar_add(sum: number, x: number, y: number): void
  /** −1 for points outside the prime-order group, scalars of 0 and results of 0. */
  _crypto_scalarmult_ed25519_noclamp(product: number, scalar: number, point: number): number
  _crypto_scalarmult_ed25519_base_noclamp(product: number, scalar: number): number
  _crypto_sign_ed25519_pk_to_curve25519(x25519: number, ed25519: number): number
}

/** A wasm instance with memory of its own. */
export async function loadSodium(): Promise<Sodium> {
  const sodium = await instantiate({ getRandomValue: () => getRandomValues(new Uint32Array(1))[0]! })
  if (sodium._sodium_init() < 0) throw new Error('libsodium would not start')
  return sodium
}
