import type { Ledger, LedgerRecord } from '@nexus/crdt-ledger'
import { seededRandom } from '@nexus/crypto/testing'
import { Gossip, type RecordHandler } from '@nexus/gossip'
import { statementOf } from '../src/record-codec.ts'
import { crypto, genesis, pay, replica, stateOf } from './kit.ts'

const ROUND_MS = 60_000
const SETTLEMENT = 2

export type Links = readonly (readonly [number, number])[]

export interface Measured {
  readonly nodes: number
  readonly diameter: number
  readonly rounds: number
  readonly duplicates: number
}

/** A ring with some links of random length per node: a small world. */
export function smallWorld(nodes: number, linksPerNode: number, seed: number): Links {
  const random = seededRandom(seed)
  const below = (limit: number): number => new DataView(random(4).buffer).getUint32(0) % limit
  const links = new Map<string, readonly [number, number]>()
  const add = (a: number, b: number): void => {
    if (a !== b) links.set(`${Math.min(a, b)} ${Math.max(a, b)}`, [a, b])
  }
  for (let node = 0; node < nodes; node++) {
    add(node, (node + 1) % nodes)
    for (let link = 0; link < linksPerNode; link++) add(node, below(nodes))
  }
  return [...links.values()]
}

export function diameterOf(nodes: number, links: Links): number {
  const near = Array.from({ length: nodes }, (): number[] => [])
  for (const [a, b] of links) {
    near[a]!.push(b)
    near[b]!.push(a)
  }
  let diameter = 0
  for (let from = 0; from < nodes; from++) {
    const distance = new Int32Array(nodes).fill(-1)
    distance[from] = 0
    const queue = [from]
    for (const node of queue) {
      for (const next of near[node]!) {
        if (distance[next] !== -1) continue
        distance[next] = distance[node]! + 1
        queue.push(next)
      }
    }
    diameter = Math.max(diameter, ...distance)
  }
  return diameter
}

/**
 * Replicas that gossip over links on which, in one round, a frame goes one hop: what waits at the beginning of a round is
 * there at its end. On real links a push goes on at once, so that a round holds many hops; this is the upper bound.
 */
export class Mesh {
  readonly ledgers: Ledger[]
  readonly #gossips: Gossip[]
  readonly #links: Links
  readonly #isLost: () => boolean
  duplicates = 0
  #round = 0

  constructor(nodes: number, links: Links, seed: number, lossPercent = 0) {
    const random = seededRandom(seed)
    this.#isLost = () => lossPercent > 0 && random(1)[0]! < (lossPercent * 256) / 100
    this.#links = links
    const snapshot = genesis(Object.fromEntries(Array.from({ length: nodes }, (_, n) => [`node ${n}`, 1_000_000n])))
    this.ledgers = Array.from({ length: nodes }, () => replica(snapshot))
    this.#gossips = this.ledgers.map((ledger, node) => {
      const gossip = new Gossip({ crypto, random: seededRandom(seed * 10_000 + node) }, { want: () => {} })
      gossip.register(this.#handler(ledger))
      return gossip
    })
    for (const [a, b] of links) {
      this.#gossips[a]!.neighbourUp(0, b, 1_000_000)
      this.#gossips[b]!.neighbourUp(0, a, 1_000_000)
    }
  }

  submit(node: number, record: LedgerRecord): void {
    if (this.ledgers[node]!.insert(record) !== 'kept') throw new Error('the record does not apply where it was made')
    this.#gossips[node]!.publish({ type: SETTLEMENT, body: record.body })
  }

  round(): void {
    for (const gossip of this.#gossips) gossip.tick(this.#round * ROUND_MS)
    const waiting: (readonly [number, number, Uint8Array])[] = []
    for (const [a, b] of this.#links) {
      for (const [from, to] of [[a, b] as const, [b, a] as const]) {
        for (let frame = this.#gossips[from]!.pull(to, 2, 484); frame; frame = this.#gossips[from]!.pull(to, 2, 484)) {
          if (!this.#isLost()) waiting.push([from, to, frame])
        }
      }
    }
    for (const [from, to, frame] of waiting) this.#gossips[to]!.receive(from, frame)
    this.#round++
  }

  hasConverged(records: number): boolean {
    return this.ledgers.every((ledger) => ledger.settlementCount === records)
  }

  #handler(ledger: Ledger): RecordHandler {
    return {
      type: SETTLEMENT,
      tier: 2,
      namedPart: (body) => statementOf(SETTLEMENT, body),
      validate: ({ body }, answer) => {
        const admission = ledger.insert({ kind: 'settlement', body })
        if (admission === 'known') this.duplicates++
        answer(admission === 'kept' ? 'valid' : 'refused')
      },
    }
  }
}

/** Rounds until every replica stands at the same state, after each of some nodes paid another. */
export function measureRounds(nodes: number, links: Links, seed: number, lossPercent: number): Measured {
  const mesh = new Mesh(nodes, links, seed, lossPercent)
  const random = seededRandom(seed + 77)
  const records = Math.min(nodes, 30)
  const stride = Math.floor(nodes / records)
  for (let n = 0; n < records; n++) {
    const payer = n * stride
    const payee = (payer + 1 + (random(1)[0]! % (nodes - 1))) % nodes
    mesh.submit(payer, pay({ from: `node ${payer}`, to: `node ${payee}`, amount: 1_000n + BigInt(n), seq: 1n }))
  }
  let rounds = 0
  for (; !mesh.hasConverged(records); rounds++) {
    if (rounds > 200) throw new Error('no convergence')
    mesh.round()
  }
  const states = new Set(mesh.ledgers.map(stateOf))
  if (states.size !== 1) throw new Error('the same records, and other states')
  return { nodes, diameter: diameterOf(nodes, links), rounds, duplicates: mesh.duplicates }
}
