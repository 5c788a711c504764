/** Milliseconds in a second: signatures and wallet messages count seconds, everything else here milliseconds. */
export const SECOND_MS = 1_000

/** How far the clock of a client, or of another gateway, may be off. */
export const SKEW_MS: number = 60 * SECOND_MS

/** From `created` to `expires` of a signature, at most. */
export const SIGNATURE_LIFE_MAX_MS: number = 60 * SECOND_MS

/** A nonce is kept until the last moment at which its signature could pass: made a skew ahead, it lives a life and a skew. */
export const NONCE_KEEP_MAX_MS: number = SKEW_MS + SIGNATURE_LIFE_MAX_MS + SKEW_MS

/** A challenge must be answered within this time. */
export const CHALLENGE_LIFE_MS: number = 300 * SECOND_MS

/** Age at which Telegram's init data is no longer taken. */
export const INIT_DATA_LIFE_MS: number = 300 * SECOND_MS

/** A session ends this long after its login. */
export const SESSION_LIFE_MS: number = 15 * 60 * SECOND_MS

/** What a verifier, an ingress or the store may take; then the request is refused. */
export const VERIFIER_TIMEOUT_MS: number = 5 * SECOND_MS

/** How often the sentry clears away what has expired. */
export const SWEEP_MS: number = 30 * SECOND_MS

/** A session's secret, and the seed that secrets and challenges are derived from. */
export const SECRET_BYTES = 32

/** Session id, request id, grant id, gateway id. */
export const ID_BYTES = 16

/** SHA-256. */
export const HASH_BYTES = 32

/** Ed25519. */
export const SIGNATURE_BYTES = 64

/** Ed25519, Sr25519. */
export const KEY_BYTES = 32

/** Bytes of an identity in UTF-8, as the vault has it. */
export const IDENTITY_BYTES_MAX = 255

/** Characters of an idempotency key: printable ASCII, as the vault has it. */
export const IDEMPOTENCY_KEY_CHARS_MAX = 64

/** Characters of a signature's nonce, and of its shortest. */
export const NONCE_CHARS_MAX = 64
export const NONCE_CHARS_MIN = 16

/** Header lines of a request, and characters of all of them. */
export const HEADERS_MAX = 128
export const HEADER_CHARS_MAX = 32_768

/** Characters of `Signature-Input`, `Signature` and `Content-Digest` each. */
export const SIGNATURE_FIELD_CHARS_MAX = 2_048

/** Components that one signature covers. */
export const COMPONENTS_MAX = 16

/** Characters of a target URI. */
export const TARGET_CHARS_MAX = 2_048

/** Bytes of a request's body. The HTTP server ends a longer one before it is read; this is the second look. */
export const BODY_BYTES_MAX = 1_048_576

/** Bytes of a login request's body: the longest proof is a wallet's state with its code. */
export const LOGIN_BYTES_MAX = 16_384

/** Characters of a wallet's sign-in text. */
export const SIGN_IN_CHARS_MAX = 2_048

/** Pairs of Telegram's init data. */
export const INIT_DATA_PAIRS_MAX = 32

/** Bytes of the serialised state of a TON wallet. */
export const STATE_BYTES_MAX = 8_192

/** Cells of the same: v5r1, the largest, has 22. */
export const STATE_CELLS_MAX = 256

/** Nonces that the store holds; more are refused until older ones expire. */
export const NONCES_MAX = 8_000_000

/** Nonces that one transaction takes, and that may wait for theirs. */
export const NONCE_BATCH_MAX = 1_000
export const NONCE_QUEUE_MAX = 10_000

/** Sessions of one identity: the oldest gives way. And of all: more are refused until older ones expire. */
export const SESSIONS_PER_IDENTITY_MAX = 8
export const SESSIONS_MAX = 1_000_000

/** Statements in the grant log. */
export const GRANTS_MAX = 100_000

/** Statements that are read from the store at once. */
export const GRANT_PAGE = 1_000

/** Logins, and Access tokens, that are being verified at once. */
export const VERIFYING_MAX = 64

/** Buckets of each rate table: one that is full forgets the bucket that was touched longest ago. */
export const BUCKETS_MAX = 65_536

/** Reverse proxies that are walked back through. */
export const PROXY_HOPS_MAX = 16

/** Characters of an Access token, and how long its keys are believed; unknown key ids ask again this seldom. */
export const ACCESS_TOKEN_CHARS_MAX = 8_192
export const ACCESS_KEYS_LIFE_MS: number = 3_600 * SECOND_MS
export const ACCESS_KEYS_PAUSE_MS: number = 60 * SECOND_MS

/** Characters of a DID document as JSON, and documents that a store holds. */
export const DOCUMENT_CHARS_MAX = 8_192
export const DOCUMENTS_MAX = 100_000

/** Other names and services in one document, and documents that are read from the store at once. */
export const DOCUMENT_LINKS_MAX = 32
export const DOCUMENT_PAGE = 1_000
