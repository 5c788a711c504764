import { BANDWIDTH_MAX } from './limits.ts'
import { powerOfTwo } from './sixteenths.ts'

/**
 * steps[b]: the least whole bit/s whose 8·log2 rounds to b + 1. A step lies at 2^((2b + 1)/16), which is no whole
 * number for any b, so that rounding to nearest has no ties.
 */
const steps = Float64Array.from({ length: BANDWIDTH_MAX }, (_, step) => Number(powerOfTwo(2 * step + 1, 0) + 1n))

const values = Float64Array.from({ length: BANDWIDTH_MAX + 1 }, (_, encoded) =>
  Number((powerOfTwo(2 * encoded, 1) + 1n) >> 1n),
)

/**
 * round(8·log2(bps)) in integer arithmetic, 0…255; less than 1 bit/s counts as 1, and a fraction of a bit/s as nothing.
 * Saturates at 255, about 3.9 Gbit/s.
 * @throws {RangeError} for a negative value or NaN
 */
export function encodeBandwidth(bps: number): number {
  if (!(bps >= 0)) throw new RangeError(`a bandwidth is a number of bit/s, not ${bps}`)
  let least = 0
  let most = BANDWIDTH_MAX
  while (least < most) {
    const middle = (least + most) >> 1
    if (bps < steps[middle]!) most = middle
    else least = middle + 1
  }
  return least
}

/** The whole number of bit/s nearest to 2^(encoded/8). @throws {RangeError} unless `encoded` is 0…255 */
export function decodeBandwidth(encoded: number): number {
  const bps = values[encoded]
  if (bps === undefined) throw new RangeError(`${encoded} is no encoded bandwidth`)
  return bps
}
