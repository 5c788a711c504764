import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { MediumBudget, type Tier } from '../src/index.ts'

const HOUR_MS = 3_600_000

describe('budget of a medium', () => {
  test('never gives more than 10 % of an hour, a minute and one announce, however it is asked', () => {
    const demand = fc.record({
      bps: fc.constantFrom(55, 1_000, 50_000, 10_000_000),
      tiers: fc.array(fc.constantFrom<Tier>(1, 2, 3, 4), { minLength: 1, maxLength: 4 }),
      frameBytes: fc.integer({ min: 20, max: 508 }),
      controlBytesPerMinute: fc.integer({ min: 0, max: 4 }),
      stepMs: fc.integer({ min: 200, max: 20_000 }),
    })
    fc.assert(
      fc.property(demand, ({ bps, tiers, frameBytes, controlBytesPerMinute, stepMs }) => {
        const budget = new MediumBudget(0, bps)
        let sent = 0
        let nextControlMs = 0
        for (let nowMs = 0; nowMs < HOUR_MS; nowMs += stepMs) {
          if (nowMs >= nextControlMs) {
            budget.spendControl(nowMs, controlBytesPerMinute)
            sent += controlBytesPerMinute
            nextControlMs += 60_000
          }
          for (const tier of tiers) {
            const frames = Math.floor(budget.availableBytes(nowMs, tier) / frameBytes)
            budget.spend(nowMs, tier, frames * frameBytes)
            sent += frames * frameBytes
          }
        }
        const tenth = (bps * 3_660) / 8 / 10
        expect(sent).toBeLessThanOrEqual(tenth + 256 + 1)
      }),
      { numRuns: 40 },
    )
  })

  test('a node that comes up has a minute of routing to say at once', () => {
    expect(new MediumBudget(0, 50_000).availableBytes(0, 1)).toBe((0.03 * 50_000 * 60) / 8)
    expect(new MediumBudget(0, 55).availableBytes(0, 1)).toBe(256)
  })

  test('a lone tier gets what the others leave, once they have saved their fill', () => {
    const budget = new MediumBudget(0, 50_000)
    let sent = 0
    for (let nowMs = 0; nowMs < HOUR_MS; nowMs += 500) {
      const bytes = budget.availableBytes(nowMs, 4)
      budget.spend(nowMs, 4, bytes)
      sent += bytes
    }
    const tenth = (50_000 * 3_600) / 8 / 10
    expect(sent).toBeGreaterThan(0.9 * tenth)
    expect(sent - tenth / 60).toBeLessThanOrEqual(tenth)
  })

  test('idle tiers lend what they have, and have it no more', () => {
    const budget = new MediumBudget(0, 50_000)
    const alone = budget.availableBytes(0, 1)
    const lent = budget.availableBytes(0, 1, [2, 3, 4])
    expect(lent).toBe((0.1 * 50_000 * 60) / 8)
    expect(budget.allowedAtMs(0, 1, lent + 625, [2, 3, 4])).toBe(1_001)
    budget.spend(0, 1, lent, [2, 3, 4])
    for (const tier of [1, 2, 3, 4] as const) expect(budget.availableBytes(0, tier)).toBe(0)
    expect(alone).toBeLessThan(lent)
  })

  test('a tier with work keeps its share while others have all they want', () => {
    const budget = new MediumBudget(0, 50_000)
    const sent: Record<Tier, number> = { 1: 0, 2: 0, 3: 0, 4: 0 }
    for (let nowMs = 0; nowMs < HOUR_MS; nowMs += 500) {
      for (const tier of [4, 3, 2, 1] as const) {
        const bytes = budget.availableBytes(nowMs, tier)
        budget.spend(nowMs, tier, bytes)
        sent[tier] += bytes
      }
    }
    const hourBytes = (50_000 * 3_600) / 8
    expect(sent[1] / hourBytes).toBeCloseTo(0.03, 2)
    expect(sent[2] / hourBytes).toBeCloseTo(0.03, 2)
    expect(sent[3] / hourBytes).toBeCloseTo(0.02, 2)
  })

  test('a debt of control is waited out', () => {
    const budget = new MediumBudget(0, 1_000)
    budget.spendControl(0, 1_000)
    expect(budget.availableBytes(10_000, 1)).toBe(0)
    const atMs = budget.allowedAtMs(10_000, 1, 100)
    expect(atMs).toBeGreaterThan(10_000)
    expect(budget.availableBytes(HOUR_MS, 1)).toBeGreaterThan(100)
  })
})
