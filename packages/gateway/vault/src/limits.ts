/** Entries that one transaction takes at most. */
export const BATCH_ENTRIES_MAX = 1_000

/** Entries that may wait for their transaction; more are refused with `vault/busy`. */
export const QUEUE_ENTRIES_MAX = 10_000

/** Bytes of an identity of outside (a DID, an account name) in UTF-8. */
export const IDENTITY_BYTES_MAX = 255

/** Characters of a route, the half of an idempotency key's scope that names the operation. */
export const ROUTE_CHARS_MAX = 64

/** Characters of an idempotency key: printable ASCII. */
export const KEY_CHARS_MAX = 64

/** Entries that one page of a history holds at most. */
export const PAGE_ENTRIES_MAX = 1_000

/** An entry id, a log id. */
export const ID_BYTES = 16

/** SHA-256. */
export const HASH_BYTES = 32

/** A pseudonym: HMAC-SHA256 of an identity under its own salt. */
export const PSEUDONYM_BYTES = 32

/** Ed25519. */
export const SIGNATURE_BYTES = 64

/** Hashes of the tree are kept for every eighth level; what lies between is computed from them. */
export const STORED_LEVEL_STEP = 8

/** Levels of the tree: no log grows past 2^53 entries. */
export const LEVELS_MAX = 53
