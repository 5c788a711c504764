/**
 * The primitives every layer shares (docs/spec/crypto.md). All bytes are raw; nothing here reads a clock or makes
 * randomness. Wrong lengths are the caller's mistake (RangeError); a false signature or tag is a result, not an error.
 */
export interface Crypto {
  /** Which provider answers: shown by status pages and benches. */
  readonly name: string

  sha256(data: Uint8Array): Uint8Array
  sha512(data: Uint8Array): Uint8Array
  /** HKDF-SHA256 (RFC 5869): `length` bytes, at most 8 160. */
  hkdfSha256(secret: Uint8Array, salt: Uint8Array, info: Uint8Array, length: number): Uint8Array
  /** HMAC-SHA256 (RFC 2104): 32 bytes. */
  hmacSha256(key: Uint8Array, data: Uint8Array): Uint8Array
  /** BLAKE2b of 1…64 bytes (32 if not said), keyed where a key of 1…64 bytes is given. Identity and key derivation. */
  blake2b(data: Uint8Array, options?: Blake2bOptions): Uint8Array
  /** BLAKE3-256, keyed where a 32-byte key is given. Content only. */
  blake3(data: Uint8Array, key?: Uint8Array): Uint8Array

  /** Ed25519 public key of a 32-byte seed. */
  publicKey(seed: Uint8Array): Uint8Array
  /**
   * The signing call of the protocol: the message is the 8 ASCII bytes of `tag` (0x21…0x7E, the first not `"`), then
   * the parts. Refuses a message of exactly 32 bytes, since the lottery's VRF derives its nonces from the same key
   * prefix.
   * @throws {CryptoError} `crypto/tag`, `crypto/message-length`
   */
  sign(seed: Uint8Array, tag: string, ...parts: readonly Uint8Array[]): Uint8Array
  /**
   * Strict RFC 8032: S < L, canonical A and R, neither of small order, no cofactor. The same verdict from every provider;
   * whatever a peer sends, wrong lengths included, gives `false`.
   * @throws {CryptoError} `crypto/tag`
   */
  verify(publicKey: Uint8Array, signature: Uint8Array, tag: string, ...parts: readonly Uint8Array[]): boolean
  /**
   * The one other signing call: an HTTP signature base (RFC 9421 §2.5), signed as it stands.
   * @throws {CryptoError} `crypto/http-base` where the first byte is not 0x22, `crypto/message-length`
   */
  signHttp(seed: Uint8Array, base: Uint8Array): Uint8Array
  /** {@link Crypto.verify} for a signature base; `false` for bytes that {@link Crypto.signHttp} would refuse. */
  verifyHttp(publicKey: Uint8Array, signature: Uint8Array, base: Uint8Array): boolean
  /** Many verdicts at once, in order; a provider may use threads. The bytes of a job may not change meanwhile. */
  verifyBatch(jobs: readonly (VerifyJob | VerifyHttpJob)[]): Promise<boolean[]>

  /** Who makes the VRF proofs of a 32-byte seed, which is copied in its expanded form. */
  vrfProver(seed: Uint8Array): VrfProver
  /**
   * ECVRF-EDWARDS25519-SHA512-TAI (RFC 9381 §5.3), keys validated: the 64 bytes of output where the 80-byte proof holds,
   * else `undefined`, whatever a peer sends. The same verdict from every provider.
   */
  vrfVerify(publicKey: Uint8Array, proof: Uint8Array, alpha: Uint8Array): Uint8Array | undefined
  /**
   * The output of a proof that is known to hold, such as one's own (RFC 9381 §5.2); `undefined` where it has not the form
   * of one. It says nothing about who made it or over what: for proofs of others there is {@link Crypto.vrfVerify}.
   */
  vrfHash(proof: Uint8Array): Uint8Array | undefined

  /** X25519 public key of a 32-byte secret (clamped as in RFC 7748). */
  x25519PublicKey(secret: Uint8Array): Uint8Array
  /** Shared secret. @throws {CryptoError} `crypto/zero-shared` for an all-zero result */
  x25519(secret: Uint8Array, publicKey: Uint8Array): Uint8Array
  /**
   * A fresh X25519 key pair for one handshake or one box, its secret out of everyone's reach. A provider may use its own
   * generator where `random` is `systemRandom`; any other source is asked for the 32 bytes of the secret.
   */
  ephemeralKey(random: Random): EphemeralKey
  /**
   * RFC 7748 §4.1 map of an Ed25519 public key.
   * @throws {CryptoError} `crypto/public-key` where it is not the canonical encoding of a point other than zero in the
   * group of the base point; a key with a small-order component may verify, but never maps
   */
  toX25519Public(ed25519PublicKey: Uint8Array): Uint8Array
  /** The X25519 secret that belongs to an Ed25519 seed. */
  toX25519Secret(seed: Uint8Array): Uint8Array

  /**
   * Zeroes seeds and secrets, and drops the imported forms that a provider keeps of them. Secrets of one use are better
   * made by {@link Crypto.ephemeralKey}, of which a provider keeps nothing.
   */
  forget(...secrets: readonly Uint8Array[]): void

  /** ChaCha20-Poly1305 (RFC 8439) for one message: ciphertext, then 16 bytes of tag. */
  seal(key: Uint8Array, nonce: Uint8Array, associated: Uint8Array, plaintext: Uint8Array): Uint8Array
  /** The plaintext, or `undefined` where the tag does not hold. */
  open(key: Uint8Array, nonce: Uint8Array, associated: Uint8Array, sealed: Uint8Array): Uint8Array | undefined
  /** The same cipher under one key with Noise's counter nonces: the fast path of links. */
  cipher(key: Uint8Array): Cipher
}

/** A key pair of one use: forward secrecy is no better than the memory that its secret stays in. */
export interface EphemeralKey {
  readonly publicKey: Uint8Array
  /** Shared secret. @throws {CryptoError} `crypto/zero-shared`, and `crypto/wiped` after {@link EphemeralKey.wipe} */
  agree(publicKey: Uint8Array): Uint8Array
  /** Gives the secret up. */
  wipe(): void
}

export interface Blake2bOptions {
  readonly length?: number
  readonly key?: Uint8Array
}

/** One signature to check, as {@link Crypto.verify} takes it. */
export interface VerifyJob {
  readonly publicKey: Uint8Array
  readonly signature: Uint8Array
  readonly tag: string
  readonly parts: readonly Uint8Array[]
}

/** One HTTP signature to check, as {@link Crypto.verifyHttp} takes it. */
export interface VerifyHttpJob {
  readonly publicKey: Uint8Array
  readonly signature: Uint8Array
  readonly base: Uint8Array
}

/** Proves under one key what nobody else could have computed: RFC 9381 §5.1, suite 0x03, deterministic. */
export interface VrfProver {
  /** Ed25519, 32 bytes: what verifies the proofs. */
  readonly publicKey: Uint8Array
  /** The 80-byte proof over a string of any length: Γ 32, c 16, s 32. */
  prove(alpha: Uint8Array): Uint8Array
  /** Zeroes the key; later proofs throw {@link CryptoError} `crypto/wiped`. */
  wipe(): void
}

/**
 * ChaCha20-Poly1305 under one key; the nonce is 4 zero bytes, then the counter as u64 little-endian (Noise §12).
 * `out` may be the buffer that holds the input. Counters are whole numbers below 2^53.
 */
export interface Cipher {
  /** Writes ciphertext and tag at `at`; returns the bytes written, `plaintext.length + 16`. */
  seal(counter: number, associated: Uint8Array, plaintext: Uint8Array, out: Uint8Array, at: number): number
  /** Writes the plaintext at `at` and returns its length; -1, and nothing written, where the tag does not hold. */
  open(counter: number, associated: Uint8Array, sealed: Uint8Array, out: Uint8Array, at: number): number
  /** Zeroes the key; later calls throw {@link CryptoError} `crypto/wiped`. */
  wipe(): void
}

/** Cryptographically strong bytes, handed in: the system's in production, seeded in the simulator. */
export type Random = (length: number) => Uint8Array
