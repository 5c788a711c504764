/** Why an amount is refused before anything is written. */
export type AllocationErrorDetail =
  | { readonly code: 'allocation/amount-type'; readonly type: string }
  | { readonly code: 'allocation/amount-syntax'; readonly lengthChars: number }
  | { readonly code: 'allocation/amount-inexact' }
  | { readonly code: 'allocation/amount-range'; readonly amount: bigint }
  | { readonly code: 'allocation/minimum'; readonly amount: bigint; readonly minimum: bigint }
  | { readonly code: 'allocation/policy'; readonly policy: number }
  | { readonly code: 'allocation/total'; readonly total: bigint; readonly amount: bigint }

/** An amount, a policy or a total that the rule does not allow. */
export class AllocationError extends Error {
  override readonly name = 'AllocationError'
  readonly detail: AllocationErrorDetail
  constructor(detail: AllocationErrorDetail) {
    super(explain(detail))
    this.detail = detail
  }
}

function explain(detail: AllocationErrorDetail): string {
  switch (detail.code) {
    case 'allocation/amount-type':
      return `an amount is a string of digits or a whole number, not ${detail.type}`
    case 'allocation/amount-syntax':
      return `an amount is 1 to 19 decimal digits without a leading zero, sign, point or exponent (got ${detail.lengthChars} characters)`
    case 'allocation/amount-inexact':
      return 'an amount above 9007199254740991 must be sent as a string: as a JSON number it may already be another one'
    case 'allocation/amount-range':
      return `${detail.amount} is not an amount: 1 to 9223372036854775807 smallest units`
    case 'allocation/minimum':
      return `${detail.amount} is below ${detail.minimum}, the least that this policy splits`
    case 'allocation/policy':
      return `there is no allocation policy ${detail.policy}`
    case 'allocation/total':
      return `a total of ${detail.total} cannot take ${detail.amount} more: it ends at 9223372036854775807`
  }
}
