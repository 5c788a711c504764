/** Bytes of a request's body. */
export const BODY_BYTES_MAX = 16_384

/** Bytes of all header lines. */
export const HEADER_BYTES_MAX = 16_384

/** From the first byte of a request to its last; a client that is slower is cut off. */
export const REQUEST_MS_MAX = 15_000

/** How long a connection may lie idle between two requests. */
export const IDLE_MS_MAX = 75_000

/** Connections open at once; more wait for the system to take them. */
export const CONNECTIONS_MAX = 10_000

/** Entries of one page of a history. */
export const PAGE_MAX = 1_000
export const PAGE_DEFAULT = 100

/** Streams of events open at once; more are refused with 503. */
export const STREAMS_MAX = 1_000

/** How long a stream's reader may take nothing in before it is cut off; it resumes where it was. */
export const STREAM_STALL_MS = 30_000

/** Between two signs of life in a stream, at which it is also checked that its reader still may read. */
export const STREAM_BEAT_MS = 15_000

/** How often a stream looks for entries that other gateways of the same ledger wrote. */
export const STREAM_POLL_MS = 100

/** How long a ticket for a stream may be used, once. */
export const TICKET_LIFE_MS = 30_000

/** Rejections that are kept to be shown, the newest. */
export const REJECTIONS_KEPT = 500

/** How long requests under way may take when the gateway ends; then their connections are cut. */
export const SHUTDOWN_MS_MAX = 10_000
