/** Every number of the protocol and every bound of a table (docs/spec/anchor-truth.md). Times in ms. */

/** All nodes of the link (RFC 4291 section 2.7.1): no group to choose, joined by every IPv6 host already. */
export const GROUP = 'ff02::1'
export const PORT = 19_541
export const HOP_LIMIT = 1
/** What IPv6 carries whole over any link, without its header and UDP's. */
export const DATAGRAM_BYTES_MAX = 1_232

export const VERSION = 1
export const EPOCH_ID_BYTES = 8
export const NONCE_BYTES = 16
export const NONCE_HEAD_BYTES = 8
export const SALT_BYTES = 32
export const ZONE_HASH_BYTES = 4
export const NAME_BYTES_MAX = 24
export const MAC_BYTES = 32
export const KEY_BYTES = 32
export const SIGNATURE_BYTES = 64
export const ADDRESS_BYTES = 16
/** A 32-byte key and its tag. */
export const SEALED_KEY_BYTES = 48
export const ENTRY_BYTES: number = NONCE_HEAD_BYTES + SEALED_KEY_BYTES
/** Kind, version, epoch id, boot, sequence, uptime, ego, role, zone, length of the name; key, signature, MAC. */
export const PULSE_BYTES_MIN: number =
  2 + EPOCH_ID_BYTES + 4 + 4 + 4 + 1 + 1 + ZONE_HASH_BYTES + 1 + KEY_BYTES + SIGNATURE_BYTES + MAC_BYTES
export const PULSE_BYTES_MAX: number = PULSE_BYTES_MIN + NAME_BYTES_MAX
/** Kind, version, boot, sequence, ego, zone, nonce, key, signature. */
export const REQUEST_BYTES: number = 2 + 4 + 4 + 1 + ZONE_HASH_BYTES + NONCE_BYTES + KEY_BYTES + SIGNATURE_BYTES
/** Kind, version, admission, ego, boot, sequence, epoch, salt, key, count; signature, MAC. */
export const EPOCH_BYTES_MIN: number = 4 + 4 + 4 + 4 + SALT_BYTES + KEY_BYTES + 1 + SIGNATURE_BYTES + MAC_BYTES
/** 131 */
export const HEADS_MAX: number = Math.floor((DATAGRAM_BYTES_MAX - EPOCH_BYTES_MIN) / NONCE_HEAD_BYTES)
/** 18 */
export const ENTRIES_MAX: number = Math.floor((DATAGRAM_BYTES_MAX - EPOCH_BYTES_MIN) / ENTRY_BYTES)

export const PULSE_MS = 5_000
/** Pulses come up to so much early: never late, so that three intervals are never longer than {@link SILENT_MS}. */
export const PULSE_EARLY_MS = 150
/** The first pulse after a first key comes within this time, so that a segment that starts at once does not answer at once. */
export const FIRST_PULSE_MS = 500
/** Pulses that an anchor misses before it is taken for gone: 3. */
export const SILENT_MS: number = 3 * PULSE_MS
/** Silence heard with one's own ears that no word of others outweighs: 5 pulses. */
export const SILENT_MS_MAX: number = 5 * PULSE_MS
/** What part of the members must vouch for an anchor that one does not hear oneself: a quarter. */
export const VOUCHERS_DIVISOR = 4
export const RANK_WAIT_MS = 300
export const RANKS_MAX = 4
export const WAIT_JITTER_MS = 100
export const LOWER_EGO_WAIT_MS = 2_000
/** Sightings nearer to each other than one pulse tell nothing about who was first. */
export const SIGHTING_GAP_MS: number = PULSE_MS

export const REQUEST_AT_MS: readonly number[] = [0, 150, 350]
/** Just above {@link ANSWER_EVERY_MS}: a request that comes sooner is not answered. */
export const REQUEST_AGAIN_MS = 2_100
export const COLD_START_MS = 5_000
export const ASK_SPREAD_MS = 2_000
/** Requests each time, until an answer is followed: with 30 % lost one and its answer come through half of the time. */
export const FOREIGN_ASKS = 3
/** How rarely a foreign anchor that gives no answer is asked in the end. */
export const FOREIGN_ASK_MS_MAX = 10_000
/** How long an answer to one's own nonce proves that its sender lives. */
export const NONCE_OPEN_MS = 10_000

export const CHALLENGE_HEARD_MS = 5_000
export const CHALLENGE_AFTER_CHANGE_MS = 60_000
/**
 * Switches from a live anchor to another that a node makes within {@link CHANGES_WINDOW_MS}. Honest nodes that start or
 * merge at once rarely need more than 2; several identities of one insider get no further than this.
 */
export const CHANGES_MAX = 6
export const CHANGES_WINDOW_MS = 60_000
/** An anchor that hears a lesser claim repeats its own at most so often. */
export const REASSERT_MS = 1_000

export const EPOCH_MS = 60_000
export const EPOCH_OVERLAP_MS = 10_000
export const SPREAD_MS = 5_000
/** A claim, and a key that one datagram gives to all, is said so often: who misses one hears another, and need not ask. */
export const ROUNDS = 3
export const ROUND_MS = 150
/** Datagrams of a round that does not fit into one are so far apart: {@link ANSWERS_PER_SECOND}. */
export const BATCH_MS = 50
/** How much longer, once, a node without a key waits when it heard a claim that does not name it yet. */
export const PATIENCE_MS = 2_500
export const EPOCH_MAX = 0xffff_ffff

export const GATHER_MS = 20
export const ANSWER_EVERY_MS = 2_000
/** Requests of one address that are answered at once, for several nodes of a machine; then one per {@link ANSWER_EVERY_MS}. */
export const ADDRESS_BURST = 4
export const ANSWERS_PER_SECOND = 20
export const REQUEST_CHECKS_PER_SECOND = 500
export const UNKNOWN_CHECKS_PER_SECOND = 20

/** A pause of the clock after which nothing known is taken for current: the machine slept. */
export const CLOCK_JUMP_MS: number = 2 * PULSE_MS

/**
 * Members and what is needed against replays, about 300 B each. A member is forgotten only once no key lives under which
 * it was heard, so that nothing of it can be played again: {@link EPOCH_MS} + {@link EPOCH_OVERLAP_MS}, and as much again.
 */
export const MEMBERS_MAX = 2_048
export const MEMBER_FORGET_MS: number = 2 * (EPOCH_MS + EPOCH_OVERLAP_MS)
/** Nodes known by a request only, about 250 B each; the one not heard for longest gives way. */
export const CALLERS_MAX = 1_024
/** Source addresses whose requests are counted, about 100 B each; the one not heard for longest gives way. */
export const ADDRESSES_MAX = 1_024
/** Epoch keys known at a time: the current one, the one before, a rival's; further ones push the oldest out. */
export const KEYS_MAX = 6
/** Requesters that wait for the next answer; further ones are dropped. */
export const PENDING_MAX = 512
