/** The largest amount, and the largest total of any account: 2^63 − 1 smallest units, so that it fits an SQL integer. */
export const AMOUNT_MAX: bigint = 2n ** 63n - 1n

/** Digits that an amount has at most: those of {@link AMOUNT_MAX}. */
export const AMOUNT_DIGITS_MAX = 19

/** The largest amount that may stand in JSON as a number: above it a float no longer tells neighbours apart. */
export const AMOUNT_NUMBER_MAX: bigint = BigInt(Number.MAX_SAFE_INTEGER)
