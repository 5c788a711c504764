import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { COUNTER_MAX, COUNTER_RESERVE, ReservedCounter } from '../src/index.ts'

describe('reserved counter', () => {
  test('claims before use, and not again within the claim', () => {
    const claims: bigint[] = []
    const counter = new ReservedCounter(0n, (upTo) => claims.push(upTo))
    expect(claims).toEqual([])
    expect(counter.next()).toBe(1n)
    expect(claims).toEqual([COUNTER_RESERVE])
    for (let value = 2n; value <= COUNTER_RESERVE; value++) expect(counter.next()).toBe(value)
    expect(claims).toEqual([COUNTER_RESERVE])
    expect(counter.next()).toBe(COUNTER_RESERVE + 1n)
    expect(claims).toEqual([COUNTER_RESERVE, 2n * COUNTER_RESERVE])
  })

  test('never repeats a value over any run of uses, raises, failing disks and restarts', () => {
    const step = fc.oneof(
      { weight: 6, arbitrary: fc.constant('next' as const) },
      { weight: 1, arbitrary: fc.constant('restart' as const) },
      { weight: 1, arbitrary: fc.constant('diskFails' as const) },
      { weight: 1, arbitrary: fc.bigInt({ min: 0n, max: 5_000n }) },
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
        let onDisk = 0n
        let failing = false
        const persist = (upTo: bigint) => {
          if (failing) throw new Error('disk full')
          onDisk = upTo
        }
        let counter = new ReservedCounter(onDisk, persist)
        let last = 0n
        for (const action of steps) {
          failing = action === 'diskFails'
          if (action === 'restart') counter = new ReservedCounter(onDisk, persist)
          else if (typeof action === 'bigint') counter.raiseTo(action)
          else {
            let value: bigint
            try {
              value = counter.next()
            } catch {
              expect(failing).toBe(true)
              continue
            }
            expect(value).toBeGreaterThan(last)
            expect(value).toBeLessThanOrEqual(onDisk)
            last = value
          }
        }
      }),
    )
  })

  test('goes on above a value that was heard', () => {
    const claims: bigint[] = []
    const counter = new ReservedCounter(10n, (upTo) => claims.push(upTo))
    counter.raiseTo(5n)
    expect(counter.next()).toBe(11n)
    counter.raiseTo(1_000_000n)
    expect(counter.last).toBe(1_000_000n)
    expect(counter.next()).toBe(1_000_001n)
    expect(claims.at(-1)).toBe(1_000_000n + COUNTER_RESERVE)
  })

  test('ends at 2^64 − 1', () => {
    const claims: bigint[] = []
    const counter = new ReservedCounter(COUNTER_MAX - 1n, (upTo) => claims.push(upTo))
    expect(counter.next()).toBe(COUNTER_MAX)
    expect(claims).toEqual([COUNTER_MAX])
    expect(() => counter.next()).toThrow(RangeError)
    expect(() => counter.raiseTo(COUNTER_MAX + 1n)).toThrow(RangeError)
    expect(() => new ReservedCounter(-1n, () => {})).toThrow(RangeError)
  })
})
