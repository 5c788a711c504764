import { fuzzCases, fuzzDecoder } from '@nexus/codec/testing'
import { portable } from '@nexus/crypto'
import { seededRandom } from '@nexus/crypto/testing'
import { expect, test } from 'vitest'
import { decodeGossipFrame, decodeRecord, encodeGossipFrame, encodeRecord, Gossip, GossipError } from '../src/index.ts'

const record = { type: 1, body: new Uint8Array(90).fill(7) }
const frames = [
  encodeGossipFrame({
    kind: 'summary',
    tiers: [
      { tier: 2, count: 3, sum: 5n },
      { tier: 4, count: 1, sum: 2n ** 64n - 1n },
    ],
  }),
  encodeGossipFrame({
    kind: 'filter',
    tier: 3,
    salt: 99,
    prefixBits: 4,
    prefix: 9,
    bits: new Uint8Array(31).fill(0x5a),
  }),
  encodeGossipFrame({ kind: 'records', records: [record, { type: 2, body: new Uint8Array(0) }] }),
  encodeGossipFrame({ kind: 'want', nodeIds: [new Uint8Array(16).fill(1), new Uint8Array(16).fill(2)] }),
]
const isTyped = (error: unknown): boolean => error instanceof GossipError
const cases = fuzzCases(process.env)

test('the frame decoder holds under mutation', () => {
  const outcome = fuzzDecoder({
    decode: decodeGossipFrame,
    encode: encodeGossipFrame,
    isTyped,
    corpus: frames,
    cases,
    seed: 11,
  })
  expect(outcome.accepted).toBeGreaterThan(cases / 100)
  expect(outcome.refused).toBeGreaterThan(cases / 100)
})

test('the record decoder holds under mutation', () => {
  const outcome = fuzzDecoder({
    decode: decodeRecord,
    encode: encodeRecord,
    isTyped,
    corpus: [encodeRecord(record)],
    cases,
    seed: 12,
  })
  expect(outcome.refused).toBeGreaterThan(cases / 100)
})

test('a node fed with mutated frames stays within its bounds', () => {
  const gossip = new Gossip({ crypto: portable(), random: seededRandom(1) }, { want: () => {} })
  gossip.register({ type: 1, tier: 2, recordsMax: 100, validate: (_record, answer) => answer('valid') })
  gossip.neighbourUp(0, 1, 1e6)
  gossip.neighbourUp(0, 2, 1e6)
  fuzzDecoder({
    decode: (bytes) => gossip.receive(1, bytes),
    isTyped,
    corpus: frames,
    cases: Math.ceil(cases / 10),
    seed: 13,
  })
  expect(gossip.summary(2).count).toBeLessThanOrEqual(100)
  let pulled = 0
  while (gossip.pull(1, 2, 484) !== undefined) pulled++
  expect(pulled).toBeLessThanOrEqual(100 + 64)
})
