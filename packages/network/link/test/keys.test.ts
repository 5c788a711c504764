import { describe, expect, test } from 'vitest'
import { FRAME, MESSAGE } from '../src/index.ts'
import type { PumpNode } from '../src/testing.ts'
import { areLinked, byNodeId, linkedPair, type Pair, pair, UDP } from './kit.ts'

/** The two nodes, the lower NodeID first. */
function inOrder({ a, b }: Pair): [PumpNode, PumpNode] {
  return byNodeId('a', 'b')[0] === 'a' ? [a, b] : [b, a]
}

/** Seals a message on a medium that loses it: the frame, to arrive later. */
function held({ pump }: Pair, node: PumpNode): Uint8Array {
  pump.setFaults('udp', { lossShare: 1 })
  node.layer.send(pump.nowMs, node.links[0]!, MESSAGE.packet, Uint8Array.of(9))
  pump.setFaults('udp', {})
  return pump.captured.at(-1)!.bytes
}

describe('rekeying', () => {
  test('after an hour, by the lower NodeID, under new ids; late frames under the old key are good for 5 s', () => {
    const nodes = linkedPair(UDP)
    const { pump } = nodes
    const [lower, higher] = inOrder(nodes)
    expect(pump.run(3_590_000, () => lower.links[0]!.counters.rekeys > 0)).toBe(false)
    const late = [0, 1, 2].map(() => ({ toHigher: held(nodes, lower), toLower: held(nodes, higher) }))
    const before = lower.links[0]!.handshakeHash
    const bothMoved = () => [lower, higher].every((node) => node.links[0]!.counters.rekeys === 1)
    expect(pump.run(20_000, bothMoved)).toBe(true)
    expect(areLinked(nodes)).toBe(true)
    expect(lower.links[0]!.handshakeHash).not.toEqual(before)
    const arrive = (n: number) => {
      pump.inject(higher, 'udp', late[n]!.toHigher, lower.name)
      pump.inject(lower, 'udp', late[n]!.toLower, higher.name)
      return [lower.messages.length, higher.messages.length]
    }
    expect(arrive(0)).toEqual([1, 1])
    pump.run(4_900)
    expect(arrive(1)).toEqual([2, 2])
    pump.run(400)
    expect(arrive(2)).toEqual([2, 2])
    expect([lower.downs, higher.downs]).toEqual([[], []])
  })

  test('by bytes, at the wish of the higher NodeID too', () => {
    const nodes = linkedPair({ ...UDP, bitrateBps: 50_000, airtimeSeconds: () => 0.0001 })
    const { pump } = nodes
    const [lower, higher] = inOrder(nodes)
    // The lower one hears nothing of it: it is the higher one that counts to a million, and asks.
    pump.setFaults('udp', { lossShare: 1 })
    for (let n = 0; n < 900; n++) higher.layer.send(pump.nowMs, higher.links[0]!, MESSAGE.gossip, new Uint8Array(1_200))
    pump.setFaults('udp', {})
    expect(pump.run(3_000, () => lower.links[0]!.counters.rekeys === 1 && areLinked(nodes))).toBe(true)
  })

  test('over a round trip of three seconds, so that every question is asked several times', () => {
    const nodes = linkedPair(UDP, 1, { delayMsMin: 1_400, delayMsMax: 1_400 })
    nodes.pump.run(2 * 3_600_000 + 60_000)
    const [lower, higher] = inOrder(nodes)
    expect([lower, higher].map((node) => node.links[0]?.counters.rekeys)).toEqual([2, 2])
    expect([lower.downs, higher.downs]).toEqual([[], []])
    expect(areLinked(nodes)).toBe(true)
  })
})

describe('confirmation', () => {
  /** Links two nodes whose responder's DATA frames are lost until told otherwise. */
  function unconfirmed() {
    const nodes = pair(UDP)
    const [initiator, responder] = inOrder(nodes)
    let deaf = true
    const receive = initiator.layer.receive.bind(initiator.layer)
    initiator.layer.receive = (nowMs, interfaceId, frame, from) => {
      if (!deaf || frame[0] !== FRAME.dataWide) receive(nowMs, interfaceId, frame, from)
    }
    expect(nodes.pump.run(1_000, () => responder.links.length === 1)).toBe(true)
    const hs3 = nodes.pump.captured.findLast(({ bytes }) => bytes[0] === FRAME.hs3)!.bytes
    return { nodes, initiator, responder, hs3, hear: () => (deaf = false) }
  }

  test('that is lost is given again: HS3 is repeated, nothing starts anew', () => {
    const { nodes, initiator, responder, hear } = unconfirmed()
    nodes.pump.run(100)
    expect(initiator.links).toEqual([])
    hear()
    expect(nodes.pump.run(600, () => areLinked(nodes))).toBe(true)
    expect([initiator.ups.length, responder.ups.length]).toEqual([1, 1])
    expect(nodes.pump.captured.filter(({ bytes }) => bytes[0] === FRAME.hs1)).toHaveLength(1)
  })

  test('asked for in a storm does not make the peer look dead', () => {
    const { nodes, responder, initiator, hs3, hear } = unconfirmed()
    for (let n = 0; n < 10; n++) nodes.pump.inject(responder, 'udp', hs3, initiator.name)
    nodes.pump.run(1_200)
    hear()
    nodes.pump.run(10_000)
    expect(responder.downs).toEqual([])
    expect(areLinked(nodes)).toBe(true)
  })

  test('that is lost for four seconds costs no link, since HS3 keeps coming', () => {
    const { nodes, initiator, responder, hear } = unconfirmed()
    nodes.pump.run(4_000)
    expect([initiator.links.length, responder.downs.length]).toEqual([0, 0])
    hear()
    expect(nodes.pump.run(4_000, () => areLinked(nodes))).toBe(true)
    expect([initiator.ups.length, responder.ups.length]).toEqual([1, 1])
  })

  test('once had is not given again: HS3 is a replay from then on', () => {
    const { nodes, responder, initiator, hs3, hear } = unconfirmed()
    hear()
    nodes.pump.run(2_000)
    const sent = nodes.pump.captured.length
    const before = responder.layer.stats().interfaces.get('udp')!.refused.replay
    for (let n = 0; n < 10; n++) nodes.pump.inject(responder, 'udp', hs3, initiator.name)
    expect(responder.layer.stats().interfaces.get('udp')!.refused.replay).toBe(before + 10)
    expect(nodes.pump.captured.length).toBe(sent)
  })
})
