import { checkAmount } from './amount.ts'
import { AllocationError } from './errors.ts'
import { AMOUNT_MAX } from './limits.ts'
import type { AllocationPolicy } from './policy.ts'

/** The three parts of an amount, in smallest units: `creator + pool + fee` is the amount, always. */
export interface Split {
  readonly creator: bigint
  readonly pool: bigint
  readonly fee: bigint
}

/** What an account, or the whole ledger, has taken in: the amounts and their parts. */
export interface Totals extends Split {
  readonly amount: bigint
}

/** Nothing taken in yet. */
export const NO_TOTALS: Totals = Object.freeze({ amount: 0n, creator: 0n, pool: 0n, fee: 0n })

/**
 * Divides an amount: fee and pool are rounded down, and the creator has the rest (docs/spec/allocation.md).
 * @throws {AllocationError} `allocation/amount-range`, `allocation/minimum`
 */
export function split(amount: bigint, policy: AllocationPolicy): Split {
  checkAmount(amount)
  const { minimum, feePercent, poolPercent } = policy
  if (amount < minimum) throw new AllocationError({ code: 'allocation/minimum', amount, minimum })
  const fee = (amount * feePercent) / 100n
  const pool = (amount * poolPercent) / 100n
  return { creator: amount - fee - pool, pool, fee }
}

/**
 * Totals with one more split in them.
 * @throws {AllocationError} `allocation/total` where the sum would pass 2^63 − 1; the totals given stay as they were
 */
export function addSplit(totals: Totals, parts: Split): Totals {
  const amount = parts.creator + parts.pool + parts.fee
  const sum = totals.amount + amount
  if (sum > AMOUNT_MAX) throw new AllocationError({ code: 'allocation/total', total: totals.amount, amount })
  return {
    amount: sum,
    creator: totals.creator + parts.creator,
    pool: totals.pool + parts.pool,
    fee: totals.fee + parts.fee,
  }
}
