import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ratiosOf, spreadOf } from '../src/statistics.ts'

describe('a spread', () => {
  test('has the middle of an odd number, the mean of the two in the middle of an even one', () => {
    expect(spreadOf([3, 1, 2])).toEqual({ median: 2, min: 1, max: 3 })
    expect(spreadOf([4, 1, 2, 10])).toEqual({ median: 3, min: 1, max: 10 })
    expect(() => spreadOf([])).toThrow(RangeError)
  })

  test('does not depend on the order, and one wild round does not move it far', () => {
    const samples = fc.array(fc.double({ min: 1, max: 100, noNaN: true }), { minLength: 3, maxLength: 9 })
    fc.assert(
      fc.property(samples, (list) => {
        const { median, min, max } = spreadOf(list)
        expect(spreadOf(list.toReversed())).toEqual({ median, min, max })
        expect(min <= median && median <= max).toBe(true)
        expect(spreadOf([...list.toSorted((a, b) => a - b).slice(0, -1), 1e9]).median).toBeLessThanOrEqual(
          list.length % 2 === 1 && list.length > 1 ? median : 100,
        )
      }),
    )
  })
})

test('ratios are of the same round, and of no round that one of them lacks', () => {
  expect(ratiosOf([10, 40], [5, 10, 20])).toEqual([2, 4])
  // The machine halved its speed in the second round: the ratio stays.
  expect(ratiosOf([100, 50, 100], [50, 25, 50])).toEqual([2, 2, 2])
})
