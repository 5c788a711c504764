import { describe, expect, test } from 'vitest'
import { MESSAGE } from '../src/index.ts'
import { areLinked, linkedPair, pair, RADIO, SMALL, TCP, UDP } from './kit.ts'

describe.each([UDP, TCP, RADIO, SMALL])('two nodes on $id', (facts) => {
  test('find each other by their beacons, link and talk', () => {
    const nodes = pair(facts)
    expect(nodes.pump.run(120_000, () => areLinked(nodes))).toBe(true)
    const { pump, a, b } = nodes
    const body = Uint8Array.from({ length: 484 }, (_, at) => at)
    expect(a.layer.send(pump.nowMs, a.links[0]!, MESSAGE.packet, body)).toBe(true)
    pump.run(10_000)
    expect(b.messages.map(({ type, body: got }) => [type, got])).toEqual([[MESSAGE.packet, body]])
  })
})

test('a linked pair stays linked for hours', () => {
  const { pump, a, b } = linkedPair(UDP)
  pump.run(3 * 3_600_000)
  expect([a.downs, b.downs]).toEqual([[], []])
  expect(a.links[0]!.counters.rekeys).toBe(b.links[0]!.counters.rekeys)
  expect(a.links[0]!.counters.rekeys).toBeGreaterThan(1)
})
