/** Longest packet that a queue takes: what fits one link message (docs/spec/framing.md). */
export const PACKET_BYTES_MAX = 484
/** Frame of a full packet, which slots, bursts and thresholds are reckoned in (docs/spec/link.md). */
export const FRAME_BYTES_FULL = 508

/** Levels of urgency: 0 real-time, 1 interactive, 2 standard, 3 bulk. */
export const PRIORITIES = [0, 1, 2, 3] as const
/** A packet that waited longer is worth nothing to who sent it, by priority. */
export const AGE_MS_MAX: readonly number[] = [500, 5_000, 30_000, Number.POSITIVE_INFINITY]
/** Bulk keeps this share of what users send, whatever of levels 1 and 2 waits. */
export const BULK_SHARE_MIN = 0.1
/** Real-time packets of all senders together keep to this share of a medium; the rest travels as interactive. */
export const REAL_TIME_SHARE_MAX = 0.5
/** A sender may put this much time's worth of its real-time share into one moment. */
export const REAL_TIME_BURST_MS = 500
/** A sender of real-time packets that was silent for so long leaves its part to the others. */
export const REAL_TIME_IDLE_MS = 10_000
/** Senders of real-time packets kept apart on one medium; of those beyond, the one silent longest gives way. */
export const REAL_TIME_SENDERS_MAX = 256

/** Packets that wait on one medium, in bytes. */
export const QUEUE_BYTES_MAX = 1_048_576
/** Of these, for one neighbour. */
export const NEIGHBOUR_QUEUE_BYTES_MAX = 262_144
/** A neighbour's queue holds what its medium sends in this time, if that is less: a drain time has 16 bits. */
export const QUEUE_MS_MAX = 30_000
/** And at least so many full packets, however slow the medium. */
export const QUEUE_PACKETS_MIN = 16
/** Neighbours on one medium. */
export const NEIGHBOURS_MAX = 1_024
/** Weights further apart count as this far apart: a neighbour of little weight is slow, not forgotten. */
export const WEIGHT_RATIO_MAX = 16

/** The measured rate forgets half of what it knew in this much of its own airtime. */
export const HALF_LIFE_MS = 60_000
/** The measured rate is never below this part of the nominal one. */
export const FLOOR_DIVISOR = 16
/** Part of the measured rate that is sent at: the rest keeps the queue here, where order is kept, and not in the medium. */
export const REFILL_SHARE = 0.9
/** Airtime that may be saved up: what a timer may be late by, or one full frame where that is more. */
export const BURST_MS = 20
/** From this rate on frames are not paced: a full one takes 41 µs, and the medium's own bounded queue holds back in time. */
export const PACED_BELOW_BPS = 100_000_000
/** Airtime's worth of bytes that may wait inside the medium while more is handed to it. */
export const MEDIUM_QUEUE_MS = 20
/** Shortest stretch of uninterrupted work of a medium that its rate is read from. */
export const SAMPLE_MS_MIN = 250
/** A medium that takes more only after longer than so many full frames at its nominal rate may have been idle meanwhile. */
export const CYCLE_FRAMES_MAX = 64
/**
 * Once packets have waited here for so long while the medium kept up, the measured rate grows by so much per second, up to
 * the nominal one. Sooner, it would be back at what the medium cannot carry as soon as that has been found out.
 */
export const GROWTH_AFTER_MS = 300_000
export const GROWTH_PER_SECOND = 0.01

/** Airtime of a full frame from which on bulk and standard frames are sent in parts (docs/spec/link.md, parts). */
export const CUT_AIRTIME_MS = 150
/** Frames are cut for so long after a real-time packet was seen: parts cost headers, and nobody else is kept waiting. */
export const CUT_AFTER_REAL_TIME_MS = 60_000

/** Fill of a queue from which on neighbours are told, by severity 1 to 3; told anew or cleared at half of that. */
export const SEVERITY_FILLS: readonly number[] = [0.5, 0.75, 0.9]
/** What a neighbour may send after a signal, of what it sent before, by severity 0 to 3; 3 is for interactive packets. */
export const THROTTLE_FACTORS: readonly number[] = [1, 0.75, 0.5, 0.25]
/** After a signal has lost its force, what may be sent grows by this part each second, until it is what the medium carries. */
export const RECOVERY_PER_SECOND = 0.25
/** Signals to one neighbour are this far apart, or this many full airtimes where that is more. */
export const SIGNAL_SPACING_MS = 500
export const SIGNAL_SPACING_AIRTIMES = 20
/** What was sent to a neighbour of late: within one to two windows of this length. */
export const RECENT_MS = 2_000
/** Fill from which on a path costs more. */
export const COST_FILL_MIN = 0.5

/** Listening before talking, at least; two symbols where those are longer, since activity detection needs that. */
export const LISTEN_MS_MIN = 5
/** Times that a frame finds the medium busy before it is dropped. */
export const ACCESS_ATTEMPTS_MAX = 7
/** Bytes of radio packets that wait for the medium in one station: two dozen full frames of two radio packets each. */
export const ACCESS_QUEUE_BYTES_MAX = 24 * 2 * 255
