import { COST_MAX, costMicroPerMib, costTable } from '@nexus/compact-path-cost'
import { createPolicy, POLICIES, type RouteCandidate, selectRoute } from '@nexus/routing'
import fc from 'fast-check'
import { expect, test } from 'vitest'

const candidate: fc.Arbitrary<RouteCandidate> = fc.record({
  nodeId: fc.uint8Array({ minLength: 16, maxLength: 16 }),
  cost: fc.oneof(fc.integer({ min: 0, max: COST_MAX }), fc.integer({ min: 100, max: 120 })),
  latencyMs: fc.oneof(fc.integer({ min: 0, max: 0xffff }), fc.integer({ min: 0, max: 200 })),
  reliability: fc.integer({ min: 0, max: 255 }),
  hops: fc.integer({ min: 0, max: 128 }),
})
const candidates = fc.array(candidate, { minLength: 1, maxLength: 8 })
const policy = fc.oneof(
  fc.constantFrom(...Object.values(POLICIES)),
  fc
    .record({ cost: fc.nat(100), latency: fc.nat(100), reliability: fc.nat(100) })
    .filter(({ cost, latency, reliability }) => cost + latency + reliability > 0)
    .map((weights) => createPolicy(weights)),
)

const base = { nodeId: new Uint8Array(16), cost: 10, latencyMs: 10, reliability: 0, hops: 1 }
const node = (byte: number): Uint8Array => new Uint8Array(16).fill(byte)

test('both arithmetics choose the same hop away from ties', () => {
  let apart = 0
  fc.assert(
    fc.property(policy, candidates, (chosen, set) => {
      const f64 = selectRoute(chosen, 'f64', set)
      const q16 = selectRoute(chosen, 'q16', set)
      const gap = Math.min(
        ...f64.scores.map((score, index) => (index === f64.index ? 1 : Math.abs(score - f64.scores[f64.index]!))),
      )
      if (gap < 4 / 0x10000 && !(chosen.reliabilityFirst && set.length === 1)) return
      apart += 1
      expect(q16.index).toBe(f64.index)
    }),
    { numRuns: 3_000 },
  )
  expect(apart).toBeGreaterThan(1_000)
})

test('scores in Q0.16 are those of integers alone', () => {
  fc.assert(
    fc.property(policy, candidates, (chosen, set) => {
      const { cost, latency, reliability } = chosen.weightsQ16
      expect(cost + latency + reliability).toBe(0x10000)
      const largest = costTable[Math.max(...set.map(({ cost: e }) => e))]!
      const shift = BigInt(Math.max(0, largest.toString(2).length - 24))
      const ratio = (value: bigint, max: bigint): bigint => (max === 0n ? 0n : (value << 16n) / max)
      const latencyMax = BigInt(Math.max(...set.map(({ latencyMs }) => latencyMs)))
      const lossMax = BigInt(Math.max(...set.map((one) => 255 - one.reliability)))
      const { scores } = selectRoute(chosen, 'q16', set)
      for (const [index, one] of set.entries()) {
        const score =
          BigInt(cost) * ratio(costTable[one.cost]! >> shift, largest >> shift) +
          BigInt(latency) * ratio(BigInt(one.latencyMs), latencyMax) +
          BigInt(reliability) * ratio(BigInt(255 - one.reliability), lossMax)
        expect(BigInt(scores[index]!)).toBe(score)
      }
    }),
  )
})

test('scores in f64 are the formula', () => {
  const set = [
    { ...base, cost: 100, latencyMs: 20, reliability: 255 },
    { ...base, cost: 50, latencyMs: 80, reliability: 51 },
  ]
  const { scores, index } = selectRoute(POLICIES.balanced, 'f64', set)
  expect(scores[0]).toBeCloseTo(0.5 + 0.25 * 0.25, 12)
  expect(scores[1]).toBeCloseTo((0.5 * costMicroPerMib(50)) / costMicroPerMib(100) + 0.25 + 0.25, 12)
  expect(index).toBe(scores[0]! < scores[1]! ? 0 : 1)
})

test('each named policy takes what its name says', () => {
  const cheap = { ...base, cost: 16, latencyMs: 900, reliability: 100 }
  const fast = { ...base, cost: 160, latencyMs: 10, reliability: 120 }
  const sure = { ...base, cost: 150, latencyMs: 800, reliability: 250 }
  for (const numbers of ['f64', 'q16'] as const) {
    const pick = (of: keyof typeof POLICIES): number => selectRoute(POLICIES[of], numbers, [cheap, fast, sure]).index
    expect([pick('cheapest'), pick('fastest'), pick('mostReliable')]).toEqual([0, 1, 2])
  }
})

test('ties go to cost, then hops, then NodeID; a term whose largest is 0 counts 0', () => {
  for (const numbers of ['f64', 'q16'] as const) {
    const latencyOnly = createPolicy({ cost: 0, latency: 1, reliability: 0 })
    expect(selectRoute(latencyOnly, numbers, [base, { ...base, cost: 9 }]).index).toBe(1)
    expect(selectRoute(latencyOnly, numbers, [{ ...base, hops: 2 }, base]).index).toBe(1)
    expect(
      selectRoute(latencyOnly, numbers, [
        { ...base, nodeId: node(2) },
        { ...base, nodeId: node(1) },
      ]).index,
    ).toBe(1)
    const free = { ...base, cost: 0, latencyMs: 0, reliability: 255 }
    expect(selectRoute(POLICIES.balanced, numbers, [free]).scores).toEqual([0])
    expect(selectRoute(POLICIES.balanced, numbers, [])).toEqual({ index: -1, scores: [] })
    expect(() => selectRoute(POLICIES.balanced, numbers, [{ ...base, cost: 0xffff }])).toThrow(RangeError)
  }
})

test('impossible weights are refused', () => {
  expect(() => createPolicy({ cost: 0, latency: 0, reliability: 0 })).toThrow(RangeError)
  expect(() => createPolicy({ cost: -1, latency: 2, reliability: 0 })).toThrow(RangeError)
  expect(() => createPolicy({ cost: Number.NaN, latency: 2, reliability: 0 })).toThrow(RangeError)
})
