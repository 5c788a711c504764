import { seededRandom } from '@nexus/crypto/testing'
import { createIdentity } from '@nexus/identity'
import type { InterfaceFacts } from '@nexus/transport'
import { describe, expect, test } from 'vitest'
import { FRAME, LinkLayer } from '../src/index.ts'
import { HANDSHAKE_TRIES_MAX, REDIAL_MS_MAX } from '../src/limits.ts'
import { areLinked, byNodeId, crypto, identityOf, optionsOf, pair, RADIO, SMALL, TCP, UDP } from './kit.ts'

/** The lower NodeID starts: the other one is asked, and has an allow-list that can be changed. */
function closedDoor(facts: InterfaceFacts, faults = {}) {
  const [guestName, hostName] = byNodeId('a', 'b') as ['a' | 'b', 'a' | 'b']
  const list = { open: false }
  const nodes = pair(facts, 1, faults, { [hostName]: { admit: () => list.open } })
  const counted = (kind: number) =>
    nodes.pump.captured.filter(({ bytes, from }) => bytes[0] === kind && from === guestName).length
  return { ...nodes, guest: nodes[guestName], host: nodes[hostName], guestName, hostName, list, counted }
}

describe('a peer that is not admitted', () => {
  test.each([UDP, TCP, RADIO, SMALL])('is told so on $id, it alone, and does not go on repeating HS3', (facts) => {
    const { pump, guest, host, guestName, hostName, counted } = closedDoor(facts)
    pump.run(120_000, () => guest.refusals.length > 0)
    const from = facts.addressed ? { from: hostName } : {}
    expect(guest.refusals[0]).toEqual({
      interfaceId: facts.id,
      reason: 'by-peer',
      nodeId: identityOf(hostName).nodeId,
      ...from,
    })
    expect(host.refusals[0]).toMatchObject({ reason: 'not-admitted', nodeId: identityOf(guestName).nodeId })
    expect([guest.ups, guest.downs, host.ups, host.downs]).toEqual([[], [], [], []])
    const hs3 = counted(FRAME.hs3)
    pump.run(900)
    expect(counted(FRAME.hs3)).toBe(hs3)
  })

  test('is linked with at once when the list is opened', () => {
    for (const facts of [UDP, TCP]) {
      const nodes = closedDoor(facts)
      const { pump, host, list } = nodes
      pump.run(100_000)
      list.open = true
      host.layer.admissionChanged(pump.nowMs)
      expect(pump.run(200, () => areLinked(nodes))).toBe(true)
      expect(host.layer.stats().turnedAway).toBe(0)
    }
  })

  test('asks again for ever, with pauses of a quarter of a minute at most', () => {
    const { pump, guest, host, hostName, counted } = closedDoor(UDP)
    guest.layer.dial(pump.nowMs, 'udp', { nodeId: identityOf(hostName).nodeId, address: hostName })
    pump.run(60_000)
    const asked = counted(FRAME.hs1)
    pump.run(600_000)
    const times = counted(FRAME.hs1) - asked
    expect(times).toBeGreaterThanOrEqual(Math.floor(600_000 / (1.1 * REDIAL_MS_MAX)))
    expect(times).toBeLessThanOrEqual(HANDSHAKE_TRIES_MAX * 60)
    expect(host.layer.stats().turnedAway).toBe(1)
  })

  test('is not told where the answer is lost, and then stops after a few HS3 by itself', () => {
    const { pump, guest, host, counted } = closedDoor(UDP)
    const receive = guest.layer.receive.bind(guest.layer)
    guest.layer.receive = (nowMs, interfaceId, frame, from) => {
      if (frame[0] !== FRAME.dataWide) receive(nowMs, interfaceId, frame, from)
    }
    pump.run(60_000, () => counted(FRAME.hs3) === HANDSHAKE_TRIES_MAX)
    expect(host.refusals).toHaveLength(1)
    pump.run(8_000)
    expect(counted(FRAME.hs3)).toBe(HANDSHAKE_TRIES_MAX)
    expect([guest.ups, guest.refusals]).toEqual([[], []])
  })

  test('costs a place in a table of a fixed size', () => {
    const admit = () => false
    const host = optionsOf('b', 1, { admit, limits: { turnedAway: 3 } })
    const random = seededRandom('guests')
    const wire: Uint8Array[] = []
    const layer = (options: ConstructorParameters<typeof LinkLayer>[0]) => {
      const made = new LinkLayer(options, {
        transmit: (_, frame) => wire.push(frame.slice()) > 0,
        linkUp: () => expect.unreachable(),
        linkDown: () => expect.unreachable(),
        message: () => expect.unreachable(),
        refused: () => undefined,
      })
      made.interfaceUp(0, UDP)
      return made
    }
    const hostLayer = layer(host)
    for (let n = 0; n < 10; n++) {
      const guest = layer({ crypto, identity: createIdentity(crypto, random(32)), random })
      wire.length = 0
      guest.dial(n, 'udp', { nodeId: host.identity.nodeId, address: 'host' })
      for (let turn = 0; turn < 4; turn++) {
        const frames = wire.splice(0)
        for (const frame of frames)
          (turn % 2 === 0 ? hostLayer : guest).receive(n, 'udp', frame, turn % 2 === 0 ? `g${n}` : 'host')
      }
      expect(guest.stats().interfaces.get('udp')!.refused['by-peer']).toBe(1)
      expect(hostLayer.stats().turnedAway).toBe(Math.min(3, n + 1))
    }
    hostLayer.interfaceDown(20, 'udp')
    expect(hostLayer.stats().turnedAway).toBe(0)
  })
})

test('a node without room for another link says so', () => {
  const nodes = pair(UDP, 1, {}, { [byNodeId('a', 'b')[1]!]: { limits: { links: 0 } } })
  const guest = byNodeId('a', 'b')[0] === 'a' ? nodes.a : nodes.b
  nodes.pump.run(60_000, () => guest.refusals.length > 0)
  expect(guest.refusals[0]!.reason).toBe('by-peer')
})
