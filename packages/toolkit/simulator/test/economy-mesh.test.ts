import { toHex } from '@nexus/codec'
import { describe, expect, test } from 'vitest'
import { type Edge, ring, type SimNode } from '../src/index.ts'
import {
  BALANCE_MICRO,
  CONTEXT,
  earnedBy,
  economyOf,
  expectConserved,
  type Mesh,
  mesh,
  PRICE,
  run,
  settleAll,
  traffic,
} from './economy-lab.ts'

/** a – b – c – d – e – a: to c there are b alone, and e with d behind. */
const toThird = (five: Mesh, seconds: number, context: number): Promise<number> =>
  traffic(five, seconds, undefined, context, five.nodes[2])

/** Context of background traffic, which goes around queues. */
const BULK = 0xd0

const hopTo = (from: SimNode, to: SimNode): string => {
  const { router } = from.live.routes
  return toHex(from.live.interfaces.link(router.nextHop(to.nodeId))!.peer.nodeId)
}

/** Packets that were taken to be relayed for pay. */
const takenBy = (node: SimNode): number =>
  economyOf(node).lottery.reduce((packets, { relay }) => packets + relay.taken, 0)

describe('a ring of five nodes', () => {
  test('paid traffic takes the cheap way, and the other once a price changes', async () => {
    const five = mesh(11, ring(5), { prices: { 1: 8 * PRICE } })
    const [a, b, c, d, e] = five.nodes as [SimNode, SimNode, SimNode, SimNode, SimNode]
    five.sim.start()
    await run(five.sim, 200_000)
    expect(hopTo(a, c)).toBe(e.id)
    expect(await toThird(five, 120, CONTEXT)).toBe(960)
    await settleAll(five)
    expectConserved(five)
    expect(earnedBy(b)).toBe(0n)
    expect(earnedBy(e)).toBeGreaterThan(earnedBy(d))
    expect([takenBy(b), takenBy(d), takenBy(e)]).toEqual([0, 960, 960])
    // For this neighbour b is now the cheapest: it has a price of its own.
    b.live.trust(b.clockMs, { nodeId: a.nodeId, priceMicroPerMib: PRICE })
    await run(five.sim, 130_000)
    expect(hopTo(a, c)).toBe(b.id)
    expect(await toThird(five, 120, CONTEXT + 1)).toBe(960)
    await settleAll(five)
    expectConserved(five)
    expect(earnedBy(b)).toBeGreaterThan(0n)
    expect([takenBy(b), takenBy(d), takenBy(e)]).toEqual([960, 960, 960])
  }, 60_000)

  test('bulk beyond what the cheap way carries is paid to both', async () => {
    // What e asks is below what a tells others of the way by b: so it is free of loops, and b's queue may be gone around.
    const five = mesh(12, ring(5), { prices: { 4: PRICE / 2 }, wire: { bitrateBps: 60_000 } })
    const [a, b, c, d, e] = five.nodes as [SimNode, SimNode, SimNode, SimNode, SimNode]
    five.sim.start()
    await run(five.sim, 200_000)
    expect(hopTo(a, c)).toBe(b.id)
    c.live.register(BULK, () => {})
    for (let second = 0; second < 180; second++) {
      for (let packet = 0; packet < 40; packet++) a.live.sendData(a.clockMs, c.nodeId, BULK, new Uint8Array(300))
      await run(five.sim, 1_000)
    }
    await run(five.sim, 60_000)
    await settleAll(five)
    expectConserved(five)
    for (const relay of [b, d, e]) expect(takenBy(relay)).toBeGreaterThan(300)
    expect(earnedBy(b)).toBeGreaterThan(0n)
    expect(earnedBy(e)).toBeGreaterThan(0n)
  }, 60_000)
})

describe('trust', () => {
  test('a peer has its line of credit, a friend of it a tenth, a stranger none; trust that is taken back ends it', async () => {
    // b relays for the peer a, its friend d and the stranger e; nobody but b and c has money.
    const star: Edge[] = [
      [1, 0],
      [1, 2],
      [1, 3],
      [1, 4],
    ]
    const five = mesh(13, star, { balances: { 0: 0n, 3: 0n, 4: 0n } })
    const [a, b, , d, e] = five.nodes as [SimNode, SimNode, SimNode, SimNode, SimNode]
    five.sim.start()
    await run(five.sim, 5_000)
    const lineOf = (node: SimNode): bigint => b.live.economy!.money.channels.exposure(node.nodeId).limitMicro
    a.live.trust(a.clockMs, { nodeId: d.nodeId, vouched: true })
    await run(five.sim, 5_000)
    b.live.trust(b.clockMs, { nodeId: a.nodeId, creditLineMicro: 5_000_000n })
    expect([a, d, e].map(lineOf)).toEqual([5_000_000n, 500_000n, 0n])
    // It is on disk: so is what was said.
    for (const node of [a, b]) node.crash()
    for (const node of [a, b]) node.start()
    await run(five.sim, 90_000)
    expect([a, d, e].map(lineOf)).toEqual([5_000_000n, 500_000n, 0n])
    a.live.distrust(a.clockMs, d.nodeId)
    await run(five.sim, 5_000)
    expect([a, d, e].map(lineOf)).toEqual([5_000_000n, 0n, 0n])
    expect(() => b.live.trust(b.clockMs, { nodeId: e.nodeId, priceMicroPerMib: 1, vouched: true })).toThrow(RangeError)
  }, 60_000)

  test('what a peer and its friend owe together stays within its line', async () => {
    const edges: Edge[] = [
      [0, 1],
      [3, 1],
      [1, 2],
      [2, 4],
    ]
    const five = mesh(14, edges, { balances: { 0: 0n, 3: 0n } })
    const [a, b, , d, e] = five.nodes as [SimNode, SimNode, SimNode, SimNode, SimNode]
    five.sim.start()
    await run(five.sim, 200_000)
    const line = 1_500_000n
    a.live.trust(a.clockMs, { nodeId: d.nodeId, vouched: true })
    b.live.trust(b.clockMs, { nodeId: a.nodeId, creditLineMicro: line })
    await run(five.sim, 130_000)
    e.live.register(CONTEXT, () => {})
    let most = 0n
    for (let second = 0; second < 240; second++) {
      for (const node of [a, d]) {
        for (let packet = 0; packet < 8; packet++)
          node.live.sendData(node.clockMs, e.nodeId, CONTEXT, new Uint8Array(300))
      }
      await run(five.sim, 1_000)
      const owed = [a, d].map((node) => b.live.economy!.money.channels.exposure(node.nodeId).owedMicro)
      if (owed[0]! + owed[1]! > most) most = owed[0]! + owed[1]!
      expect(owed[1]).toBeLessThanOrEqual(line / 10n)
    }
    expect(most).toBeGreaterThan(line / 4n)
    expect(most).toBeLessThanOrEqual(line)
    expect(b.live.packets.dropped['no-credit']).toBeGreaterThan(0)
    expect(economyOf(b).balanceMicro).toBeLessThanOrEqual(BALANCE_MICRO)
  }, 60_000)
})
