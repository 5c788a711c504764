import { toHex } from '@nexus/codec'
import { genesisSnapshot } from '@nexus/crdt-ledger'
import { nodeCrypto } from '@nexus/crypto/node'
import { seededRandom } from '@nexus/crypto/testing'
import { createIdentity } from '@nexus/identity'
import { describe, expect, test } from 'vitest'
import { type SimNode, Simulation, type WireOptions } from '../src/index.ts'

const crypto = await nodeCrypto()
const BALANCE_MICRO = 1_000_000_000n
const CONTEXT = 0x90
const NAMES = ['a', 'b', 'c', 'd', 'e'] as const
/** 10 NXS per MiB and relay: a packet of 319 bytes costs 3 000 μNXS at each. */
const PRICE = 10_000_000

interface Chain {
  readonly sim: Simulation
  readonly nodes: readonly SimNode[]
}

/** a – b – c – d – e over wires whose windows are of 256 frames; everyone begins with money. */
function chain(
  seed: number,
  { balanceMicro = BALANCE_MICRO, wire = {} }: { balanceMicro?: bigint; wire?: Partial<WireOptions> } = {},
): Chain {
  const sim = new Simulation({ seed, crypto })
  const identities = NAMES.map((name) => createIdentity(crypto, seededRandom(`${seed} ${name}`)(32)))
  const genesis = genesisSnapshot(
    (bytes) => crypto.blake3(bytes),
    identities.map(({ nodeId }) => [nodeId, balanceMicro] as const),
  )
  const nodes = NAMES.map((label, at) => {
    const economy = { genesis, exposureLimitMicro: 20_000_000n }
    return sim.addNode({ identity: identities[at]!, label, priceMicroPerMib: PRICE, economy }, label)
  })
  for (let at = 1; at < nodes.length; at++)
    sim.wire(nodes[at - 1]!, nodes[at]!, { bitrateBps: 500_000, delayMs: 5, ...wire })
  return { sim, nodes }
}

/** Runs so long, with the turns in between that the ledger's validation takes. */
async function run(sim: Simulation, ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= 1_000) {
    sim.run(Math.min(left, 1_000))
    for (let turn = 0; turn < 8; turn++) await Promise.resolve()
  }
}

/** Sends eight packets a second from the first node to the last; how many arrived. */
async function traffic({ sim, nodes }: Chain, seconds: number, meanwhile?: (second: number) => void): Promise<number> {
  const [first, last] = [nodes[0]!, nodes.at(-1)!]
  let arrived = 0
  last.live.register(CONTEXT, () => arrived++)
  for (let second = 0; second < seconds; second++) {
    meanwhile?.(second)
    for (let packet = 0; packet < 8; packet++) {
      first.live.sendData(first.clockMs, last.nodeId, CONTEXT, new Uint8Array(300))
    }
    await run(sim, 1_000)
  }
  await run(sim, 30_000)
  return arrived
}

/** Everything that is owed is settled and spread. */
async function settleAll({ sim, nodes }: Chain): Promise<void> {
  // A neighbour's debit of more than it has at hand waits for what it is owed: from the far end to the near one, twice.
  for (let round = 0; round < 2; round++) {
    for (const node of nodes) {
      const { channels } = node.live.economy!.money
      for (const { peerId } of channels.list()) channels.settle(node.clockMs, peerId)
    }
    await run(sim, 60_000)
  }
}

const economyOf = (node: SimNode) => node.live.economy!.status()
const sum = (amounts: Iterable<bigint>): bigint => [...amounts].reduce((total, amount) => total + amount, 0n)
const earnedBy = (node: SimNode): bigint => sum(economyOf(node).lottery.map(({ relay }) => relay.paidMicro))

function expectConserved({ nodes }: Chain, balanceMicro = BALANCE_MICRO): void {
  const states = new Set(nodes.map((node) => toHex(node.live.economy!.money.replica.ledger.stateHash())))
  expect(states.size).toBe(1)
  expect(sum(nodes.map((node) => economyOf(node).balanceMicro))).toBe(balanceMicro * BigInt(nodes.length))
}

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
    // 2 400 packets of 319 bytes over three, two, one further relays at 3 043 each; n is 5 … 600, σ some 20 %.
    for (const [earned, hops] of [
      [fromA, 3],
      [fromB, 2],
      [fromC, 1],
    ] as const) {
      expect(Number(earned) / (2_400 * 3_043 * hops)).toBeGreaterThan(0.4)
      expect(Number(earned) / (2_400 * 3_043 * hops)).toBeLessThan(2.2)
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
