import { toHex } from '@nexus/codec'
import { expect, test } from 'vitest'
import type { SimNode } from '../src/index.ts'
import {
  BALANCE_MICRO,
  CONTEXT,
  earnedBy,
  economyOf,
  expectConserved,
  type Mesh,
  mesh,
  run,
  traffic,
} from './economy-lab.ts'

/** What nodes that agree on an epoch do: each folds what it holds, which is the same everywhere. */
async function fold({ sim, nodes }: Mesh): Promise<void> {
  const roots = nodes.map((node) => toHex(node.live.economy!.money.replica.fold().root))
  expect(new Set(roots).size).toBe(1)
  await run(sim, 60_000)
}

function channelOf(node: SimNode, peer: SimNode) {
  return economyOf(node).channels.find(({ peerId }) => toHex(peerId) === toHex(peer.nodeId))
}

function told(node: SimNode, peer: SimNode): unknown[] {
  return node.events
    .filter(({ event }) => event.kind === 'channel' && event.facts['peer'] === toHex(peer.nodeId))
    .map(({ event }) => event.facts['state'])
}

/** First bytes of SETTLE_SEQ and SETTLE_SIG. */
const SETTLING = [10, 11]

/** From now on `node` hears of no settlement: it gets what it is owed by a close, or not at all. */
function hearNoSettlement(node: SimNode): void {
  const { economy } = node.live
  const receive = economy!.receive.bind(economy)
  economy!.receive = (nowMs, link, body) => {
    return SETTLING.includes(body[0]!) ? undefined : receive(nowMs, link, body)
  }
}

async function started(seed: number): Promise<{ three: Mesh; a: SimNode; b: SimNode; c: SimNode }> {
  const three = mesh(seed, [
    [0, 1],
    [1, 2],
  ])
  three.sim.start()
  await run(three.sim, 100_000)
  const [a, b, c] = three.nodes as [SimNode, SimNode, SimNode]
  return { three, a, b, c }
}

test('an epoch has what is owed settled; a disputed channel is paid out two folds later, is over, and opens anew', async () => {
  const { three, a, b } = await started(11)
  await traffic(three, 120)
  const owedMicro = channelOf(b, a)!.owedMicro
  expect(owedMicro).toBeGreaterThan(1_000n)
  await fold(three)
  expect([channelOf(b, a)!.owedMicro, channelOf(a, b)!.owedMicro]).toEqual([0n, 0n])
  expect(economyOf(b).balanceMicro).toBe(BALANCE_MICRO + owedMicro)
  expectConserved(three)

  await traffic(three, 120, undefined, CONTEXT + 1)
  const disputedMicro = channelOf(b, a)!.owedMicro
  expect(disputedMicro).toBeGreaterThan(1_000n)
  hearNoSettlement(b)
  expect(b.live.economy!.money.channels.dispute(a.nodeId)).toBe('published')
  await run(three.sim, 60_000)
  expect(channelOf(a, b)).toMatchObject({ phase: 'closing' })
  const closedId = channelOf(b, a)!.channelId
  await fold(three)
  await fold(three)
  expect(channelOf(b, a)).toMatchObject({ phase: 'closing' })
  await fold(three)
  // The next packets that win open another, of which nothing is known yet.
  for (const again of [channelOf(a, b), channelOf(b, a)]) expect(again).toMatchObject({ phase: 'ready', sequence: 0n })
  expect(channelOf(b, a)!.channelId).not.toEqual(closedId)
  expect(economyOf(b).balanceMicro).toBe(BALANCE_MICRO + owedMicro + disputedMicro)
  expect(economyOf(a).balanceMicro).toBe(BALANCE_MICRO - owedMicro - disputedMicro)
  expectConserved(three)

  const before = earnedBy(b)
  expect(await traffic(three, 120, undefined, CONTEXT + 2)).toBeGreaterThan(900)
  expect(earnedBy(b)).toBeGreaterThan(before)
  expect(channelOf(b, a)).toMatchObject({ phase: 'ready' })
  for (const [node, peer] of [
    [a, b],
    [b, a],
  ] as const) {
    expect(told(node, peer)).toEqual(['open', 'closing', 'over', 'open'])
  }
}, 60_000)

test('a node whose power failed between a fold and the end of a channel ends it at its next start', async () => {
  const { three, a, b } = await started(12)
  await traffic(three, 120)
  hearNoSettlement(b)
  expect(b.live.economy!.money.channels.dispute(a.nodeId)).toBe('published')
  await run(three.sim, 60_000)
  await fold(three)
  await fold(three)
  const before = b.store.entries('')
  const { channelId } = channelOf(b, a)!
  await fold(three)
  // Of the fold, the snapshot alone was durable.
  const snapshot = b.store.get('ledger/snapshot')!
  b.crash()
  for (const [key] of b.store.entries('')) b.store.delete(key)
  for (const [key, value] of before) b.store.put(key, value)
  b.store.put('ledger/snapshot', snapshot)
  b.start()
  expect(channelOf(b, a)?.channelId).not.toEqual(channelId)
  expect(economyOf(b).epoch).toBe(3n)
  await run(three.sim, 20_000)
  expectConserved(three)
}, 60_000)

test('what a payer that restarts leaves unpaid stays owed, at most its limit, and is forgiven after a whole epoch', async () => {
  const { three, a, b } = await started(13)
  const owedBy = (): number =>
    economyOf(b).lottery.find(({ nodeId }) => toHex(nodeId) === toHex(a.nodeId))!.exposureMicro
  let before = 0
  for (let restarts = 0; restarts < 3; restarts++) {
    await traffic(three, 20, undefined, CONTEXT + restarts)
    a.crash()
    await run(three.sim, 700_000)
    a.start()
    await run(three.sim, 60_000)
    // Its secrets were in memory: what it was taken for can be claimed no more.
    expect(owedBy()).toBeGreaterThan(before)
    before = owedBy()
  }
  expect(economyOf(b).lottery.every(({ relay }) => relay.falseReveals === 0)).toBe(true)
  expect(before).toBeLessThan(20_000_000)
  await fold(three)
  expect(owedBy()).toBeCloseTo(before, 0)
  await fold(three)
  expect(owedBy()).toBe(0)
  expectConserved(three)
}, 60_000)

test('a settlement that both replicas refuse for now, as while they are busy, applies a minute later', async () => {
  const { three, a, b } = await started(14)
  await traffic(three, 120)
  const owedMicro = channelOf(b, a)!.owedMicro
  expect(owedMicro).toBeGreaterThan(1_000n)
  for (const node of [a, b]) {
    const { replica } = node.live.economy!.money
    const submit = replica.submit.bind(replica)
    let refused = 0
    replica.submit = (record) => (refused++ === 0 ? Promise.resolve('refused') : submit(record))
  }
  a.live.economy!.money.channels.settle(a.clockMs, b.nodeId)
  await run(three.sim, 30_000)
  expect(economyOf(b)).toMatchObject({ settlements: 0, balanceMicro: BALANCE_MICRO })
  await run(three.sim, 60_000)
  expect(economyOf(b)).toMatchObject({ settlements: 1, balanceMicro: BALANCE_MICRO + owedMicro })
  expectConserved(three)
}, 60_000)
