import { PUBLIC_KEY_BYTES, SIGNATURE_BYTES } from '@nexus/crypto'
import { NODE_ID_BYTES } from '@nexus/identity'

/** Names one economy: BLAKE3 of its genesis snapshot, cut. */
export const NETWORK_ID_BYTES = 16
export const CHANNEL_ID_BYTES = 16
export const NONCE_BYTES = 16
/** Of a hash that a message shows: the head of BLAKE3-256. */
export const SHORT_HASH_BYTES = 16

/** Balances and sequence: what two states of one channel can differ in. */
const STATE_NUMBERS_BYTES = 3 * 8
/** The signed head of a state: channel id, both parties, the numbers. */
export const STATE_SIGNED_BYTES: number = CHANNEL_ID_BYTES + 2 * NODE_ID_BYTES + STATE_NUMBERS_BYTES
export const STATE_BYTES: number = STATE_SIGNED_BYTES + 2 * SIGNATURE_BYTES
/** A state inside a record that names the channel already: from balance_a on. */
export const STATE_TAIL_BYTES: number = STATE_NUMBERS_BYTES + 2 * SIGNATURE_BYTES

const PARTIES_BYTES: number = CHANNEL_ID_BYTES + 2 * PUBLIC_KEY_BYTES
export const SETTLEMENT_SIGNED_BYTES: number = PARTIES_BYTES + 4 * 8
export const SETTLEMENT_BYTES: number = SETTLEMENT_SIGNED_BYTES + 2 * SIGNATURE_BYTES

export const CLOSE_SIGNED_BYTES: number = PARTIES_BYTES + 2 * STATE_TAIL_BYTES + 1 + 8
export const CLOSE_BYTES: number = CLOSE_SIGNED_BYTES + SIGNATURE_BYTES

/** balance_a + balance_b of every state stays below this. */
export const BALANCE_SUM_LIMIT: bigint = 1n << 63n
/** Either balance of state 0. Settling does not refill a channel, so only the exposure limit is to bind. */
export const OPENING_BALANCE_MICRO: bigint = 1n << 61n
/** No settlement moves less, μNXS. */
export const SETTLEMENT_AMOUNT_MIN_MICRO = 1_000n
/** A payer's first debit; each further one is the next number. */
export const PAYER_SEQ_FIRST = 1n
/** At 2^64 − 1 a payer's chain is frozen: nothing carries that number. */
export const PAYER_SEQ_MAX: bigint = (1n << 64n) - 2n
/** Sequences and final sequences stay below this; the bit above tells the digest of a claim from a slot. */
export const SEQUENCE_LIMIT: bigint = 1n << 63n

// Messages.

/** Most of a claim's body: a channel message is a link message of at most 484 bytes after its type. */
export const CLAIM_BODY_MAX_BYTES: number = 484 - 1 - 8
/** Least and greatest of the random jumps with which a process begins. */
export const JUMP_MIN: bigint = 1n << 32n
export const JUMP_MAX: bigint = 1n << 44n
/** A peer may say that it signed so far above what both hold; more is refused. */
export const UNPROVEN_SEQUENCES_MAX: bigint = 1n << 48n

// Tables.

/** Channels of a node. Full: the longest unheard of those without a link and without money in them is forgotten. */
export const CHANNELS_MAX = 1_024
/** Own claims that wait for a slot, per channel; further ones are not taken. */
export const CLAIMS_MAX = 8
/** Settlements that a payee signed under one payer number and that its payer may yet complete; further ones are refused. */
export const OFFERS_MAX = 4

// Timing, in probe spacings of the link unless it says otherwise.

/** A message is repeated unchanged so often, then the channel is re-established. */
export const REPEATS_MAX = 3
/** Waits for an answer to REESTABLISH or OPEN double up to so many spacings. */
export const ASK_SPACINGS_MAX = 32
/** A settlement that nobody answered is tried again after this. */
export const SETTLE_RETRY_MS = 60_000
/** Epochs unheard after which a channel with money in it is closed without the peer. */
export const ABANDONED_EPOCHS = 4n

// Odds.

/** n of a payer is at most packets paid over this. */
export const PACKETS_PER_ODDS = 4n
