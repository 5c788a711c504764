import { fuzzCases, fuzzDecoder } from '@nexus/codec/testing'
import { expect, test } from 'vitest'
import { decodePathCost, encodePathCost, PATH_COST_ORIGIN, PathCostError } from '../src/index.ts'

test('the path cost decoder gives a value or its error for any bytes', () => {
  const outcome = fuzzDecoder({
    decode: decodePathCost,
    encode: encodePathCost,
    isTyped: (error) => error instanceof PathCostError,
    corpus: [
      encodePathCost(PATH_COST_ORIGIN),
      encodePathCost({ cost: 640, latencyMs: 65_535, bandwidth: 99, hops: 255 }),
      encodePathCost({ cost: 0xffff, latencyMs: 0, bandwidth: 0, hops: 0 }),
    ],
    cases: fuzzCases(process.env),
    seed: 0x6a09,
  })
  expect(outcome.accepted).toBeGreaterThan(100)
  expect(outcome.refused).toBeGreaterThan(100)
})
