import { seededRandom } from '@nexus/crypto/testing'
import { expect, test } from 'vitest'
import { type Link, MESSAGE } from '../src/index.ts'
import type { PumpNode } from '../src/testing.ts'
import { areLinked, type Pair, pair, RADIO, SMALL, TCP, UDP } from './kit.ts'

const SEEDS = Number(process.env['NEXUS_SEEDS'] ?? 6)
// A frame in parts is lost with any of its parts, and has one place per peer: less loss, and less overtaking, is as hard.
const MEDIA = [
  { facts: UDP, losses: [0, 0.2, 0.5], delayMsMax: 400, stepMs: 50 },
  { facts: TCP, losses: [0, 0.2, 0.5], delayMsMax: 400, stepMs: 50 },
  { facts: RADIO, losses: [0, 0.2, 0.5], delayMsMax: 400, stepMs: 2_000 },
  { facts: { ...SMALL, bitrateBps: 2_000_000 }, losses: [0, 0.05, 0.15], delayMsMax: 10, stepMs: 40 },
]

/** Message n of a node: unmistakable, of changing length. */
function messageBody(from: string, n: number): Uint8Array {
  const text = new TextEncoder().encode(`${from} says ${n} `)
  const body = new Uint8Array(20 + (n % 400))
  for (let at = 0; at < body.length; at++) body[at] = text[at % text.length]!
  return body
}

function talk(nodes: Pair, rounds: number, stepMs: number): Map<string, string[]> {
  const said = new Map<string, string[]>([
    ['a', []],
    ['b', []],
  ])
  for (let n = 0; n < rounds; n++) {
    for (const node of [nodes.a, nodes.b]) {
      const body = messageBody(node.name, n)
      for (const link of node.links)
        if (node.layer.send(nodes.pump.nowMs, link, MESSAGE.packet, body)) said.get(node.name)!.push(body.join())
    }
    nodes.pump.run(stepMs)
  }
  return said
}

function heard(node: PumpNode): string[] {
  return node.messages.map(({ body }) => body.join())
}

test.each(
  MEDIA.flatMap(({ losses, ...medium }) => losses.map((lossShare) => ({ ...medium, lossShare, id: medium.facts.id }))),
)(
  'honest nodes always end linked, and hear what was said, once: $id, loss $lossShare',
  ({ facts, lossShare, delayMsMax, stepMs }) => {
    for (let seed = 0; seed < SEEDS; seed++) {
      const faults = { lossShare, duplicateShare: 0.2, corruptShare: 0.05, delayMsMin: 1, delayMsMax }
      const nodes = pair(facts, `${facts.id} ${lossShare} ${seed}`, faults)
      const context = `seed ${seed}`
      expect(
        nodes.pump.run(3_600_000, () => areLinked(nodes)),
        context,
      ).toBe(true)
      const said = talk(nodes, 30, stepMs)
      nodes.pump.run(5_000)
      for (const [from, to] of [
        ['a', nodes.b],
        ['b', nodes.a],
      ] as const) {
        const got = heard(to)
        expect(new Set(got).size, context).toBe(got.length)
        for (const message of got) expect(said.get(from), context).toContain(message)
        const steady = nodes.a.downs.length + nodes.b.downs.length === 0
        if (facts.id !== 'small' && steady && said.get(from)!.length > 20)
          expect(got.length, context).toBeGreaterThan(0)
      }
    }
  },
)

test('without loss everything arrives, whatever overtakes what', () => {
  const nodes = pair(UDP, 3, { duplicateShare: 0.5, delayMsMin: 1, delayMsMax: 300 })
  nodes.pump.run(60_000, () => areLinked(nodes))
  const said = talk(nodes, 300, 5)
  nodes.pump.run(5_000)
  expect(heard(nodes.b).toSorted()).toEqual(said.get('a')!.toSorted())
  expect(heard(nodes.a).toSorted()).toEqual(said.get('b')!.toSorted())
})

test('rekeying under traffic with loss both ways costs no link and no message that arrived', () => {
  for (let seed = 0; seed < SEEDS; seed++) {
    const facts = { ...UDP, bitrateBps: 100_000, id: 'slow-udp', airtimeSeconds: () => 0.0001 }
    const nodes = pair(facts, seed, { lossShare: 0.25, duplicateShare: 0.1, delayMsMin: 1, delayMsMax: 120 })
    const { pump, a, b } = nodes
    expect(pump.run(600_000, () => areLinked(nodes))).toBe(true)
    const links: [Link, Link] = [a.links[0]!, b.links[0]!]
    const downsBefore = a.downs.length + b.downs.length
    const body = new Uint8Array(1_300)
    const random = seededRandom(seed)
    for (let n = 0; n < 4_000; n++) {
      new DataView(body.buffer).setUint32(0, n)
      for (const node of [a, b]) node.layer.send(pump.nowMs, node.links[0]!, MESSAGE.gossip, body)
      pump.run(1 + random(1)[0]! / 16)
    }
    expect(a.downs.length + b.downs.length - downsBefore, `seed ${seed}`).toBe(0)
    // Three probes in a row are lost often enough at this loss; here it is the keys that are looked at.
    pump.setFaults(facts.id, {})
    pump.run(10_000)
    expect(links[0].counters.rekeys, `seed ${seed}`).toBeGreaterThan(2)
    expect(links[1].counters.rekeys, `seed ${seed}`).toBe(links[0].counters.rekeys)
    expect(areLinked(nodes)).toBe(true)
    for (const node of [a, b]) {
      const numbers = node.messages.map((message) => new DataView(message.body.buffer).getUint32(0))
      expect(new Set(numbers).size).toBe(numbers.length)
      expect(numbers.length, `seed ${seed}`).toBeGreaterThan(4_000 * 0.7)
    }
  }
})
