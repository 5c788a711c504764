// Sizes on the wire (docs/spec/vrf-lottery.md).

/** First bytes of the hash of the handshake whose key carries the frames. */
export const SERIES_BYTES = 4
/** Of the handshake hash, in the input of the VRF. */
export const HANDSHAKE_BYTES = 32
/** r_w, what a payer keeps to itself until its window is over. */
export const REVEAL_BYTES = 16
/** BLAKE3(r_w)[0..16]. */
export const COMMIT_BYTES = 16
/** Of a packet's hash: what the payer keeps of it, and what a ticket is drawn over. */
export const FRAME_HASH_BYTES = 8
/** counter u64, then the packet's hash. */
export const TICKET_BYTES: number = 8 + FRAME_HASH_BYTES
/** series, window, count and proof of a window's claim. */
export const CLAIM_FIXED_BYTES: number = SERIES_BYTES + 4 + 1 + 80
/** Wins of one window that a claim can name: 128 expected at the most (W = 16 384, n = 128), and 5 σ. */
export const CLAIM_WINS_MAX = 190
/** Windows in one claim. */
export const CLAIM_WINDOWS_MAX = 4
/** A whole claim: one window full of wins, which with type, subtype and sequence is 479 bytes of a link's 484 and type. */
export const CLAIM_BYTES_MAX: number = CLAIM_FIXED_BYTES + 2 * CLAIM_WINS_MAX

/** Frames of a window on a link below 1 Mbit/s nominal, whose frames carry 16-bit counters. */
export const WINDOW_FRAMES_NARROW = 256
/** The same on faster ones. */
export const WINDOW_FRAMES_WIDE = 16_384

// Odds 1/n.

export const ODDS_MIN = 5
export const ODDS_MAX = 10_000
/** n of a payer that earned it, until its traffic is known. */
export const ODDS_START = 100
/** n is at least the frames of a window divided by this, so that a window's wins fit one claim. */
export const WINS_EXPECTED_MAX = 128
/** n = this × packets a minute: one win in ten minutes. */
export const ODDS_PER_PACKET_RATE = 10
/** A payer earns n by paying for four times as many packets. */
export const PACKETS_PER_ODDS = 4
/** Traffic is averaged over so many minutes. */
export const TRAFFIC_MINUTES = 5

// Memory of each end, per neighbour.

/** Windows whose frames a payer remembers, oldest forgotten first; 8 × 16 384 × 12 B = 1.6 MB where all are full. */
export const WINDOWS_REMEMBERED = 8
/** Series that an end keeps: a link or two with their rekeys, and those that ended lately; the oldest ended one goes. */
export const SERIES_MAX = 8
/** How long after its link or key ended a series is still honoured. */
export const SERIES_KEPT_MS = 600_000
/** REVEALs of one series that wait for their ODDS; with so many a window without priced frames ends without one. */
export const UNANSWERED_MAX = 16
/** Waits between repeats double up to this many spacings. */
export const REPEAT_SPACINGS_MAX = 16
/** Where a window's packets are shorter on average, its claim waits for those of the next ones: see the specification. */
export const JOIN_BELOW_BYTES = 250
/** Frames per piece of a window's memory: taken when the first of them comes. */
export const LOG_PIECE_FRAMES = 256
/** Destinations whose quotes are remembered per neighbour; the one quoted longest ago is forgotten. */
export const QUOTES_MAX = 4_096
