import assert from 'node:assert/strict'
import { nodeCrypto } from '@nexus/crypto/node'
import { describe, test } from 'vitest'
import { begin, heal, win } from './runs.ts'
import type { Party, World } from './world.ts'

const crypto = await nodeCrypto()
const BACKUPS = Number(process.env['NEXUS_BACKUPS'] ?? 20)

type Backup = ReturnType<Party['store']['backup']>

/** Traffic of a while, with a backup of both before each step. */
function live(seed: string, limitMicro = 6_000n): { world: World; a: Party; b: Party; backups: [Backup, Backup][] } {
  const world = begin(crypto, seed, 2)
  const [a, b] = world.parties as [Party, Party]
  for (const party of world.parties) {
    party.limitMicro = limitMicro
    party.restart()
  }
  world.runFor(4_000)
  const backups: [Backup, Backup][] = []
  for (let step = 0; step < 25; step++) {
    backups.push([a.store.backup(), b.store.backup()])
    const [payee, payer] = world.chance() < 0.7 ? [a, b] : [b, a]
    win(payee, payer, BigInt(1 + world.below(900)))
    payee.claimAll()
    world.runFor(world.below(120))
  }
  for (let round = 0; round < 10; round++) {
    for (const party of world.parties) party.claimAll()
    world.runFor(20_000)
  }
  return { world, a, b, backups }
}

/** The process of `party` ends, and one starts on an old copy of its store. */
function restore(party: Party, backup: Backup): void {
  party.store.restore(backup)
  party.restart()
}

describe('a node that is started from an old backup', () => {
  test('signs nothing at or below what it ever signed, and has its balance again once the peer answers', () => {
    for (let seed = 0; seed < BACKUPS; seed++) {
      const label = `seed ${seed}`
      const { world, a, b, backups } = live(`restore ${seed}`)
      const [who, peer] = seed % 3 === 2 ? [b, a] : [a, b]
      const [owedMicro, sequence] = [who.owedBy(peer), who.sequenceWith(peer)]
      const channel = [...who.signatures.greatest.keys()][0]!
      const greatestSigned = who.signatures.greatest.get(channel)!
      const signatures = who.signatures.history.length
      restore(who, backups[world.below(backups.length)]![who === a ? 0 : 1])
      assert.equal(who.channels.dispute(peer.nodeId), who.channels.view(peer.nodeId) ? 'not-yet' : 'no-channel', label)
      world.runFor(30_000)
      assert.equal(who.owedBy(peer), owedMicro, `${label}: a balance was lost`)
      assert.ok(who.sequenceWith(peer) >= sequence, label)
      win(who, peer, 77n)
      win(peer, who, 33n)
      heal(world)
      assert.equal(who.owedBy(peer), -peer.owedBy(who), label)
      for (const signed of who.signatures.history.slice(signatures)) {
        assert.ok(signed.sequence > greatestSigned, `${label}: ${signed.sequence} signed after ${greatestSigned}`)
      }
      const moved = world.ledger.applied.reduce((sum, { amountAToBMicro }) => sum + amountAToBMicro, 0n)
      const expected = [a, b].map((payee) => sumOf(payee)) as [bigint, bigint]
      assert.equal(b.owedBy(a) + moved, expected[1] - expected[0], `${label}: money was made or lost`)
    }
  }, 3_600_000)

  test('signs no sequence twice for a peer that answers with an older state', () => {
    for (let seed = 0; seed < BACKUPS; seed++) {
      const { world, a, b, backups } = live(`lie ${seed}`)
      const at = 1 + world.below(backups.length - 1)
      // The peer shows what it had then or before, and goes on from there.
      b.store.restore(backups[world.below(at)]![1])
      restore(a, backups[at]![0])
      b.restart()
      world.runFor(20_000)
      for (let step = 0; step < 6; step++) {
        win(step % 2 === 0 ? a : b, step % 2 === 0 ? b : a, 50n)
        for (const party of world.parties) party.claimAll()
        world.runFor(3_000)
      }
      // The watch over all signatures of `a` would have thrown.
      assert.ok(a.signatures.history.length > 0)
    }
  }, 3_600_000)

  test('waits for ever for a state that a peer only speaks of, and closes after one whole epoch', () => {
    const { world, a, b, backups } = live('withheld', 1n << 36n)
    b.tampers = (_, bytes) => (bytes[0] === 4 ? [] : [bytes])
    restore(a, backups[10]![0])
    const signatures = a.signatures.history.length
    world.runFor(600_000)
    win(a, b, 10n)
    a.claimAll()
    world.runFor(600_000)
    assert.equal(a.channels.view(b.nodeId)!.phase, 'behind')
    assert.equal(a.signatures.history.length, signatures)
    assert.equal(a.channels.dispute(b.nodeId), 'not-yet')
    a.channels.epochIs(world.nowMs, world.epoch + 1n)
    assert.equal(a.channels.dispute(b.nodeId), 'not-yet')
    a.channels.epochIs(world.nowMs, world.epoch + 2n)
    assert.equal(a.channels.dispute(b.nodeId), 'published')
  })

  test('learns a channel anew that its backup never held', () => {
    const { world, a, b } = live('nothing left')
    const owedMicro = a.owedBy(b)
    restore(a, new Map())
    world.runFor(30_000)
    assert.equal(a.owedBy(b), owedMicro)
    assert.equal(a.channels.view(b.nodeId)!.phase, 'ready')
    win(a, b, 77n)
    heal(world)
    assert.equal(a.owedBy(b), -b.owedBy(a))
  })
})

/** What was paid to the party for claims, each once, by all that it claimed and its payer has or had noted. */
function sumOf(payee: Party): bigint {
  let sum = 0n
  for (const { priceMicro, end } of payee.owns.values()) if (end !== undefined) sum += priceMicro
  return sum
}
