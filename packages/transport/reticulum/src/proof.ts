import { concatBytes, equalBytes } from '@nexus/codec'
import { HASH_BYTES, PROOF_EXPLICIT_BYTES, SIGNATURE_BYTES } from './limits.ts'

/**
 * The data of a packet's proof: a signature over its hash, `explicit` with the hash before it. Over links proofs are
 * always explicit.
 */
export function makeProof(
  signer: { sign(message: Uint8Array): Uint8Array },
  hash: Uint8Array,
  explicit: boolean,
): Uint8Array {
  const signature = signer.sign(hash)
  return explicit ? concatBytes(hash, signature) : signature
}

/** Whether this proves, in either form, that the packet of this hash came to the signer. */
export function verifyProof(
  signer: { verify(signature: Uint8Array, message: Uint8Array): boolean },
  hash: Uint8Array,
  proof: Uint8Array,
): boolean {
  if (proof.length === SIGNATURE_BYTES) return signer.verify(proof, hash)
  if (proof.length !== PROOF_EXPLICIT_BYTES || !equalBytes(proof.subarray(0, HASH_BYTES), hash)) return false
  return signer.verify(proof.subarray(HASH_BYTES), hash)
}
