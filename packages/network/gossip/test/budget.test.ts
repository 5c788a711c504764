import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { MediumBudget, type Tier } from '../src/index.ts'

const HOUR_MS = 3_600_000

describe('budget of a medium', () => {
  test('never gives more than 10 % of an hour, of a minute and one frame, however it is asked', () => {
    const demand = fc.record({
      bps: fc.constantFrom(10, 55, 1_000, 50_000, 500_000),
      tiers: fc.array(fc.constantFrom<Tier>(1, 2, 3, 4), { minLength: 1, maxLength: 4 }),
      frameBytes: fc.integer({ min: 20, max: 508 }),
      controlBytesPerMinute: fc.integer({ min: 0, max: 4 }),
      stepMs: fc.integer({ min: 200, max: 20_000 }),
    })
    fc.assert(
      fc.property(demand, ({ bps, tiers, frameBytes, controlBytesPerMinute, stepMs }) => {
        const budget = new MediumBudget(0, bps)
        const tenth = (bps * 3_660) / 8 / 10
        let sent = 0
        let nextControlMs = 0
        for (let nowMs = 0; nowMs < HOUR_MS; nowMs += stepMs) {
          if (nowMs >= nextControlMs && controlBytesPerMinute * 60 < tenth) {
            budget.spendControl(nowMs, controlBytesPerMinute)
            sent += controlBytesPerMinute
            nextControlMs += 60_000
          }
          for (const tier of tiers) sent += drain(budget, nowMs, tier, frameBytes)
        }
        expect(sent).toBeLessThanOrEqual(tenth + frameBytes + controlBytesPerMinute + 1)
      }),
      { numRuns: 40 },
    )
  })

  test('a node that comes up has a minute of routing to say at once, and one frame in any case', () => {
    expect(drain(new MediumBudget(0, 50_000), 0, 1, 25)).toBe((0.03 * 50_000 * 60) / 8)
    expect(drain(new MediumBudget(0, 55), 0, 1, 181)).toBe(181)
  })

  test('a lone tier gets what the others leave, once they have saved their fill', () => {
    const budget = new MediumBudget(0, 50_000)
    let sent = 0
    for (let nowMs = 0; nowMs < HOUR_MS; nowMs += 500) sent += drain(budget, nowMs, 4, 100)
    const tenth = (50_000 * 3_600) / 8 / 10
    expect(sent).toBeGreaterThan(0.9 * tenth)
    expect(sent - tenth / 60).toBeLessThanOrEqual(tenth)
  })

  test('idle tiers lend what they have, and have it no more', () => {
    const budget = new MediumBudget(0, 50_000)
    const idle: Tier[] = [2, 3, 4]
    const minuteBytes = (0.1 * 50_000 * 60) / 8
    budget.spend(0, 1, minuteBytes, idle)
    for (const tier of [1, 2, 3, 4] as const) expect(budget.allowedAtMs(0, tier, idle)).toBeGreaterThan(0)
    budget.spend(0, 1, 625, idle)
    expect(budget.allowedAtMs(0, 1, idle)).toBeGreaterThanOrEqual(1_000)
    const atMs = budget.allowedAtMs(0, 1, idle)
    expect(budget.allowedAtMs(atMs, 1, idle)).toBe(atMs)
  })

  test('a tier with work keeps its share while others have all they want', () => {
    const budget = new MediumBudget(0, 50_000)
    const sent: Record<Tier, number> = { 1: 0, 2: 0, 3: 0, 4: 0 }
    for (let nowMs = 0; nowMs < HOUR_MS; nowMs += 500) {
      for (const tier of [4, 3, 2, 1] as const) sent[tier] += drain(budget, nowMs, tier, 200)
    }
    const hourBytes = (50_000 * 3_600) / 8
    expect(sent[1] / hourBytes).toBeCloseTo(0.03, 2)
    expect(sent[2] / hourBytes).toBeCloseTo(0.03, 2)
    expect(sent[3] / hourBytes).toBeCloseTo(0.02, 2)
  })

  test('a tier that took a long frame pays for it alone', () => {
    const budget = new MediumBudget(0, 100)
    for (const tier of [1, 2, 3, 4] as const) budget.spend(0, tier, 1)
    budget.spend(0, 4, 508)
    const [shortMs, longMs] = [budget.allowedAtMs(0, 1), budget.allowedAtMs(0, 4)]
    // All wait until no more than one frame is owed; then the others go on, each with its share.
    expect(budget.allowedAtMs(shortMs, 1)).toBe(shortMs)
    expect(longMs).toBeGreaterThan(4 * shortMs)
  })

  test('a debt of control is waited out', () => {
    const budget = new MediumBudget(0, 1_000)
    budget.spendControl(0, 1_000)
    const atMs = budget.allowedAtMs(10_000, 1)
    expect(atMs).toBeGreaterThan(10_000)
    expect(budget.allowedAtMs(HOUR_MS, 1)).toBe(HOUR_MS)
  })
})

/** Sends frames of one size for as long as the budget lets it; returns their bytes. */
function drain(budget: MediumBudget, nowMs: number, tier: Tier, frameBytes: number): number {
  let sent = 0
  while (budget.allowedAtMs(nowMs, tier) <= nowMs) {
    budget.spend(nowMs, tier, frameBytes)
    sent += frameBytes
  }
  return sent
}
