/** Ed25519 seed, X25519 secret, AEAD and BLAKE3 key. */
export const KEY_BYTES = 32
/** Ed25519 and X25519 public key. */
export const PUBLIC_KEY_BYTES = 32
/** Ed25519 signature: R, then S. */
export const SIGNATURE_BYTES = 64
/** ChaCha20-Poly1305 nonce. */
export const NONCE_BYTES = 12
/** Poly1305 tag. */
export const AUTH_TAG_BYTES = 16
/** Characters of a signing tag. */
export const SIGN_TAG_BYTES = 8
/** Length of the only message that is never signed: the lottery's VRF hashes strings of this length. */
export const VRF_INPUT_BYTES = 32
/** ECVRF proof (RFC 9381 §5.5): Γ 32, c 16, s 32. */
export const VRF_PROOF_BYTES = 80
/** Of that, c. */
export const VRF_CHALLENGE_BYTES = 16
/** ECVRF output beta: a SHA-512. */
export const VRF_HASH_BYTES = 64
/** RFC 5869 gives at most 255 blocks of SHA-256. */
export const HKDF_MAX_BYTES: number = 255 * 32
/** Longest BLAKE2b digest and key. */
export const BLAKE2B_MAX_BYTES = 64
/** Ed25519 public keys that the Node provider remembers, imported from the second use on. */
export const PUBLIC_KEY_CACHE_MAX = 1_024
/** X25519 public keys that the Node provider keeps imported: a handshake uses each twice. */
export const AGREEMENT_KEY_CACHE_MAX = 64
/** X25519 forms of Ed25519 keys that the Node provider keeps: a map costs as much as two agreements, and neighbours come back. */
export const MAPPED_KEY_CACHE_MAX = 256
/** Ed25519 seeds, and beside them X25519 secrets, that the Node provider keeps imported until forgotten. */
export const SECRET_KEY_CACHE_MAX = 128
/** Signature checks of all batches that wait in the thread pool at once; the rest stays in JavaScript. */
export const VERIFY_IN_FLIGHT_MAX = 64
/** Messages longer than this go to OpenSSL, whose cipher objects cost more to set up and less per byte. */
export const WASM_MESSAGE_MAX_BYTES = 8_192
/** Associated data longer than this goes to OpenSSL as well. */
export const WASM_ASSOCIATED_MAX_BYTES = 1_024
