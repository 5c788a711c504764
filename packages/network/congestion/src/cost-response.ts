import { COST_FILL_MIN } from './limits.ts'

/**
 * What a path costs over a queue that is filled to `fill`, 0 to 1: the base up to a half, above it base × (1 + fill²)
 * (docs/spec/congestion.md). In the unit of `base`.
 * @throws {RangeError} for a fill outside 0 to 1, or a negative base
 */
export function effectiveCost(base: number, fill: number): number {
  if (!(fill >= 0 && fill <= 1)) throw new RangeError(`a queue filled to ${fill}`)
  if (!(base >= 0)) throw new RangeError(`a cost of ${base}`)
  return fill > COST_FILL_MIN ? base * (1 + fill * fill) : base
}
