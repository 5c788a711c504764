/** An Ed25519 seed: all that a node is. */
export const SEED_BYTES = 32
/** A NodeID: the first half of BLAKE2b-256 of the public key. */
export const NODE_ID_BYTES = 16
/** An Ed25519 or X25519 public key. */
export const PUBLIC_KEY_BYTES = 32
/** An Ed25519 signature. */
export const SIGNATURE_BYTES = 64
