import { AUTH_TAG_BYTES, PUBLIC_KEY_BYTES, SIGNATURE_BYTES } from '@nexus/crypto'

/** An Ed25519 seed: all that a node is. */
export const SEED_BYTES = 32
/** A NodeID: the first half of BLAKE2b-256 of the public key. */
export const NODE_ID_BYTES = 16

/** Values that a counter claims on disk at a time. */
export const COUNTER_RESERVE = 1_024n
/** The last value of a counter. */
export const COUNTER_MAX: bigint = (1n << 64n) - 1n

/** Shares that a seed may be split into. */
export const SHARES_MAX = 16
/** Fewest shares that may give the seed back. */
export const SHARE_THRESHOLD_MIN = 2
/** Version, threshold, x, split id, NodeID, y, checksum. */
export const SHARE_BYTES: number = 3 + 4 + NODE_ID_BYTES + SEED_BYTES + 4
/** Characters of a share in base32. */
export const SHARE_TEXT_LENGTH: number = Math.ceil((SHARE_BYTES * 8) / 5)

/** Both keys, sequence, evidence, the old key's signature; the new key's follows where it signed too. */
export const ADVISORY_BYTES_MIN: number = 2 * PUBLIC_KEY_BYTES + 8 + 1 + SIGNATURE_BYTES
/** An advisory that both keys signed. */
export const ADVISORY_BYTES_MAX: number = ADVISORY_BYTES_MIN + SIGNATURE_BYTES

/** Salt of the passphrase's key. */
export const SALT_BYTES = 16
/** Magic, version, kind: how every identity file begins. */
export const FILE_HEADER_BYTES = 10
/** An encrypted identity file: header, three bytes of scrypt cost, salt, sealed seed. */
export const FILE_SEALED_BYTES: number = FILE_HEADER_BYTES + 3 + SALT_BYTES + SEED_BYTES + AUTH_TAG_BYTES
/** An unencrypted identity file: header, seed, checksum. */
export const FILE_PLAIN_BYTES: number = FILE_HEADER_BYTES + SEED_BYTES + 8
/** UTF-8 bytes of a passphrase. */
export const PASSPHRASE_BYTES_MAX = 1_024
/** Least log2 N of scrypt: below this a passphrase is guessed in no time. */
export const SCRYPT_LOG2_N_MIN = 10
/** Memory that a file may ask of scrypt, 128·N·r: twice the default. */
export const SCRYPT_MEMORY_BYTES_MAX: number = 256 * 1_048_576
/** Work that a file may ask of scrypt, N·r·p: four times the default. */
export const SCRYPT_WORK_MAX: number = 4 * 1_048_576
