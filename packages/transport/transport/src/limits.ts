/** A full link frame, 506 bytes, fits every medium (docs/spec/link.md). Smaller media cut frames into parts themselves or by the shim. */
export const FRAME_BYTES_FULL = 508
/** Media below this can't carry the shim. */
export const FRAME_BYTES_MIN = 37

/** Problems that one transport tells its host per second; the rest are counted and summed up in one. */
export const PROBLEMS_PER_SECOND = 10

/** Connections that a listening transport holds at once. */
export const CONNECTIONS_MAX = 256
/** Of these, from one remote network: an IPv4 address, or an IPv6 /64, which one customer usually has whole. */
export const CONNECTIONS_PER_NETWORK_MAX = 16

/** Bytes that wait in a stream interface before `send` refuses; it takes more again below half of it. */
export const QUEUE_BYTES_MAX = 262_144
/** A new connection that has sent no valid frame for so long is closed. */
export const FIRST_FRAME_MS = 15_000
/** A connection without a valid frame for so long is closed: neighbours greet every 10 s on such media (docs/spec/link.md). */
export const IDLE_MS = 120_000
/** A connection that takes none of the bytes waiting for it for so long is closed. */
export const STALL_MS = 30_000
/** Malformed frames after which a connection is closed. A sound stream has none, for TCP repairs what the wire breaks. */
export const FAULTS_MAX = 16

/** First and longest wait between two attempts to connect. */
export const RETRY_MS_MIN = 250
export const RETRY_MS_MAX = 15_000
/** An attempt that takes longer has failed. */
export const CONNECT_MS_MAX = 10_000
/** A connection that lasted so long was a good one: the next wait starts small again. */
export const STEADY_MS = 10_000
/** How often the machine's own addresses are looked at. */
export const NETWORK_WATCH_MS = 1_000
