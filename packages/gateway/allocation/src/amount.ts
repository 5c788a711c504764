import { AllocationError } from './errors.ts'
import { AMOUNT_DIGITS_MAX, AMOUNT_MAX, AMOUNT_NUMBER_MAX } from './limits.ts'

const DIGITS = /^[1-9][0-9]*$/

/**
 * An amount as text: 1…19 decimal digits, no leading zero, nothing else (docs/spec/allocation.md).
 * @throws {AllocationError} `allocation/amount-syntax`, `allocation/amount-range`
 */
export function parseAmount(text: string): bigint {
  if (text.length > AMOUNT_DIGITS_MAX || !DIGITS.test(text)) {
    throw new AllocationError({ code: 'allocation/amount-syntax', lengthChars: text.length })
  }
  return checkAmount(BigInt(text))
}

/**
 * An amount out of parsed JSON. A string is read by {@link parseAmount}. A number is judged by its *source text*, which
 * `JSON.parse` hands to its reviver: `1e3` and `100.0` are refused although they are whole, and so is a number above
 * 2^53 − 1, of which the parser may already have made another.
 * @throws {AllocationError} `allocation/amount-type`, `…-syntax`, `…-inexact`, `…-range`
 */
export function amountFromJson(value: unknown, source: string | undefined): bigint {
  if (typeof value === 'string') return parseAmount(value)
  if (typeof value !== 'number') throw new AllocationError({ code: 'allocation/amount-type', type: typeName(value) })
  const amount = parseAmount(source ?? '')
  if (amount > AMOUNT_NUMBER_MAX) throw new AllocationError({ code: 'allocation/amount-inexact' })
  return amount
}

/** @throws {AllocationError} `allocation/amount-range` outside 1…2^63 − 1 */
export function checkAmount(amount: bigint): bigint {
  if (amount < 1n || amount > AMOUNT_MAX) throw new AllocationError({ code: 'allocation/amount-range', amount })
  return amount
}

function typeName(value: unknown): string {
  if (value === null) return 'null'
  return Array.isArray(value) ? 'array' : typeof value
}
