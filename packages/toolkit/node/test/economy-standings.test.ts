import { expect, test } from 'vitest'
import { Standings } from '../src/core/economy/standings.ts'
import { STANDINGS_MAX } from '../src/core/limits.ts'
import { MemoryStore } from '../src/core/store.ts'

function nodeId(at: number): Uint8Array {
  const id = new Uint8Array(16)
  new DataView(id.buffer).setUint32(0, at)
  return id
}

function memory() {
  const store = new MemoryStore()
  return Object.assign(store, { atomically: <T>(work: () => T): T => work() })
}

test('what a neighbour paid and owes is kept over a start, and nothing of one that did neither', () => {
  const store = memory()
  const standing = { paidPackets: 12, owedMicro: new Map([[3, 450]]) }
  new Standings(store).keep(nodeId(1), standing)
  const standings = new Standings(store)
  expect(standings.get(nodeId(1))).toEqual(standing)
  expect(standings.get(nodeId(2))).toBeUndefined()
  standings.keep(nodeId(1), { paidPackets: 0, owedMicro: new Map() })
  expect([...store.entries('')]).toEqual([])
  store.put(`lottery/${'0'.repeat(32)}`, new Uint8Array(5))
  expect(new Standings(store).get(new Uint8Array(16))).toBeUndefined()
})

test('of too many, who owes least is forgotten', () => {
  const store = memory()
  const standings = new Standings(store)
  const owing = (micro: number) => ({ paidPackets: 1, owedMicro: new Map(micro === 0 ? [] : [[0, micro]]) })
  for (let at = 0; at < STANDINGS_MAX; at++) standings.keep(nodeId(at), owing(100 + at))
  standings.keep(nodeId(90_000), owing(0))
  expect(standings.get(nodeId(90_000))).toBeUndefined()
  standings.keep(nodeId(90_001), owing(7_000))
  expect(standings.get(nodeId(90_001))).toBeDefined()
  expect(standings.get(nodeId(0))).toBeUndefined()
  expect([...store.entries('lottery/')].length).toBe(STANDINGS_MAX)
  // What was there already takes no one's place.
  standings.keep(nodeId(5), owing(1))
  expect([...store.entries('lottery/')].length).toBe(STANDINGS_MAX)
})
