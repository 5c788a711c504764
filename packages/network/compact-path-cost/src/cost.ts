import { COST_MAX, COST_UNREACHABLE } from './limits.ts'
import { powerOfTwo } from './sixteenths.ts'

/**
 * D[e] = floor(2^(e/16) · 2^16) − 2^16 for e = 0…640: the decoded cost in 2^-16 μNXS per MiB
 * (docs/spec/path-cost.md). Strictly rising; the last entry is 2^56 − 2^16.
 */
export const costTable: readonly bigint[] = Object.freeze(
  Array.from({ length: COST_MAX + 1 }, (_, cost) => powerOfTwo(cost, 16) - 0x10000n),
)

// Additions work on the halves of D, and scores on its f64 view, so that neither touches a bigint.
const high = Uint32Array.from(costTable, (value) => Number(value >> 32n))
const low = Uint32Array.from(costTable, (value) => Number(value & 0xffff_ffffn))
const microPerMib = Float64Array.from(costTable, (value) => Number(value) / 0x10000)

/** Whether `cost` may stand on the wire: 0…640, or 0xFFFF for unreachable. */
export function isCost(cost: number): boolean {
  return (Number.isInteger(cost) && cost >= 0 && cost <= COST_MAX) || cost === COST_UNREACHABLE
}

/** D[cost] in 2^-16 μNXS per MiB. @throws {RangeError} unless `cost` is 0…640: unreachable has no value */
export function decodeCost(cost: number): bigint {
  const value = costTable[cost]
  if (value === undefined) throw new RangeError(`${cost} is not an encoded cost of a reachable path`)
  return value
}

/**
 * The decoded cost as f64 in μNXS per MiB, for scores: D[cost] / 2^16, rounded to nearest from 593 on;
 * Infinity for unreachable.
 * @throws {RangeError} for what is no encoded cost
 */
export function costMicroPerMib(cost: number): number {
  if (cost === COST_UNREACHABLE) return Number.POSITIVE_INFINITY
  const value = microPerMib[cost]
  if (value === undefined) throw new RangeError(`${cost} is no encoded cost`)
  return value
}

/**
 * The smallest encoded cost that is worth at least `valueQ16` (2^-16 μNXS per MiB): rounding is upwards, or a small
 * relay's share would vanish on a dear path. Values above D[640] give 640.
 * @throws {RangeError} for a negative value
 */
export function encodeCost(valueQ16: bigint): number {
  if (valueQ16 < 0n) throw new RangeError(`a cost is not negative: ${valueQ16}`)
  if (valueQ16 >= costTable[COST_MAX]!) return COST_MAX
  return smallestAtLeast(Number(valueQ16 >> 32n), Number(valueQ16 & 0xffff_ffffn), 0)
}

/**
 * The encoded sum of two encoded costs: decoded, added, encoded upwards, 640 at most. Unreachable absorbs.
 * Commutative, monotone in both, never below either; not associative, since each step rounds up.
 * @throws {RangeError} for what is no encoded cost
 */
export function addCost(a: number, b: number): number {
  if (!isCost(a) || !isCost(b)) throw new RangeError(`${isCost(a) ? b : a} is no encoded cost`)
  if (a === COST_UNREACHABLE || b === COST_UNREACHABLE) return COST_UNREACHABLE
  const lowSum = low[a]! + low[b]!
  const carry = lowSum > 0xffff_ffff ? 1 : 0
  return smallestAtLeast(high[a]! + high[b]! + carry, lowSum >>> 0, Math.max(a, b))
}

/** Smallest e ≥ `from` with D[e] ≥ the value of the two halves; 640 if there is none. */
function smallestAtLeast(valueHigh: number, valueLow: number, from: number): number {
  let least = from
  let most = COST_MAX
  while (least < most) {
    const middle = (least + most) >> 1
    const enough = high[middle]! > valueHigh || (high[middle] === valueHigh && low[middle]! >= valueLow)
    if (enough) most = middle
    else least = middle + 1
  }
  return least
}
