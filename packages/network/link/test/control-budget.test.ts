import { seededRandom } from '@nexus/crypto/testing'
import { describe, expect, test } from 'vitest'
import { encodeHello, FRAME, LinkLayer, MESSAGE } from '../src/index.ts'
import { HEARD_INTERVALS, UNLINKED_COUNTED_MAX } from '../src/limits.ts'
import { LinkPump } from '../src/testing.ts'
import { byNodeId, linkedPair, optionsOf, RADIO, UDP } from './kit.ts'

const HOUR_MS = 3_600_000
/** One per cent of the time may be spent sending. */
const STARVED = { ...RADIO, dutyCycle: 0.01 }
/** Share of each of five nodes in 5 % of that. */
const BUDGET_BPS = (RADIO.bitrateBps * 0.01 * 0.05) / 5

describe('the budget of control traffic', () => {
  test('five radios that may seldom speak all link, keep their links for two days, and keep to the budget', () => {
    const names = ['a', 'b', 'c', 'd', 'e']
    const pump = new LinkPump(seededRandom(1))
    pump.addMedium(STARVED)
    const nodes = names.map((name) => pump.addNode(name, optionsOf(name, 1)))
    for (const node of nodes) {
      pump.attach(node, STARVED.id)
      node.layer.setControlBudget(0, STARVED.id, BUDGET_BPS)
    }
    const areLinked = (): boolean => nodes.every(({ links }) => links.length === 4)
    // Ten handshakes of 75 + 148 + 114 + 2 × 53 bytes, and a probe of each link meanwhile, at 5 × 1/15 byte a second.
    expect(pump.run(9 * HOUR_MS, areLinked)).toBe(true)
    pump.run(48 * HOUR_MS - pump.nowMs)
    expect(areLinked()).toBe(true)
    expect(nodes.map(({ downs }) => downs.length)).toEqual([0, 0, 0, 0, 0])
    for (const { layer } of nodes) {
      const { controlBytesOut } = layer.stats().interfaces.get(STARVED.id)!
      const said = Object.values(controlBytesOut).reduce((sum, bytes) => sum + bytes, 0)
      expect(said).toBeLessThan((BUDGET_BPS * 48 * 3_600) / 8 + 400)
      expect(controlBytesOut.rekey).toBeGreaterThan(0)
    }
  })

  test('HS2 waits for the budget, and a copy of HS1 meanwhile makes no second one', () => {
    const { pump, a } = linkedPair(STARVED)
    const [hs1] = pump.captured.filter(({ bytes }) => bytes[0] === FRAME.hs1)
    const answerer = hs1!.from === 'a' ? 'b' : 'a'
    const sent: { atMs: number; kind: number }[] = []
    let nowMs = 0
    const layer = new LinkLayer(optionsOf(answerer, 2), {
      transmit: (_id, frame) => sent.push({ atMs: nowMs, kind: frame[0]! }) > 0,
      linkUp: () => {},
      linkDown: () => {},
      message: () => {},
      refused: () => {},
    })
    layer.interfaceUp(0, STARVED)
    layer.setControlBudget(0, STARVED.id, BUDGET_BPS)
    for (nowMs = 0; sent.length === 0; nowMs += 100) layer.tick(nowMs)
    // The beacon that it sent is to be earned first.
    for (const atMs of [nowMs + 10, nowMs + 20_000]) layer.receive(atMs, STARVED.id, hs1!.bytes)
    const isAnswered = (): boolean => sent.some(({ kind }) => kind === FRAME.hs2)
    expect(isAnswered()).toBe(false)
    for (; nowMs < HOUR_MS && !isAnswered(); nowMs += 1_000) layer.tick(nowMs)
    expect(sent.filter(({ kind }) => kind === FRAME.hs2)).toHaveLength(1)
    expect(sent.at(-1)!.atMs).toBeGreaterThan((21 * 8_000) / BUDGET_BPS - 60_000)
    expect(a.links).toHaveLength(1)
  })

  test('of the two ends of a silent slow link one asks', () => {
    const { pump, a, b } = linkedPair(RADIO)
    pump.run(HOUR_MS / 2)
    const before = [a, b].map(({ layer }) => layer.stats().interfaces.get(RADIO.id)!.controlBytesOut.probe)
    pump.run(HOUR_MS / 2)
    const probes = [a, b].map(({ layer }) => layer.stats().interfaces.get(RADIO.id)!.controlBytesOut.probe)
    // One question or answer of 53 bytes a minute.
    for (const [at, bytes] of probes.entries()) expect((bytes - before[at]!) / 53).toBeCloseTo(30, -1)
  })

  test('the node’s own talk raises no doubt on a slow link, its user’s does', () => {
    for (const isControl of [true, false]) {
      const { pump, a } = linkedPair(RADIO)
      pump.run(1_000)
      pump.removeNode('b')
      const link = a.links[0]!
      a.layer.send(pump.nowMs, link, MESSAGE.packet, Uint8Array.of(1), isControl)
      expect(pump.run(55_000, () => a.downs.length > 0)).toBe(!isControl)
    }
  })
})

describe('the others on a medium', () => {
  test('are those linked and those heard, who are forgotten when they fall silent; a flood of beacons counts for little', () => {
    const [name] = byNodeId('a', 'b').toReversed()
    const told: number[] = []
    const layer = new LinkLayer(optionsOf(name!, 1), {
      transmit: () => true,
      linkUp: () => {},
      linkDown: () => {},
      message: () => {},
      refused: () => {},
      heard: (_id, others) => told.push(others),
    })
    layer.interfaceUp(0, UDP)
    for (let at = 0; at < 100; at++) {
      const hello = encodeHello({ nodeId: new Uint8Array(16).fill(at), capabilities: 0, costTier: 0, load: 0 })
      layer.receive(0, UDP.id, hello, `192.0.2.${at}`)
    }
    expect(told.at(-1)).toBe(UNLINKED_COUNTED_MAX)
    expect(layer.stats().neighbours).toBe(100)
    for (let nowMs = 0; nowMs < 60_000 + HEARD_INTERVALS * 11_000; nowMs += 500) layer.tick(nowMs)
    expect(layer.stats().neighbours).toBe(0)
    expect(told.at(-1)).toBe(0)
  })

  test('a link counts once, whether or not its beacons are heard', () => {
    const { pump, a } = linkedPair(UDP)
    pump.run(60_000)
    expect(a.layer.stats()).toMatchObject({ links: 1, neighbours: 0 })
  })
})
