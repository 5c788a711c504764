import assert from 'node:assert/strict'
import type { Crypto } from '@nexus/crypto'
import { CALM, type Party, World } from './world.ts'

/** Numbers of the claims made so far, in all runs. */
let claimIds = 0

/** A claim comes to be: `payee` forwarded for `payer`. */
export function win(payee: Party, payer: Party, priceMicro: bigint): number {
  const id = ++claimIds
  payee.owns.set(id, { payer, priceMicro })
  return id
}

/** Traffic of a while: wins both ways, links that break, and what `upset` does at each step. */
export function traffic(world: World, steps: number, upset: (world: World) => void): void {
  const { parties } = world
  for (const party of parties) party.channels.reconciled()
  for (let step = 0; step < steps; step++) {
    const payee = parties[world.below(parties.length)]!
    const others = parties.filter((party) => party !== payee)
    const payer = others[world.below(others.length)]!
    win(payee, payer, BigInt(1 + world.below(900)))
    payee.claimAll()
    upset(world)
    world.runFor(world.below(1_500))
  }
}

/** Every fault ends; what is owed is claimed again until nothing is left. */
export function heal(world: World): void {
  world.conditions = CALM
  for (const party of world.parties) party.store.failAt = Number.POSITIVE_INFINITY
  world.runFor(5_000)
  world.linkAll()
  for (let round = 0; round < 40; round++) {
    for (const party of world.parties) {
      for (const other of world.parties) if (other !== party) party.channels.open(world.nowMs, other.nodeId)
      party.channels.reconciled()
      party.claimAll()
    }
    world.runFor(40_000)
    if (world.parties.every(({ owns }) => [...owns.values()].every(({ end }) => end !== undefined))) break
  }
  world.runFor(90_000)
}

/** All that must hold at the end of every run. */
export function check(world: World, label: string): void {
  const { parties } = world
  for (const [n, a] of parties.entries()) {
    for (const [id, { end }] of a.owns) assert.ok(end !== undefined, `${label}: claim ${id} of ${a.name} never ended`)
    for (const b of parties.slice(n + 1)) {
      const [mine, theirs] = [a.channels.view(b.nodeId)!, b.channels.view(a.nodeId)!]
      assert.equal(mine.phase, 'ready', label)
      assert.equal(mine.sequence, theirs.sequence, `${label}: ${a.name} and ${b.name} hold different states`)
      assert.equal(mine.pendingMicro + theirs.pendingMicro, 0n, `${label}: a payment is still pending`)
      const settledAToB = world.ledger.applied
        .filter(({ keyA, keyB }) => same(keyA, a) && same(keyB, b))
        .reduce((sum, { amountAToBMicro }) => sum + amountAToBMicro, 0n)
      const paid = (payer: Party, payee: Party) =>
        [...payee.owns].reduce(
          (sum, [id, own]) => (own.payer === payer && payer.paid.has(id) ? sum + own.priceMicro : sum),
          0n,
        )
      // Money moved by states is what was paid for claims, each once: neither side has more or less.
      const movedAToB = paid(a, b) - paid(b, a)
      assert.equal(b.owedBy(a) + settledAToB, movedAToB, `${label}: ${a.name} to ${b.name}`)
      assert.equal(a.owedBy(b), -b.owedBy(a), label)
    }
    for (const [id, { payer, end }] of a.owns) {
      if (end === 'earned') assert.ok(payer.paid.has(id), `${label}: claim ${id} earned and not paid`)
    }
    const earned = a.earnings.flatMap(({ claim }) => (claim === undefined ? [] : [claim.join()]))
    assert.equal(new Set(earned).size, earned.length, `${label}: earned twice`)
  }
}

function same(key: Uint8Array, party: Party): boolean {
  return key.every((byte, at) => byte === party.identity.publicKey[at])
}

/** A world of parties with a channel for each pair; `arm` sees them before their first write. */
export function begin(crypto: Crypto, seed: string, count: number, arm: (world: World) => void = () => {}): World {
  const world = new World(crypto, seed)
  const parties = world.add(count)
  arm(world)
  for (const [n, a] of parties.entries()) {
    for (const b of parties.slice(n + 1)) {
      const [opener, other] = world.chance() < 0.5 ? [a, b] : [b, a]
      opener.powered(() => opener.channels.open(world.nowMs, other.nodeId))
      // Half of the time both start.
      if (world.chance() < 0.5) other.powered(() => other.channels.open(world.nowMs, opener.nodeId))
    }
  }
  world.runFor(5_000)
  return world
}
