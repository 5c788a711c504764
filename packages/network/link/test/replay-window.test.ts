import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { nearestCounter, ReplayWindow } from '../src/index.ts'

/** The same by a set of everything ever accepted. */
class PlainWindow {
  readonly #seen = new Set<number>()
  highest = -1

  isFresh(counter: number): boolean {
    return counter > this.highest - 1_024 && !this.#seen.has(counter)
  }

  mark(counter: number): void {
    this.#seen.add(counter)
    this.highest = Math.max(this.highest, counter)
  }
}

/** The same by trying every candidate near `highest`. */
function plainNearest(highest: number, low: number, modulus: number): number {
  if (highest < 0) return low
  const turn = Math.floor(highest / modulus)
  const candidates = [turn + 1, turn, turn - 1].map((t) => t * modulus + low).filter((candidate) => candidate >= 0)
  return candidates.reduce((best, candidate) =>
    Math.abs(candidate - highest) < Math.abs(best - highest) ? candidate : best,
  )
}

describe('the replay window', () => {
  const counters = fc.oneof(
    fc.array(fc.nat(3_000), { maxLength: 400 }),
    fc.array(fc.nat(2_000), { maxLength: 400 }).map((all) => all.map((counter) => counter + 2 ** 32 - 1_000)),
    fc.array(fc.nat(2 ** 40), { maxLength: 50 }),
  )

  test('judges as a set of all counters would', () => {
    fc.assert(
      fc.property(counters, (all) => {
        const window = new ReplayWindow()
        const plain = new PlainWindow()
        for (const counter of all) {
          expect(window.isFresh(counter)).toBe(plain.isFresh(counter))
          if (!plain.isFresh(counter)) continue
          window.mark(counter)
          plain.mark(counter)
          expect(window.highest).toBe(plain.highest)
        }
      }),
    )
  })

  test('is 1 024 wide', () => {
    const window = new ReplayWindow()
    window.mark(5_000)
    expect([window.isFresh(5_000 - 1_023), window.isFresh(5_000 - 1_024), window.isFresh(5_000)]).toEqual([
      true,
      false,
      false,
    ])
    window.mark(5_000 - 1_023)
    window.mark(5_001)
    expect(window.isFresh(5_001 - 1_024)).toBe(false)
    expect(window.isFresh(5_001 + 1_024)).toBe(true)
  })
})

describe('the nearest counter', () => {
  test.each([2 ** 16, 2 ** 32])('mod %d is what trying all gives', (modulus) => {
    const highest = fc.oneof(
      fc.nat(3 * 2 ** 16),
      fc.maxSafeNat().map((n) => n % 2 ** 40),
      fc.constant(-1),
    )
    fc.assert(
      fc.property(highest, fc.maxSafeNat(), (from, any) => {
        const low = any % modulus
        expect(nearestCounter(from, low, modulus)).toBe(plainNearest(from, low, modulus))
      }),
      { numRuns: 2_000 },
    )
  })

  test.each([2 ** 16, 2 ** 32])('mod %d follows a sender through its wraps, losses and reorder', (modulus) => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -500, max: 30_000 }), { maxLength: 200 }), fc.nat(4), (steps, turns) => {
        let highest = turns * modulus + modulus - 10
        for (const step of steps) {
          const sent = highest + step
          expect(nearestCounter(highest, sent % modulus, modulus)).toBe(sent)
          highest = Math.max(highest, sent)
        }
      }),
    )
  })

  test('between two equally near ones is the later, and never below zero', () => {
    expect(nearestCounter(0x18000, 0, 0x1_0000)).toBe(0x2_0000)
    expect(nearestCounter(5, 0xffff, 0x1_0000)).toBe(0xffff)
    expect(nearestCounter(-1, 9, 0x1_0000)).toBe(9)
  })
})
