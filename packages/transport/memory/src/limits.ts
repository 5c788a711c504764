export const MTU_BYTES = 1_232
export const BITRATE_BPS = 1_000_000_000
/** Bytes that may wait in one member for the medium. */
export const QUEUE_BYTES_MAX = 65_536
/** Members of a shared medium. */
export const MEMBERS_MAX = 1_024
/** Frames on their way at once; what is sent beyond that is lost and counted. */
export const IN_FLIGHT_MAX = 262_144
