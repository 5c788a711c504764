import { greedyStep, ringDistance } from '@nexus/routing'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readWords } from '../src/ring.ts'
import { createSmallWorld, mean, walkGreedily } from './small-world.ts'

const address = fc.uint8Array({ minLength: 16, maxLength: 16 })
const asNumber = (id: Uint8Array): bigint => id.reduce((value, byte) => (value << 8n) | BigInt(byte), 0n)
const FULL = 1n << 128n

test('the distance is the shorter way round', () => {
  fc.assert(
    fc.property(address, address, (a, b) => {
      const apart = (asNumber(a) - asNumber(b) + FULL) % FULL
      expect(ringDistance(a, b)).toBe(apart < FULL - apart ? apart : FULL - apart)
    }),
  )
  const half = new Uint8Array(16)
  half[0] = 0x80
  expect(ringDistance(half, new Uint8Array(16))).toBe(1n << 127n)
  expect(ringDistance(new Uint8Array(16).fill(255), new Uint8Array(16))).toBe(1n)
  expect(() => ringDistance(new Uint8Array(15), half)).toThrow(RangeError)
})

test('the greedy step takes the nearest neighbour, and none that is not nearer', () => {
  fc.assert(
    fc.property(address, address, fc.array(address, { maxLength: 12 }), (self, target, peers) => {
      const ids = new Uint32Array(4 * (peers.length + 1))
      const words = new Uint32Array(4)
      readWords(target, words, 0)
      for (const [index, id] of [self, ...peers].entries()) readWords(id, ids, 4 * index)
      const indices = peers.map((_, index) => index + 1)
      const step = greedyStep(ids, 0, indices, indices.length, words, 0)
      const plain = peers
        .map((id, index) => ({ index: index + 1, id: asNumber(id), distance: ringDistance(id, target) }))
        .filter(({ distance }) => distance < ringDistance(self, target))
        .sort((a, b) => (a.distance === b.distance ? Number(a.id > b.id) || -1 : a.distance < b.distance ? -1 : 1))[0]
      if (plain === undefined) expect(step).toBe(-1)
      else expect(asNumber(peers[step - 1]!)).toBe(plain.id)
    }),
  )
})

test('of two neighbours on either side of the target the lower address is taken', () => {
  const ids = new Uint32Array([0, 0, 0, 0, 0x30, 0, 0, 0, 0x10, 0, 0, 0])
  expect(greedyStep(ids, 0, [1, 2], 2, new Uint32Array([0x20, 0, 0, 0]), 0)).toBe(2)
  expect(greedyStep(ids, 0, [2, 1], 2, new Uint32Array([0x20, 0, 0, 0]), 0)).toBe(2)
})

test('greedy walks arrive, within log² N hops with one long-range link and log N with log N of them', () => {
  for (const nodes of [1_000, 10_000]) {
    const log = Math.log2(nodes)
    expect(mean(walkGreedily(createSmallWorld(1, nodes, 1), 2, 1_000))).toBeLessThan(0.25 * log * log)
    expect(mean(walkGreedily(createSmallWorld(1, nodes, Math.round(log)), 2, 1_000))).toBeLessThan(0.6 * log)
  }
})
