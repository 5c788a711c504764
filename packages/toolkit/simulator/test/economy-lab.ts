import { toHex } from '@nexus/codec'
import { genesisSnapshot } from '@nexus/crdt-ledger'
import { nodeCrypto } from '@nexus/crypto/node'
import { seededRandom } from '@nexus/crypto/testing'
import { createIdentity } from '@nexus/identity'
import { expect } from 'vitest'
import { type Edge, type SimNode, Simulation, type WireOptions } from '../src/index.ts'

const crypto = await nodeCrypto()
export const BALANCE_MICRO = 1_000_000_000n
export const CONTEXT = 0x90
const NAMES = ['a', 'b', 'c', 'd', 'e'] as const
/** 10 NXS per MiB and relay on media of 1 Mbit/s; these have half of it, and are twice as dear. */
export const PRICE = 10_000_000
/** What a packet of 319 bytes costs at each relay. */
export const PACKET_MICRO = (319 * 2 * PRICE) / 2 ** 20

export interface Mesh {
  readonly sim: Simulation
  readonly nodes: readonly SimNode[]
}

export interface MeshOptions {
  readonly balanceMicro?: bigint
  readonly wire?: Partial<WireOptions>
  /** By node number, where one begins with something else. */
  readonly balances?: Readonly<Record<number, bigint>>
  readonly prices?: Readonly<Record<number, number>>
}

/** Nodes a, b, c … over wires whose windows are of 256 frames; everyone begins with money. */
export function mesh(seed: number, edges: readonly Edge[], options: MeshOptions = {}): Mesh {
  const { balanceMicro = BALANCE_MICRO, balances = {}, prices = {}, wire = {} } = options
  const sim = new Simulation({ seed, crypto })
  const names = NAMES.slice(0, 1 + Math.max(...edges.flat()))
  const identities = names.map((name) => createIdentity(crypto, seededRandom(`${seed} ${name}`)(32)))
  const genesis = genesisSnapshot(
    (bytes) => crypto.blake3(bytes),
    identities
      .map(({ nodeId }, at) => [nodeId, balances[at] ?? balanceMicro] as const)
      .filter(([, micro]) => micro > 0n),
  )
  const nodes = names.map((label, at) => {
    const economy = { genesis, exposureLimitMicro: 20_000_000n }
    return sim.addNode({ identity: identities[at]!, label, priceMicroPerMib: prices[at] ?? PRICE, economy }, label)
  })
  for (const [a, b] of edges) sim.wire(nodes[a]!, nodes[b]!, { bitrateBps: 500_000, delayMs: 5, ...wire })
  return { sim, nodes }
}

/** a – b – c – d – e. */
export function chain(seed: number, options: MeshOptions = {}): Mesh {
  const edges = Array.from({ length: NAMES.length - 1 }, (_, at): Edge => [at, at + 1])
  return mesh(seed, edges, options)
}

/** Runs so long, with the turns in between that the ledger's validation takes. */
export async function run(sim: Simulation, ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= 1_000) {
    sim.run(Math.min(left, 1_000))
    for (let turn = 0; turn < 8; turn++) await Promise.resolve()
  }
}

/** Sends eight packets a second from the first node to the last, or to another; how many arrived. */
export async function traffic(
  { sim, nodes }: Mesh,
  seconds: number,
  meanwhile?: (second: number) => void,
  context = CONTEXT,
  last = nodes.at(-1)!,
): Promise<number> {
  const first = nodes[0]!
  let arrived = 0
  last.live.register(context, () => arrived++)
  for (let second = 0; second < seconds; second++) {
    meanwhile?.(second)
    for (let packet = 0; packet < 8; packet++) {
      first.live.sendData(first.clockMs, last.nodeId, context, new Uint8Array(300))
    }
    await run(sim, 1_000)
  }
  await run(sim, 30_000)
  return arrived
}

/** Everything that is owed is settled and spread. */
export async function settleAll({ sim, nodes }: Mesh): Promise<void> {
  // A neighbour's debit of more than it has at hand waits for what it is owed: from the far end to the near one, twice.
  for (let round = 0; round < 2; round++) {
    for (const node of nodes) {
      const { channels } = node.live.economy!.money
      for (const { peerId } of channels.list()) channels.settle(node.clockMs, peerId)
    }
    await run(sim, 60_000)
  }
}

export const economyOf = (node: SimNode) => node.live.economy!.status()
export const sum = (amounts: Iterable<bigint>): bigint => [...amounts].reduce((total, amount) => total + amount, 0n)
export const earnedBy = (node: SimNode): bigint => sum(economyOf(node).lottery.map(({ relay }) => relay.paidMicro))

export function expectConserved({ nodes }: Mesh, balanceMicro = BALANCE_MICRO): void {
  const states = new Set(nodes.map((node) => toHex(node.live.economy!.money.replica.ledger.stateHash())))
  expect(states.size).toBe(1)
  expect(sum(nodes.map((node) => economyOf(node).balanceMicro))).toBe(balanceMicro * BigInt(nodes.length))
}
