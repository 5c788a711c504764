/** The 60-30-10 rule in exact integers: amounts, named policies, totals (docs/spec/allocation.md). */
export { amountFromJson, checkAmount, parseAmount } from './amount.ts'
export { AllocationError, type AllocationErrorDetail } from './errors.ts'
export { AMOUNT_DIGITS_MAX, AMOUNT_MAX, AMOUNT_NUMBER_MAX } from './limits.ts'
export { type AllocationPolicy, POLICIES, POLICY_60_30_10, policyOf } from './policy.ts'
export { addSplit, NO_TOTALS, type Split, split, type Totals } from './split.ts'
