import { compareBytes, equalBytes } from '@nexus/codec'
import { seededRandom } from '@nexus/crypto/testing'
import { describe, expect, test } from 'vitest'
import { CLOSE, DEFAULT_LIMITS, FRAME, MESSAGE } from '../src/index.ts'
import { LinkPump } from '../src/testing.ts'
import { areLinked, byNodeId, identityOf, linkedPair, optionsOf, pair, RADIO, SMALL, TCP, UDP } from './kit.ts'

function framesOf(pump: LinkPump, kind: number, from?: string) {
  return pump.captured.filter((frame) => frame.bytes[0] === kind && (from === undefined || frame.from === from))
}

describe('who starts', () => {
  test('the lower NodeID, on the first beacon: one handshake, no glare', () => {
    for (const facts of [UDP, TCP, RADIO]) {
      const nodes = pair(facts)
      nodes.pump.run(60_000, () => areLinked(nodes))
      const [lower] = byNodeId('a', 'b')
      expect(framesOf(nodes.pump, FRAME.hs1).map(({ from }) => from)).toEqual([lower])
      expect(framesOf(nodes.pump, FRAME.hs2)).toHaveLength(1)
    }
  })

  test('within two seconds after both are there, on media that carry it', () => {
    for (const facts of [UDP, TCP]) {
      const nodes = pair(facts, 1, { delayMsMin: 50 })
      expect(nodes.pump.run(2_000, () => areLinked(nodes))).toBe(true)
    }
  })

  test('the higher one after two beacon intervals, where the lower one does not', () => {
    const pump = new LinkPump(seededRandom(1))
    pump.addMedium(UDP)
    const [lowName, highName] = byNodeId('a', 'b')
    const lower = pump.addNode(lowName!, optionsOf(lowName!, 1))
    const higher = pump.addNode(highName!, optionsOf(highName!, 1))
    for (const node of [lower, higher]) pump.attach(node, 'udp')
    // The lower one never hears a beacon.
    const receive = lower.layer.receive.bind(lower.layer)
    lower.layer.receive = (nowMs, interfaceId, frame, from) => {
      if (frame[0] !== FRAME.hello) receive(nowMs, interfaceId, frame, from)
    }
    expect(pump.run(15_000, () => higher.links.length > 0)).toBe(false)
    expect(pump.run(30_000, () => higher.links.length > 0 && lower.links.length > 0)).toBe(true)
  })
})

describe('glare', () => {
  test.each([UDP, TCP, RADIO])('both start at once on $id: one link, the same for both, of the lower e', (facts) => {
    for (let seed = 0; seed < 20; seed++) {
      const pump = new LinkPump(seededRandom(seed))
      pump.addMedium(facts, { delayMsMin: 5, delayMsMax: 5 + (seed % 3) * 200, lossShare: seed % 2 === 0 ? 0 : 0.2 })
      const a = pump.addNode('a', optionsOf('a', seed))
      const b = pump.addNode('b', optionsOf('b', seed))
      pump.attach(a, facts.id)
      pump.attach(b, facts.id)
      a.layer.dial(0, facts.id, facts.addressed ? { address: 'b' } : { nodeId: identityOf('b').nodeId })
      b.layer.dial(0, facts.id, facts.addressed ? { address: 'a' } : { nodeId: identityOf('a').nodeId })
      const nodes = { pump, a, b }
      expect(
        pump.run(600_000, () => areLinked(nodes)),
        `seed ${seed}`,
      ).toBe(true)
      pump.run(120_000)
      // Loss may take three probes in a row, and the link with them: then a new one follows at once.
      expect(
        pump.run(180_000, () => areLinked(nodes)),
        `seed ${seed}, later`,
      ).toBe(true)
      const asked = framesOf(pump, FRAME.hs1)
      expect(new Set(asked.map(({ from }) => from)).size).toBe(2)
      if (seed % 6 !== 0) continue
      // Without loss and overtaking both handshakes run, and both ends choose the same without trying again.
      const ephemerals = asked.map(({ bytes }) => bytes.slice(11, 43)).toSorted(compareBytes)
      expect(new Set(ephemerals.map(String)).size, `seed ${seed}`).toBe(2)
      const winner = asked.find(({ bytes }) => equalBytes(bytes.slice(11, 43), ephemerals[0]!))!.from
      expect([a.ups.length, b.ups.length]).toEqual([1, 1])
      expect(a.links[0]!.initiator, `seed ${seed}`).toBe(winner === 'a')
    }
  })
})

describe('down and up again', () => {
  test.each([
    { facts: UDP, boundMs: 14_000 },
    { facts: TCP, boundMs: 14_000 },
    { facts: RADIO, boundMs: 60_000 + 55 * 743 },
  ])('a peer that vanished from $facts.id is found by three unanswered probes', ({ facts, boundMs }) => {
    const { pump, a } = linkedPair(facts)
    pump.run(1_000)
    const link = a.links[0]!
    const heardMs = link.lastHeardMs
    pump.removeNode('b')
    expect(pump.run(boundMs, () => a.downs.length > 0)).toBe(true)
    expect(a.downs[0]).toMatchObject({ link, reason: 'silent' })
    expect(pump.nowMs - heardMs).toBeGreaterThanOrEqual(3_000)
    pump.run(600_000)
    expect(a.layer.stats()).toMatchObject({ links: 0, attempts: 0 })
  })

  test('a link that loses a quarter of all frames is not taken for dead, and one that dies is found all the same', () => {
    let downs = 0
    for (let seed = 1; seed <= 4; seed++) {
      const { pump, a, b } = linkedPair(UDP, seed, { lossShare: 0.25 })
      pump.run(6 * 3_600_000)
      downs += a.downs.length
      expect(a.links).toHaveLength(1)
      pump.removeNode('b')
      const before = a.downs.length
      expect(pump.run(30_000, () => a.downs.length > before)).toBe(true)
      expect(b.links.length).toBeLessThanOrEqual(1)
    }
    // One a day and link is met while loss is not known yet; three questions alone would end 70 in this time.
    expect(downs).toBeLessThanOrEqual(2)
  })

  test('a hurried mesh finds a dead peer in a fifth of the time', () => {
    const pump = new LinkPump(seededRandom(1))
    pump.addMedium(UDP)
    const [a, b] = ['a', 'b'].map((name) => pump.addNode(name, optionsOf(name, 1, { pace: 5 })))
    for (const node of [a!, b!]) pump.attach(node, 'udp')
    expect(pump.run(10_000, () => a!.links.length === 1)).toBe(true)
    pump.run(5_000)
    pump.removeNode('b')
    expect(pump.run(2_900, () => a!.downs.length > 0)).toBe(true)
  })

  test('a peer that does not react to messages is found sooner', () => {
    const { pump, a } = linkedPair(UDP)
    pump.run(1_000)
    pump.removeNode('b')
    a.layer.send(pump.nowMs, a.links[0]!, MESSAGE.packet, Uint8Array.of(1))
    expect(pump.run(8_100, () => a.downs.length > 0)).toBe(true)
  })

  test.each([
    { facts: UDP, boundMs: 6_000 },
    { facts: TCP, boundMs: 6_000 },
    { facts: RADIO, boundMs: 180_000 },
  ])('a peer that restarts on $facts.id is linked again within its bound', ({ facts, boundMs }) => {
    for (const name of ['a', 'b']) {
      const { pump, a, b } = linkedPair(facts)
      // Just after a round of idle probes: only the beacon of the one that restarted tells.
      pump.run(32_000)
      const stays = name === 'a' ? b : a
      const back = pump.addNode(name, optionsOf(name, 'second life'))
      pump.attach(back, facts.id)
      const again = () => back.links.length === 1 && stays.links.length === 1 && stays.ups.length === 2
      expect(pump.run(boundMs, again), name).toBe(true)
      expect(stays.downs).toHaveLength(1)
      stays.layer.send(pump.nowMs, stays.links[0]!, MESSAGE.packet, Uint8Array.of(5))
      pump.run(5_000)
      expect(back.messages.map(({ body }) => [...body])).toEqual([[5]])
    }
  })

  test('an interface that comes back: configured peers at once, whatever was waited for', () => {
    const { pump, a, b } = linkedPair(UDP)
    a.layer.dial(pump.nowMs, 'udp', { address: 'b' })
    pump.detach(a, 'udp')
    expect(a.downs.map(({ reason }) => reason)).toEqual(['interface-down'])
    pump.run(300_000)
    pump.attach(a, 'udp')
    expect(pump.run(2_000, () => a.links.length === 1 && b.links.length === 1)).toBe(true)
  })

  test('close tells the peer why; a configured peer is dialled again unless forgotten', () => {
    const { pump, a, b } = linkedPair(UDP)
    a.layer.dial(pump.nowMs, 'udp', { address: 'b' })
    pump.run(100)
    a.layer.close(pump.nowMs, a.links[0]!, CLOSE.leaving)
    pump.run(100)
    expect(a.downs.map(({ reason }) => reason)).toEqual(['closed'])
    expect(b.downs).toMatchObject([{ reason: 'peer-closed', code: CLOSE.leaving }])
    expect(pump.run(3_000, () => a.links.length === 1)).toBe(true)
    expect(a.layer.forget('udp', { address: 'b' })).toBe(true)
    expect(a.layer.forget('udp', { address: 'b' })).toBe(false)
    expect(a.layer.stats().dials).toBe(0)
  })

  test('a port may close, dial and send while it is called', () => {
    const { pump, a, b } = pair(UDP)
    b.onMessage = (link) => {
      b.layer.send(pump.nowMs, link, MESSAGE.packet, Uint8Array.of(2))
      b.layer.dial(pump.nowMs, 'udp', { address: 'a' })
      b.layer.close(pump.nowMs, link)
      expect(() => b.layer.receive(pump.nowMs, 'udp', new Uint8Array(1))).toThrow(TypeError)
      expect(() => b.layer.tick(pump.nowMs)).toThrow(TypeError)
    }
    pump.run(2_000, () => a.links.length === 1)
    a.layer.send(pump.nowMs, a.links[0]!, MESSAGE.packet, Uint8Array.of(1))
    pump.run(100)
    expect(a.messages.map(({ body }) => [...body])).toEqual([[2]])
    expect(a.downs.map(({ reason }) => reason)).toEqual(['peer-closed'])
    expect(pump.run(5_000, () => b.links.length === 1)).toBe(true)
  })
})

describe('moving', () => {
  test('a peer whose address changes is followed by authentic frames alone, and by the newest', () => {
    const { pump, a, b } = linkedPair(UDP)
    const frames: Uint8Array[] = []
    pump.setFaults('udp', { lossShare: 1 })
    for (let n = 0; n < 3; n++) {
      a.layer.send(pump.nowMs, a.links[0]!, MESSAGE.packet, Uint8Array.of(n))
      frames.push(pump.captured.at(-1)!.bytes)
    }
    const forged = frames[2]!.slice()
    forged[12]! ^= 1
    pump.inject(b, 'udp', forged, 'evil')
    expect(b.links[0]!.address).toBe('a')
    pump.inject(b, 'udp', frames[1]!, 'cafe')
    expect(b.links[0]!.address).toBe('cafe')
    pump.inject(b, 'udp', frames[0]!, 'a')
    expect(b.links[0]!.address).toBe('cafe')
    pump.inject(b, 'udp', frames[1]!, 'evil')
    expect(b.links[0]!.address).toBe('cafe')
    pump.inject(b, 'udp', frames[2]!, 'home')
    expect(b.links[0]!.address).toBe('home')
    expect(b.messages).toHaveLength(3)
  })
})

describe('dialling', () => {
  test('goes on for ever, ever more slowly, up to a quarter of a minute', () => {
    const pump = new LinkPump(seededRandom(1))
    pump.addMedium(UDP)
    const a = pump.addNode('a', optionsOf('a', 1))
    pump.attach(a, 'udp')
    a.layer.dial(0, 'udp', { address: 'nobody' })
    pump.run(3_600_000)
    const perMinute = framesOf(pump, FRAME.hs1).length / 60
    expect(perMinute).toBeGreaterThan(4)
    expect(perMinute).toBeLessThan(11)
    const nobody = pump.addNode('nobody', optionsOf('nobody', 1))
    pump.attach(nobody, 'udp')
    expect(pump.run(95_000, () => a.links.length === 1)).toBe(true)
  })

  test('needs to be told whom where there are many', () => {
    const pump = new LinkPump(seededRandom(1))
    for (const facts of [UDP, RADIO, TCP]) pump.addMedium(facts)
    const a = pump.addNode('a', optionsOf('a', 1))
    for (const facts of [UDP, RADIO, TCP]) pump.attach(a, facts.id)
    expect(() => a.layer.dial(0, 'udp', {})).toThrow(TypeError)
    expect(() => a.layer.dial(0, 'radio', { address: 'x' })).toThrow(TypeError)
    expect(a.layer.dial(0, 'tcp', {})).toBe(true)
  })

  test('an address whose node is linked already under another is satisfied by one link', () => {
    const { pump, a, b } = linkedPair(UDP)
    a.layer.dial(pump.nowMs, 'udp', { nodeId: identityOf('b').nodeId })
    a.layer.dial(pump.nowMs, 'udp', { address: 'b' })
    pump.run(300_000)
    expect([a.ups.length, b.ups.length]).toEqual([1, 1])
  })
})

describe('limits, filled', () => {
  test('links: further handshakes are refused on both sides, and let in when one has gone', () => {
    const pump = new LinkPump(seededRandom(1))
    pump.addMedium(UDP)
    const hub = pump.addNode('hub', optionsOf('hub', 1, { limits: { links: 10 } }))
    pump.attach(hub, 'udp')
    const leaves = Array.from({ length: 14 }, (_, n) => {
      const leaf = pump.addNode(`leaf ${n}`, optionsOf(`leaf ${n}`, 1, { limits: { links: 1 } }))
      pump.attach(leaf, 'udp')
      leaf.layer.dial(0, 'udp', { address: 'hub' })
      return leaf
    })
    pump.run(30_000)
    expect(hub.links).toHaveLength(10)
    expect(leaves.filter((leaf) => leaf.links.length === 1).length).toBeGreaterThanOrEqual(10)
    expect(hub.layer.stats().interfaces.get('udp')!.refused.flood).toBeGreaterThan(0)
  })

  test('interfaces and dials', () => {
    const pump = new LinkPump(seededRandom(1))
    const a = pump.addNode('a', optionsOf('a', 1, { limits: { interfaces: 3, dials: 5 } }))
    for (let n = 0; n < 4; n++) pump.addMedium({ ...TCP, id: `tcp ${n}` })
    for (let n = 0; n < 3; n++) a.layer.interfaceUp(0, { ...TCP, id: `tcp ${n}` })
    expect(() => a.layer.interfaceUp(0, { ...TCP, id: 'tcp 3' })).toThrow(RangeError)
    expect(() => a.layer.interfaceUp(0, { ...TCP, id: 'tcp 2' })).toThrow(TypeError)
    for (let n = 0; n < 5; n++) expect(a.layer.dial(0, 'later', { address: `${n}` })).toBe(true)
    expect(a.layer.dial(0, 'later', { address: '4' })).toBe(true)
    expect(a.layer.dial(0, 'later', { address: '5' })).toBe(false)
    expect(DEFAULT_LIMITS.dials).toBeGreaterThan(5)
    a.layer.interfaceDown(0, 'tcp 0')
    a.layer.interfaceDown(0, 'never was')
    a.layer.interfaceUp(0, { ...TCP, id: 'tcp 3' })
  })

  test('misuse of send is refused; a dead link takes nothing', () => {
    const { pump, a } = linkedPair(UDP)
    const link = a.links[0]!
    expect(link.payloadBytesMax).toBe(1_400 - 7 - 16 - 1)
    expect(a.layer.send(pump.nowMs, link, MESSAGE.packet, new Uint8Array(link.payloadBytesMax))).toBe(true)
    expect(() => a.layer.send(pump.nowMs, link, MESSAGE.packet, new Uint8Array(link.payloadBytesMax + 1))).toThrow(
      RangeError,
    )
    for (const type of [MESSAGE.probe, MESSAGE.rekey, MESSAGE.close, 0, 9, 128]) {
      expect(() => a.layer.send(pump.nowMs, link, type, new Uint8Array(1))).toThrow(TypeError)
    }
    a.layer.close(pump.nowMs, link)
    a.layer.close(pump.nowMs, link)
    expect(a.downs).toHaveLength(1)
    expect(a.layer.send(pump.nowMs, link, MESSAGE.packet, new Uint8Array(1))).toBe(false)
  })
})

describe('what a link knows', () => {
  test('round trip and clock offset', () => {
    const { pump, a, b } = linkedPair(UDP, 1, { delayMsMin: 40, delayMsMax: 40 })
    pump.run(60_000)
    for (const node of [a, b]) {
      expect(node.links[0]!.rttMs).toBeGreaterThan(79)
      expect(node.links[0]!.rttMs).toBeLessThan(82)
      expect(Math.abs(node.links[0]!.clockOffsetMs)).toBeLessThan(42)
    }
  })

  test('both ends name a frame alike', () => {
    const { pump, a, b } = linkedPair(UDP)
    const marks: [string, number][] = []
    b.onMessage = ({ received }) => marks.push([String(received.handshakeHash), received.counter])
    const sent: [string, number][] = []
    for (let n = 0; n < 10; n++) {
      const link = a.links[0]!
      a.layer.send(pump.nowMs, link, MESSAGE.packet, Uint8Array.of(n))
      sent.push([String(link.sent.handshakeHash), link.sent.counter])
      pump.run(10)
    }
    expect(marks).toEqual(sent)
    expect(a.links[0]!.handshakeHash).toEqual(b.links[0]!.handshakeHash)
  })

  test('the control bytes of a quiet hour are few, and fewer where the budget is small', () => {
    const quiet = (facts: typeof UDP, budgetBps?: number) => {
      const { pump, a, b } = linkedPair(facts)
      if (budgetBps !== undefined) {
        for (const node of [a, b]) node.layer.setControlBudget(pump.nowMs, facts.id, budgetBps)
      }
      const before = pump.captured.length
      pump.run(3_600_000)
      expect(a.downs).toEqual([])
      const bytes = pump.captured.slice(before).reduce((sum, frame) => sum + frame.bytes.length, 0)
      const { controlBytesOut } = a.layer.stats().interfaces.get(facts.id)!
      expect(Object.values(controlBytesOut).reduce((sum, part) => sum + part)).toBeGreaterThan(0)
      return (bytes * 8) / 3_600
    }
    expect(quiet(UDP)).toBeLessThan(200)
    expect(quiet(RADIO)).toBeLessThan(RADIO.bitrateBps * 0.01)
    expect(quiet(RADIO, 1)).toBeLessThan(4)
    expect(() => linkedPair(UDP).a.layer.setControlBudget(0, 'udp', 0)).toThrow(RangeError)
  })
})

describe('parts', () => {
  test('a link on a medium of 37 bytes carries full packets', () => {
    const { pump, a, b } = linkedPair(SMALL)
    expect(a.links[0]!.payloadBytesMax).toBe(508 - 5 - 16 - 1)
    const body = seededRandom(1)(484)
    expect(a.layer.send(pump.nowMs, a.links[0]!, MESSAGE.packet, body)).toBe(true)
    pump.run(1_000)
    expect(b.messages.map((message) => message.body)).toEqual([body])
    expect(pump.captured.every(({ bytes }) => bytes.length <= 37)).toBe(true)
  })

  test('an interruptible frame leaves room between its parts', () => {
    const { pump, a, b } = linkedPair(RADIO)
    pump.captured.length = 0
    const link = a.links[0]!
    let left = a.layer.sendInterruptible(pump.nowMs, link, MESSAGE.packet, new Uint8Array(400).fill(1))
    expect(left).toBeGreaterThan(2)
    expect(() => a.layer.sendInterruptible(pump.nowMs, link, MESSAGE.packet, new Uint8Array(1))).toThrow(TypeError)
    pump.run(160)
    a.layer.send(pump.nowMs, link, MESSAGE.packet, new Uint8Array(10).fill(2))
    while (left > 0) {
      pump.run(160)
      left = a.layer.sendNextPart(pump.nowMs, link)
    }
    expect(a.layer.sendNextPart(pump.nowMs, link)).toBe(0)
    pump.run(1_000)
    expect(b.messages.map(({ body }) => [body[0], body.length])).toEqual([
      [2, 10],
      [1, 400],
    ])
    for (const { bytes } of framesOf(pump, FRAME.part)) {
      expect((bytes.length * 8_000) / RADIO.bitrateBps).toBeLessThanOrEqual(150)
    }
    expect(a.layer.sendInterruptible(pump.nowMs, link, MESSAGE.packet, new Uint8Array(10))).toBe(0)
  })
})

describe('padding', () => {
  test('on radio a frame shows its length in steps of 32 only', () => {
    const { pump, a, b } = linkedPair(RADIO)
    pump.run(5_000)
    const lengths: number[] = []
    const sizes = [0, 1, 30, 31, 32, 62, 63, 64, 484, 485, 486]
    for (const size of sizes) {
      expect(a.layer.send(pump.nowMs, a.links[0]!, MESSAGE.packet, new Uint8Array(size).fill(0xff))).toBe(true)
      lengths.push(pump.captured.at(-1)!.bytes.length - 21)
      pump.run(2_000)
    }
    expect(b.messages.map(({ body }) => body.length)).toEqual(sizes)
    expect(lengths).toEqual([32, 32, 32, 32, 64, 64, 64, 96, 487, 487, 487])
  })
})
