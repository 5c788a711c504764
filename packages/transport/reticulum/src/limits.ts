/** Largest packet that every medium of Reticulum carries; links may agree on more. */
export const MTU_BYTES = 500
export const ADDRESS_BYTES = 16
export const HASH_BYTES = 32
export const NAME_HASH_BYTES = 10
export const RATCHET_ID_BYTES = 10
export const RANDOM_HASH_BYTES = 10
export const IDENTITY_KEY_BYTES = 64
export const SIGNATURE_BYTES = 64
export const RATCHET_BYTES = 32

export const HEADER_BYTES: number = 2 + ADDRESS_BYTES + 1
export const HEADER_TWO_ADDRESS_BYTES: number = HEADER_BYTES + ADDRESS_BYTES
/** A packet that comes with more hops is none. */
export const HOPS_MAX = 127

export const TOKEN_IV_BYTES = 16
export const TOKEN_OVERHEAD_BYTES: number = TOKEN_IV_BYTES + HASH_BYTES
/** Largest plaintext for a single destination that fits both headers. */
export const PLAINTEXT_BYTES_MAX = 383

export const ANNOUNCE_BYTES_MIN: number = IDENTITY_KEY_BYTES + NAME_HASH_BYTES + RANDOM_HASH_BYTES + SIGNATURE_BYTES

export const SIGNALLING_BYTES = 3
export const LINK_KEYS_BYTES = 64
export const LINK_PROOF_BYTES: number = SIGNATURE_BYTES + 32
/** The 21 bits of the signalling bytes. */
export const LINK_MTU_BYTES_MAX: number = 2 ** 21 - 1
export const PROOF_EXPLICIT_BYTES: number = HASH_BYTES + SIGNATURE_BYTES

export const RESOURCE_SEGMENT_BYTES_MAX = 1_048_575
export const RESOURCE_OVERHEAD_BYTES: number = HEADER_TWO_ADDRESS_BYTES + 1
export const MAP_HASH_BYTES = 4
export const HASHMAP_PARTS_MAX = 74
export const METADATA_BYTES_MAX: number = 2 ** 24 - 1
/** Largest encrypted segment: a whole segment, its prefix and its token; more can only be a lie. */
export const TRANSFER_BYTES_MAX: number = RESOURCE_SEGMENT_BYTES_MAX + 4 + TOKEN_OVERHEAD_BYTES + 16

export const ENVELOPE_BYTES = 6
export const STREAM_HEADER_BYTES = 2
export const STREAM_ID_MAX = 0x3fff

/** Nesting that a msgpack value may have. */
export const MSGPACK_DEPTH_MAX = 32
