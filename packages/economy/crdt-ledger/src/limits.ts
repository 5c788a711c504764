export const HASH_BYTES = 32

/** A payer's debits are kept from its next payer_seq on, this many numbers ahead. */
export const WINDOW = 16
/** A payer's next payer_seq once it signed two records of one number: at it nothing applies. */
export const FROZEN_SEQ: bigint = 2n ** 64n - 1n
/** Total of all money, and so of each balance. */
export const SUPPLY_MAX: bigint = 2n ** 64n - 1n
/**
 * How often a smaller hash may replace one of two rivals in one replica. Two rivals prove all there is to prove; without
 * this, an equivocator's records in falling order of hash would each travel through the whole network.
 */
export const RIVAL_REPLACEMENTS_MAX = 8

/** Settlements kept at once; further ones are refused until a fold. 2^21 records are 0.5 GB of bodies. */
export const SETTLEMENTS_MAX: number = 2 ** 21
/** Channels with a close, of those that debit one account; those that would execute first are kept. */
export const CLOSE_CHANNELS_PER_ACCOUNT = 16
/** Closes kept at once; further ones are refused until a fold. */
export const CLOSES_MAX = 16_384
/** Folds between the one that first holds a close and the one that executes it. */
export const CLOSE_DELAY_FOLDS = 2n

/** Records that wait for their signatures to be checked; further ones are refused, and offered again later. */
export const WAITING_MAX = 4_096
/** Records whose signatures are checked in one call of the crypto provider. */
export const BATCH_RECORDS = 256

/** Accounts that a sparse view follows: what one WANT frame can name. */
export const SPARSE_ACCOUNTS_MAX = 28
/** Siblings in a balance proof: a tree of 2^32 accounts. */
export const PROOF_SIBLINGS_MAX = 32
/** Calls of the crypto provider under way at once: while one result is applied, the other keeps the threads busy. */
export const BATCHES_IN_FLIGHT = 2
/** Settlements of a sparse view, 0.25 MB; once full, its accounts count as having nothing. */
export const SPARSE_SETTLEMENTS_MAX = 1_024
/** Batches that a record may wait for room, before it is refused: a chain of a thousand debits in any order. */
export const REVIEWS_MAX = 64
