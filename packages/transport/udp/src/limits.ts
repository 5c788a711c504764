/** Largest frame by default: what IPv6 carries whole over any path, 1 280 bytes without its header and UDP's. */
export const MTU_BYTES = 1_232
/** Nominal bit/s by default. */
export const BITRATE_BPS = 100_000_000
/** On media below this rate the kernel is asked to hold no more than {@link SEND_BUFFER_MS} of datagrams, at least {@link SEND_BUFFER_BYTES_MIN}. */
export const SEND_BUFFER_BELOW_BPS = 10_000_000
export const SEND_BUFFER_MS = 20
/** The least that Linux accepts; it counts its own bookkeeping in. */
export const SEND_BUFFER_BYTES_MIN = 2_304
/** Bytes of frames that may wait for the kernel, which almost always takes them at once. */
export const QUEUE_BYTES_MAX = 262_144
/** How often a full queue is looked at until half of it is free. */
export const DRAIN_LOOK_MS = 1
/** Of the datagrams sent within so many ms only the first so many report errors. */
export const REPORTED_SENDS_MS = 10
export const REPORTED_SENDS_MAX = 32
/** What the kernel may hold of datagrams not yet read. */
export const RECEIVE_BUFFER_BYTES = 1_048_576

/** Peers by configuration. */
export const PEERS_MAX = 256
/** How often the names of peers are looked up again, and after a failure. */
export const RESOLVE_MS = 60_000
export const RESOLVE_RETRY_MS = 5_000

/** Link-local, transient (RFC 4291 section 2.7), with a group id of the range for dynamic ones (RFC 3307 section 4.3). */
export const GROUP = 'ff12::ce58:5331'
export const GROUP_PORT = 4_243
/** Network interfaces that the group is joined on. */
export const GROUP_INTERFACES_MAX = 32
/**
 * How often a change of networks is told, and how far apart: a new IPv6 address can't be sent from for the one to two
 * seconds that duplicate address detection takes (RFC 4862 section 5.4), and nothing tells when that is over.
 */
export const GREETINGS = 5
export const GREETING_MS = 600
