import assert from 'node:assert/strict'
import { nodeCrypto } from '@nexus/crypto/node'
import { countingEphemeralKeys } from '@nexus/crypto/testing'
import { describe, test } from 'vitest'
import { bodyOf, ROUGH, World } from './world.ts'

const crypto = await nodeCrypto()

describe('no ephemeral key outlives what it was made for', () => {
  test('boxes of messages, signed, anonymous and in parts, and their receipts', () => {
    const keys = countingEphemeralKeys(crypto)
    const world = new World(keys, 'boxes', ROUGH)
    const [alice, bob] = [world.peer(), world.peer()]
    for (const bytes of [5, 100, 5_000]) alice.send(bob, bodyOf(bytes, bytes))
    alice.send(bob, bodyOf(9, 40), { anonymous: true })
    world.runFor(600_000)
    assert.ok(bob.shown.length >= 3)
    assert.ok(keys.made() > 20)
    assert.equal(keys.live(), 0)
  })

  test('streams that opened, that were not admitted, and that nobody answered', () => {
    const keys = countingEphemeralKeys(crypto)
    const world = new World(keys, 'streams')
    const [alice, bob, carol] = [world.peer(), world.peer(), world.peer()]
    bob.keys = new Map([[alice.name, alice.identity.publicKey]])
    const open = alice.messenger.openStream(world.nowMs, bob.identity.nodeId)
    const refused = carol.messenger.openStream(world.nowMs, bob.identity.nodeId)
    alice.answer = undefined
    world.runFor(1_000)
    assert.equal(open.state, 'open')
    assert.equal(keys.live(), 1)
    world.runFor(7_200_000)
    assert.equal(refused.end, 'unreachable')
    assert.ok(keys.made() >= 4)
    assert.equal(keys.live(), 0)
  })
})
