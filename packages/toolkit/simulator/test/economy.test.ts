import { toHex } from '@nexus/codec'
import { describe, expect, test } from 'vitest'
import type { SimNode } from '../src/index.ts'
import {
  BALANCE_MICRO,
  CONTEXT,
  chain,
  earnedBy,
  economyOf,
  expectConserved,
  PACKET_MICRO,
  run,
  settleAll,
  sum,
  traffic,
} from './economy-lab.ts'

describe('a chain of five nodes', () => {
  test('relayed packets earn, channels move, settlements converge, and money is conserved', async () => {
    const five = chain(1)
    five.sim.start()
    await run(five.sim, 200_000)
    expect(await traffic(five, 300)).toBe(2_400)
    const [a, b, c, d, e] = five.nodes as [SimNode, SimNode, SimNode, SimNode, SimNode]
    await settleAll(five)
    expectConserved(five)
    for (const node of five.nodes) {
      const { channels, lottery } = economyOf(node)
      for (const { phase, owedMicro } of channels) expect([phase, owedMicro < 1_000n]).toEqual(['ready', true])
      for (const { relay } of lottery) {
        expect([relay.refused, relay.refusedClaims, relay.falseReveals, relay.expiredMicro]).toEqual([0, 0, 0, 0n])
      }
      expect(node.live.packets.dropped).toEqual({})
    }
    // What a relay won of one neighbour is what it holds more, less what it paid the next one.
    const [fromA, fromB, fromC] = [earnedBy(b), earnedBy(c), earnedBy(d)]
    const balances = [a, b, c, d, e].map((node) => economyOf(node).balanceMicro - BALANCE_MICRO)
    expect(balances).toEqual([-fromA, fromA - fromB, fromB - fromC, fromC, 0n])
    // Each is told once: a claim to whom it paid and to who paid, a settlement to both, a channel to both.
    const told = (node: SimNode, kind: string): bigint[] =>
      node.events
        .filter(({ event }) => event.kind === kind)
        .map(({ event }) => BigInt(event.facts['amountMicro'] as string))
    expect([sum(told(b, 'win')), sum(told(a, 'paid')), sum(told(c, 'win'))]).toEqual([fromA, fromA, fromB])
    for (const [at, node] of five.nodes.entries()) {
      expect(sum(told(node, 'settled'))).toBe(balances[at])
      const channels = node.events.filter(({ event }) => event.kind === 'channel')
      expect(channels.map(({ event }) => event.facts['state'])).toEqual(economyOf(node).channels.map(() => 'open'))
    }
    expect(told(b, 'win').length).toBeLessThan(240)
    // 2 400 packets of 319 bytes over three, two, one further relays; n is 5 … 600, σ some 20 %.
    for (const [earned, hops] of [
      [fromA, 3],
      [fromB, 2],
      [fromC, 1],
    ] as const) {
      expect(Number(earned) / (2_400 * PACKET_MICRO * hops)).toBeGreaterThan(0.4)
      expect(Number(earned) / (2_400 * PACKET_MICRO * hops)).toBeLessThan(1.6)
    }
  }, 60_000)

  test('a relay that loses its power in between signs no old state, and no money appears or vanishes', async () => {
    const five = chain(2)
    five.sim.start()
    await run(five.sim, 200_000)
    const c = five.nodes[2]!
    await traffic(five, 240, (second) => {
      if (second % 80 === 40) c.crash()
      if (second % 80 === 45) c.start()
    })
    await run(five.sim, 200_000)
    await settleAll(five)
    expectConserved(five)
    for (const node of five.nodes) {
      for (const { phase } of economyOf(node).channels) expect(phase).toBe('ready')
    }
    expect(economyOf(five.nodes[1]!).balanceMicro).not.toBe(BALANCE_MICRO)
    expect(economyOf(c).settlements).toBeGreaterThan(0)
  }, 60_000)

  test('a restored node signs no debit before it has what its neighbours hold of the ledger', async () => {
    const five = chain(6)
    five.sim.start()
    await run(five.sim, 100_000)
    const [a, b] = five.nodes as [SimNode, SimNode]
    const backup = a.store.entries('')
    await traffic(five, 60)
    await settleAll(five)
    const debits = economyOf(a).settlements
    expect(debits).toBeGreaterThan(0)
    a.crash()
    for (const [key] of a.store.entries('')) a.store.delete(key)
    for (const [key, value] of backup) a.store.put(key, value)
    a.start()
    expect(economyOf(a).settlements).toBe(0)
    const { channels } = a.live.economy!.money
    const reconciled = channels.reconciled.bind(channels)
    const heldThen: number[] = []
    channels.reconciled = () => {
      heldThen.push(economyOf(a).settlements)
      reconciled()
    }
    await run(five.sim, 20_000)
    expect(heldThen).toEqual([debits])
    expect(toHex(a.live.economy!.money.replica.ledger.stateHash())).toBe(
      toHex(b.live.economy!.money.replica.ledger.stateHash()),
    )
    await traffic(five, 60, undefined, CONTEXT + 1)
    await settleAll(five)
    expectConserved(five)
    expect(economyOf(a).settlements).toBeGreaterThan(debits)
  }, 60_000)

  test('over wires that lose, double and reorder frames, every claim still holds', async () => {
    const five = chain(5, { wire: { lossRatio: 0.05, duplicateRatio: 0.05, jitterMs: 40 } })
    five.sim.start()
    await run(five.sim, 200_000)
    expect(await traffic(five, 240)).toBeGreaterThan(1_200)
    await settleAll(five)
    expectConserved(five)
    for (const node of five.nodes) {
      for (const { relay } of economyOf(node).lottery) expect([relay.refusedClaims, relay.falseReveals]).toEqual([0, 0])
    }
    expect(earnedBy(five.nodes[1]!)).toBeGreaterThan(earnedBy(five.nodes[3]!))
  }, 60_000)

  test('nodes that trust each other relay without a byte of the economy', async () => {
    const five = chain(3)
    const messages: number[] = []
    five.sim.start()
    for (const node of five.nodes) {
      for (const { nodeId } of five.nodes) if (nodeId !== node.nodeId) node.live.trust(node.clockMs, { nodeId })
      const { economy } = node.live
      const receive = economy!.receive.bind(economy)
      economy!.receive = (nowMs, link, body) => {
        messages.push(body[0]!)
        return receive(nowMs, link, body)
      }
    }
    await run(five.sim, 200_000)
    expect(await traffic(five, 60)).toBe(480)
    expect(messages).toEqual([])
    for (const node of five.nodes) {
      expect(economyOf(node).channels).toEqual([])
      expect(earnedBy(node)).toBe(0n)
    }
  }, 60_000)

  test('who cannot pay is not served beyond its limit, and finds no way', async () => {
    // X = 60 000 / 4: three packets of three relays each, or one win at n = 5 of the first.
    const five = chain(4, { balanceMicro: 60_000n })
    five.sim.start()
    await run(five.sim, 200_000)
    const arrived = await traffic(five, 60)
    expect(arrived).toBeLessThan(40)
    const b = five.nodes[1]!
    expect(b.live.packets.dropped['no-credit']).toBeGreaterThan(0)
    for (const { relay, exposureMicro } of economyOf(b).lottery) {
      expect(exposureMicro).toBeLessThanOrEqual(15_000)
      expect(relay.taken).toBeLessThan(20)
    }
    expectConserved(five, 60_000n)
  }, 60_000)
})
