/** Frames of a serial line or an RNode: two LoRa packets, and what a link needs (docs/spec/rnode.md). */
export const KISS_FRAME_BYTES_MAX = 508
/** Largest frame that a plain serial line may be set to. */
export const SERIAL_MTU_BYTES_MAX = 1_500
/**
 * A silence inside a frame after which what was read of it is forgotten. Reticulum's readers wait 100 ms; a busy host may
 * let as much pass between reading two pieces of one frame.
 */
export const SILENCE_MS = 1_000
/** Bytes that wait for the port in a plain serial interface. */
export const SERIAL_QUEUE_BYTES_MAX = 32_768
/** Frame bytes that wait for an RNode: two dozen frames, of which the device itself holds one or two. */
export const RNODE_QUEUE_BYTES_MAX = 24 * KISS_FRAME_BYTES_MAX

/** Oldest firmware that is taken: the first with this set of commands. */
export const RNODE_FIRMWARE_MIN = { major: 1, minor: 52 } as const
/** A device may reset when its port is opened; nothing is asked before. */
export const RNODE_SETTLE_MS = 2_000
/** The device must say what it is, and then repeat its settings, within so long. */
export const RNODE_ANSWER_MS = 3_000
/** An unanswered question for room is asked again after so long. */
export const RNODE_READY_MS = 2_000
/** Unanswered questions for room after which the device counts as lost. */
export const RNODE_READY_ASKED_MAX = 5
/** A synthesiser's steps make the frequency differ by this much at most. */
export const RNODE_FREQUENCY_TOLERANCE_HZ = 100
export const RNODE_FREQUENCY_HZ_MIN = 137_000_000
export const RNODE_FREQUENCY_HZ_MAX = 3_000_000_000
export const RNODE_TX_POWER_DBM_MAX = 37
