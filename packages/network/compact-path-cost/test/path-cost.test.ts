import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  addCost,
  COST_MAX,
  COST_UNREACHABLE,
  costMicroPerMib,
  costTable,
  decodeBandwidth,
  decodeCost,
  decodePathCost,
  encodeBandwidth,
  encodeCost,
  encodePathCost,
  isReachable,
  PATH_COST_ORIGIN,
  type PathCost,
  PathCostError,
  relay,
  writePathCost,
} from '../src/index.ts'
import { plainAddCost, plainDecodeBandwidth, plainEncodeBandwidth, plainEncodeCost, plainTable } from './plain.ts'

const reachable = fc.integer({ min: 0, max: COST_MAX })
const anyCost = fc.oneof({ weight: 9, arbitrary: reachable }, { weight: 1, arbitrary: fc.constant(COST_UNREACHABLE) })
const hop = {
  cost: anyCost,
  latencyMs: fc.integer({ min: 0, max: 0xffff }),
  bandwidth: fc.integer({ min: 0, max: 255 }),
}
const anyHop = fc.record(hop)
const anyPath: fc.Arbitrary<PathCost> = fc.record({ ...hop, hops: fc.integer({ min: 0, max: 255 }) })

describe('cost scale', () => {
  test('every entry of the table is the exact root', () => {
    expect(costTable).toEqual(plainTable)
    expect(costTable[640]).toBe((1n << 56n) - (1n << 16n))
    expect(costTable[16]).toBe(0x10000n)
  })

  test('rounds up at every boundary', () => {
    for (let cost = 0; cost < COST_MAX; cost++) {
      expect(encodeCost(decodeCost(cost))).toBe(cost)
      expect(encodeCost(decodeCost(cost) + 1n)).toBe(cost + 1)
      expect(encodeCost(decodeCost(cost + 1) - 1n)).toBe(cost + 1)
    }
    expect(encodeCost(decodeCost(640) + 1n)).toBe(640)
    expect(encodeCost(1n << 200n)).toBe(640)
  })

  test('agrees with the plain search', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 1n << 58n }), (value) => {
        expect(encodeCost(value)).toBe(plainEncodeCost(value))
      }),
    )
  })

  test('every sum agrees with bigint arithmetic', () => {
    for (let a = 0; a <= COST_MAX; a++) {
      let expected = a
      for (let b = 0; b <= a; b++) {
        const sum = plainTable[a]! + plainTable[b]!
        while (expected < COST_MAX && plainTable[expected]! < sum) expected++
        if (addCost(a, b) !== expected || addCost(b, a) !== expected) expect([a, b, addCost(a, b)]).toBe(expected)
      }
    }
  })

  test('unreachable absorbs and free is neutral', () => {
    fc.assert(
      fc.property(anyCost, (cost) => {
        expect(addCost(cost, COST_UNREACHABLE)).toBe(COST_UNREACHABLE)
        expect(addCost(cost, 0)).toBe(cost)
        expect(plainAddCost(cost, 0)).toBe(cost)
      }),
    )
  })

  test('a share however small is seen on a path however dear, below the ceiling', () => {
    for (let cost = 0; cost < COST_MAX; cost++) expect(addCost(cost, 1)).toBeGreaterThan(cost)
  })

  test('f64 view', () => {
    expect(costMicroPerMib(0)).toBe(0)
    expect(costMicroPerMib(16)).toBe(1)
    expect(costMicroPerMib(COST_UNREACHABLE)).toBe(Number.POSITIVE_INFINITY)
    for (let cost = 0; cost < 593; cost++) expect(BigInt(costMicroPerMib(cost) * 0x10000)).toBe(costTable[cost])
    for (let cost = 1; cost <= COST_MAX; cost++)
      expect(costMicroPerMib(cost)).toBeGreaterThan(costMicroPerMib(cost - 1))
  })

  test('misuse is a RangeError', () => {
    for (const cost of [-1, 641, 0xfffe, 0x10000, 0.5, Number.NaN]) {
      expect(() => decodeCost(cost)).toThrow(RangeError)
      expect(() => costMicroPerMib(cost)).toThrow(RangeError)
      expect(() => addCost(cost, 0)).toThrow(RangeError)
      expect(() => addCost(0, cost)).toThrow(RangeError)
    }
    expect(() => decodeCost(COST_UNREACHABLE)).toThrow(RangeError)
    expect(() => encodeCost(-1n)).toThrow(RangeError)
  })
})

describe('bandwidth scale', () => {
  test('rounds to nearest on both sides of every step', () => {
    for (let encoded = 0; encoded < 255; encoded++) {
      let step = 1n
      while (plainEncodeBandwidth(step * 2n) <= encoded) step *= 2n
      for (let bit = step; bit > 0n; bit /= 2n) if (plainEncodeBandwidth(step + bit) <= encoded) step += bit
      expect(encodeBandwidth(Number(step))).toBe(plainEncodeBandwidth(step))
      expect(encodeBandwidth(Number(step + 1n))).toBe(plainEncodeBandwidth(step + 1n))
    }
  })

  test('agrees with the plain form', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 5_000_000_000n }), (bps) => {
        expect(encodeBandwidth(Number(bps))).toBe(plainEncodeBandwidth(bps))
      }),
    )
    for (let encoded = 0; encoded <= 255; encoded++) {
      expect(BigInt(decodeBandwidth(encoded))).toBe(plainDecodeBandwidth(encoded))
    }
  })

  test('known rates', () => {
    expect([0, 0.5, 1, 1.9].map(encodeBandwidth)).toEqual([0, 0, 0, 0])
    expect([1024, 5_470, 1e9, 1e12, Number.POSITIVE_INFINITY].map(encodeBandwidth)).toEqual([80, 99, 239, 255, 255])
    expect(decodeBandwidth(80)).toBe(1024)
    expect(decodeBandwidth(255)).toBe(3_938_502_376)
  })

  test('decoded values encode back where whole numbers are dense enough', () => {
    for (let encoded = 27; encoded <= 255; encoded++) expect(encodeBandwidth(decodeBandwidth(encoded))).toBe(encoded)
  })

  test('misuse is a RangeError', () => {
    for (const bps of [-1, Number.NaN]) expect(() => encodeBandwidth(bps)).toThrow(RangeError)
    for (const encoded of [-1, 256, 0.5]) expect(() => decodeBandwidth(encoded)).toThrow(RangeError)
  })
})

describe('relaying', () => {
  test('never improves anything, and the metric (cost, hops) gets strictly worse', () => {
    fc.assert(
      fc.property(anyPath, anyHop, (path, own) => {
        const after = relay(path, own)
        expect(after.cost).toBe(plainAddCost(path.cost, own.cost))
        expect(after.cost).toBeGreaterThanOrEqual(Math.max(path.cost, own.cost))
        expect(after.latencyMs).toBe(Math.max(path.latencyMs, own.latencyMs))
        expect(after.bandwidth).toBe(Math.min(path.bandwidth, own.bandwidth))
        expect(after.hops).toBe(Math.min(255, path.hops + 1))
        if (path.hops < 255) expect(after.cost > path.cost || after.hops > path.hops).toBe(true)
        expect(isReachable(after)).toBe(isReachable(path) && isReachable(own))
      }),
    )
  })

  test('is monotone: a cheaper path stays no dearer behind the same relay', () => {
    fc.assert(
      fc.property(anyPath, anyPath, anyHop, (a, b, own) => {
        const [cheap, dear] = a.cost <= b.cost ? [a, b] : [b, a]
        expect(relay(cheap, own).cost).toBeLessThanOrEqual(relay(dear, own).cost)
      }),
    )
  })

  test('fields outside their range are the caller’s mistake', () => {
    const path = PATH_COST_ORIGIN
    for (const bad of [{ cost: 641 }, { latencyMs: 65536 }, { latencyMs: -1 }, { bandwidth: 256 }, { hops: 0.5 }]) {
      expect(() => relay({ ...path, ...bad }, path)).toThrow(RangeError)
      expect(() => encodePathCost({ ...path, ...bad })).toThrow(RangeError)
    }
  })
})

describe('six bytes', () => {
  test('round trip', () => {
    fc.assert(
      fc.property(anyPath, (path) => {
        const bytes = encodePathCost(path)
        expect(bytes.length).toBe(6)
        expect(decodePathCost(bytes)).toEqual(path)
      }),
    )
  })

  test('writes in place', () => {
    const frame = new Uint8Array(10)
    expect(writePathCost({ cost: 0x0102, latencyMs: 0x0304, bandwidth: 5, hops: 6 }, frame, 3)).toBe(9)
    expect([...frame]).toEqual([0, 0, 0, 2, 1, 4, 3, 5, 6, 0])
    expect(() => writePathCost(PATH_COST_ORIGIN, frame, 5)).toThrow(RangeError)
  })

  test('refuses every cost between the scale and unreachable', () => {
    for (let cost = 0; cost <= 0xffff; cost++) {
      const bytes = Uint8Array.of(cost & 255, cost >> 8, 0, 0, 0, 0)
      if (cost <= COST_MAX || cost === COST_UNREACHABLE) expect(decodePathCost(bytes).cost).toBe(cost)
      else expect(codeOf(bytes)).toBe('path-cost/cost')
    }
    for (const length of [0, 5, 7]) expect(codeOf(new Uint8Array(length))).toBe('path-cost/length')
  })
})

function codeOf(bytes: Uint8Array): string | undefined {
  try {
    decodePathCost(bytes)
  } catch (error) {
    if (error instanceof PathCostError) return error.detail.code
    throw error
  }
  return undefined
}
