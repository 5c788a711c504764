import assert from 'node:assert/strict'
import { toHex } from '@nexus/codec'
import { nodeCrypto } from '@nexus/crypto/node'
import { describe, test } from 'vitest'
import { bodyOf, type Conditions, type Peer, ROUGH, World } from './world.ts'

const crypto = await nodeCrypto()
const SEEDS = Number(process.env['NEXUS_SEEDS'] ?? 8)
const HOUR = 3_600_000

interface Sent {
  readonly from: Peer
  readonly to: Peer
  readonly id: bigint
  readonly body: Uint8Array
}

/** What must hold whatever the network did. */
function check(peers: readonly Peer[], sent: readonly Sent[], label: string): void {
  const told = new Map<string, string>()
  for (const peer of peers) {
    const bodies = peer.shown.map(({ body }) => toHex(body))
    assert.equal(new Set(bodies).size, bodies.length, `${label}: shown twice`)
    for (const body of bodies) told.set(body, peer.name)
    assert.equal(peer.messenger.stats().outboxMessages, 0, `${label}: neither delivered nor failed`)
  }
  for (const { from, to, id, body } of sent) {
    const state = from.state(id)!
    assert.match(state, /^(delivered|failed:[a-z-]+)$/, label)
    if (state === 'delivered') assert.equal(told.get(toHex(body)), to.name, `${label}: delivered and never shown`)
  }
}

describe('on a network that loses a fifth, doubles a tenth and reorders', () => {
  test('every message is delivered once or fails with a reason', () => {
    for (let seed = 0; seed < SEEDS; seed++) {
      const world = new World(crypto, `lossy ${seed}`, ROUGH)
      const peers = [world.peer(), world.peer(), world.peer()]
      const sent: Sent[] = []
      for (let tag = 0; tag < 24; tag++) {
        const from = peers[tag % 3]!
        const to = peers[(tag + 1 + (tag % 2)) % 3]!
        const body = bodyOf(tag, tag % 6 === 0 ? 1_200 : 60)
        sent.push({ from, to, id: from.send(to, body)!, body })
        world.runFor(world.chance() * 2_000)
      }
      world.runFor(6 * HOUR)
      for (const peer of peers)
        for (const other of peers) peer.messenger.destinationHeard(world.nowMs, other.identity.nodeId)
      world.runFor(8 * 24 * HOUR)
      check(peers, sent, `seed ${seed}`)
      const delivered = sent.filter(({ from, id }) => from.state(id) === 'delivered').length
      assert.ok(delivered >= 23, `seed ${seed}: ${delivered} of 24`)
    }
  })

  test('also across restarts and outages of both ends', () => {
    for (let seed = 0; seed < SEEDS; seed++) {
      const world = new World(crypto, `restarts ${seed}`, ROUGH)
      const peers = [world.peer(), world.peer()]
      const [alice, bob] = peers as [Peer, Peer]
      const sent: Sent[] = []
      for (let tag = 0; tag < 16; tag++) {
        const [from, to] = tag % 2 === 0 ? [alice, bob] : [bob, alice]
        const body = bodyOf(tag, tag % 5 === 0 ? 900 : 60)
        sent.push({ from, to, id: from.send(to, body)!, body })
        world.runFor(world.chance() * 5_000)
        const one = world.chance() < 0.5 ? alice : bob
        if (world.chance() < 0.4) one.restart()
        if (world.chance() < 0.2) one.online = !one.online
      }
      alice.online = true
      bob.online = true
      for (let hearing = 0; hearing < 6; hearing++) {
        alice.messenger.destinationHeard(world.nowMs, bob.identity.nodeId)
        bob.messenger.destinationHeard(world.nowMs, alice.identity.nodeId)
        world.runFor(12 * HOUR)
      }
      world.runFor(8 * 24 * HOUR)
      check(peers, sent, `seed ${seed}`)
      for (const { from, id } of sent) assert.equal(from.state(id), 'delivered', `seed ${seed}`)
    }
  })

  test('64 KB arrive, and cost less than twice their packets', () => {
    for (let seed = 0; seed < 4; seed++) {
      const conditions: Conditions = { ...ROUGH, duplicateRatio: 0 }
      const world = new World(crypto, `long ${seed}`, conditions)
      const [alice, bob] = [world.peer(), world.peer()]
      const body = bodyOf(seed, 65_536)
      const id = alice.send(bob, body)!
      const before = world.nowMs
      while (alice.state(id) !== 'delivered' && world.nowMs < before + 24 * HOUR) world.runFor(1_000)
      assert.equal(alice.state(id), 'delivered', `seed ${seed}`)
      assert.deepEqual(bob.shown[0]?.body, body)
      assert.ok(world.packets < 2 * 212, `seed ${seed}: ${world.packets} packets`)
      assert.ok(world.nowMs - before < 10 * 60_000, `seed ${seed}: ${world.nowMs - before} ms`)
    }
  })
})
