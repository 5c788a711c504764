/** Hashes, signatures, VRF proofs, key agreement and AEAD behind one interface, with one verdict everywhere (docs/spec/crypto.md). */
export { equalConstantTime, systemRandom, wipe } from './bytes.ts'
export { CryptoError, type CryptoErrorDetail } from './errors.ts'
export {
  AUTH_TAG_BYTES,
  KEY_BYTES,
  NONCE_BYTES,
  PUBLIC_KEY_BYTES,
  SIGNATURE_BYTES,
  VRF_HASH_BYTES,
  VRF_PROOF_BYTES,
} from './limits.ts'
export { portable } from './portable.ts'
export type {
  Blake2bOptions,
  Cipher,
  Crypto,
  EphemeralKey,
  Random,
  VerifyHttpJob,
  VerifyJob,
  VrfProver,
} from './provider.ts'
