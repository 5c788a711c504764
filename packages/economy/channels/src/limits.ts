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
