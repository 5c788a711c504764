import assert from 'node:assert/strict'
import { nodeCrypto } from '@nexus/crypto/node'
import { describe, test } from 'vitest'
import { begin, check, heal, traffic } from './runs.ts'
import { ROUGH } from './world.ts'

const crypto = await nodeCrypto()
const SEEDS = Number(process.env['NEXUS_SEEDS'] ?? 12)

/** Seeds that once found a fault, and as many as are asked for. */
function seeds(...found: number[]): Set<number> {
  return new Set([...found, ...Array.from({ length: SEEDS }, (_, seed) => seed)])
}

describe('two and three parties', () => {
  test('without faults pay each claim once and settle at X/2', () => {
    const world = begin(crypto, 'calm', 2)
    for (const party of world.parties) party.limitMicro = 2_000n
    for (const party of world.parties) party.restart()
    world.runFor(5_000)
    traffic(world, 40, () => {})
    heal(world)
    check(world, 'calm')
    assert.ok(world.ledger.applied.length >= 2, `${world.ledger.applied.length} settlements`)
  })

  test('with losses, duplicates, reordering and broken links', () => {
    for (const seed of seeds(21, 61)) {
      const world = begin(crypto, `rough ${seed}`, 2 + (seed % 2))
      world.conditions = ROUGH
      for (const party of world.parties) if (seed % 3 === 0) party.limitMicro = 4_000n
      for (const party of world.parties) party.start()
      world.linkAll()
      traffic(world, 25, () => {
        if (world.chance() < 0.1) world.link(world.parties[0]!, world.parties[1]!)
      })
      heal(world)
      check(world, `seed ${seed}`)
      // Nobody asked twice: no process was lost, and so no memory of what was paid.
      for (const { refusals } of world.parties) assert.deepEqual(refusals, [], `seed ${seed}`)
    }
  }, 3_600_000)

  test('with losses of power at random commits', () => {
    let restarts = 0
    for (const seed of seeds(3, 26, 116, 444, 1_678)) {
      const world = begin(crypto, `crash ${seed}`, 2 + (seed % 2))
      if (seed % 2 === 0) world.conditions = ROUGH
      for (const party of world.parties) if (seed % 3 === 0) party.limitMicro = 4_000n
      for (const party of world.parties) party.start()
      world.linkAll()
      traffic(world, 25, () => {
        for (const { store } of world.parties) {
          if (store.failAt > store.commits && store.failAt !== Number.POSITIVE_INFINITY) continue
          store.failAt = store.commits + 1 + world.below(12)
          store.failing = world.chance() < 0.5 ? 'before' : 'after'
        }
      })
      heal(world)
      restarts += world.parties.reduce((sum, party) => sum + party.restarts, 0)
      check(world, `seed ${seed}`)
    }
    assert.ok(restarts > SEEDS)
  }, 3_600_000)
})
