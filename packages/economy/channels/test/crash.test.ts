import assert from 'node:assert/strict'
import { nodeCrypto } from '@nexus/crypto/node'
import { describe, test } from 'vitest'
import { begin, check, heal, win } from './runs.ts'
import type { Failing, World } from './world.ts'

const crypto = await nodeCrypto()

/** A short exchange: a channel opened by both at once, wins both ways, a broken link, a settlement. */
function exchange(arm: (world: World) => void, settles: boolean): World {
  const world = begin(crypto, 'every write', 2, arm)
  const [a, b] = world.parties as [World['parties'][0], World['parties'][0]]
  for (const party of world.parties) party.powered(() => party.channels.reconciled())
  for (let step = 0; step < 6; step++) {
    const [payee, payer] = step % 2 === 0 ? [a, b] : [b, a]
    win(payee, payer, step === 2 ? 2_500n : 100n)
    payee.claimAll()
    world.runFor(300)
    if (step === 3) world.link(a, b)
    if (step === 4 && settles) a.powered(() => a.channels.settle(world.nowMs, b.nodeId))
  }
  heal(world)
  return world
}

describe('a loss of power at every commit', () => {
  test.each<[Failing, boolean]>([
    ['before', true],
    ['after', true],
    ['torn', false],
  ])('%s it is durable', (failing, settles) => {
    const calm = exchange(() => {}, settles)
    check(calm, 'calm')
    assert.equal(calm.ledger.applied.length, settles ? 1 : 0)
    for (const [which, party] of calm.parties.entries()) {
      assert.ok(party.store.commits >= 10, `${party.store.commits} commits`)
      for (let at = 1; at <= party.store.commits; at++) {
        const label = `${failing} commit ${at} of ${party.name}`
        const world = exchange(({ parties }) => {
          parties[which]!.store.failAt = at
          parties[which]!.store.failing = failing
        }, settles)
        assert.equal(world.parties[which]!.restarts, 1, label)
        check(world, label)
      }
    }
  })
})
