import assert from 'node:assert/strict'
import { toHex } from '@nexus/codec'
import { nodeCrypto } from '@nexus/crypto/node'
import { describe, test } from 'vitest'
import { bodyOf, type Conditions, type Peer, World } from './world.ts'

const crypto = await nodeCrypto()
const SEEDS = Number(process.env['NEXUS_SEEDS'] ?? 8)
const LIGHT: Conditions = { lossRatio: 0.15, duplicateRatio: 0.1, delayMsMin: 10, delayMsMax: 300 }

/** A short exchange both ways, with fragments and an anonymous message; returns what is left at the end. */
function exchange(seed: string, arm: (alice: Peer, bob: Peer) => void) {
  const world = new World(crypto, seed, LIGHT)
  const [alice, bob] = [world.peer(), world.peer()]
  arm(alice, bob)
  const sent: { from: Peer; to: Peer; id: bigint | undefined; body: Uint8Array }[] = []
  const send = (from: Peer, to: Peer, body: Uint8Array, anonymous = false) => {
    sent.push({ from, to, id: from.send(to, body, { anonymous, expiresMs: 48 * 3_600_000 }), body })
    world.runFor(2_000)
  }
  send(alice, bob, bodyOf(1, 30))
  send(bob, alice, bodyOf(2, 30))
  send(alice, bob, bodyOf(3, 1_500))
  send(alice, bob, bodyOf(4, 30), true)
  send(bob, alice, bodyOf(5, 700))
  for (let day = 0; day < 3; day++) {
    world.runFor(24 * 3_600_000)
    for (const [a, b] of [
      [alice, bob],
      [bob, alice],
    ] as const) {
      a.powered(() => a.messenger.destinationHeard(world.nowMs, b.identity.nodeId))
    }
  }
  return { world, alice, bob, sent }
}

function check({ sent, alice, bob }: ReturnType<typeof exchange>, label: string): void {
  for (const peer of [alice, bob]) {
    const bodies = peer.shown.map(({ body }) => toHex(body))
    assert.equal(new Set(bodies).size, bodies.length, `${label}: shown twice`)
    assert.equal(peer.messenger.inbox().length, 0, `${label}: left in the inbox`)
    assert.equal(peer.messenger.stats().outboxMessages, 0, `${label}: left in the outbox`)
  }
  for (const { from, to, id, body } of sent) {
    const wasShown = to.shown.some((shown) => toHex(shown.body) === toHex(body))
    // A call to send that did not return promised nothing.
    if (id === undefined) continue
    const state = from.state(id)!
    if (state === 'delivered') assert.ok(wasShown, `${label}: delivered and never shown`)
    else assert.match(state, /^(sent|failed:\S+)$/, label)
    if (from.messenger.status(0, id)!.anonymous) continue
    assert.equal(state, 'delivered', `${label}: ${body.length} bytes end as ${state}`)
  }
}

describe('a loss of power', () => {
  test('before or after any single write loses nothing that was promised and shows nothing twice', () => {
    const calm = exchange('crash', () => {})
    check(calm, 'no crash')
    const writes = [calm.alice.store.writes, calm.bob.store.writes]
    assert.ok(Math.min(...writes) > 10)
    for (const [which, count] of writes.entries()) {
      for (let at = 1; at <= count; at++) {
        for (const failAfterWrite of [false, true]) {
          const label = `peer ${which}, ${failAfterWrite ? 'after' : 'before'} write ${at}`
          const result = exchange('crash', (alice, bob) => {
            const { store } = which === 0 ? alice : bob
            // Writes of the start are part of the count.
            store.failAt = at
            store.failAfterWrite = failAfterWrite
          })
          if (at > 4) assert.equal(result.alice.restarts + result.bob.restarts, 1, label)
          check(result, label)
        }
      }
    }
  })

  test('at random moments, again and again, on both sides', () => {
    let restarts = 0
    for (let seed = 0; seed < SEEDS; seed++) {
      const label = `seed ${seed}`
      const result = exchange(`crashes ${seed}`, (alice, bob) => {
        for (const peer of [alice, bob]) {
          let left = 6
          const rearm = () => {
            if (left-- === 0) return
            peer.store.failAt = peer.store.writes + 1 + Math.floor(peer.world.chance() * 12)
            peer.store.failAfterWrite = peer.world.chance() < 0.5
          }
          const restart = peer.restart.bind(peer)
          peer.restart = () => {
            rearm()
            restart()
          }
          rearm()
        }
      })
      restarts += result.alice.restarts + result.bob.restarts
      check(result, label)
    }
    assert.ok(restarts > 3 * SEEDS)
  })
})
