import { concatBytes, equalBytes } from '@nexus/codec'
import { seededRandom } from '@nexus/crypto/testing'
import type { Identity } from '@nexus/identity'
import { describe, expect, test } from 'vitest'
import {
  DEFAULT_LIMITS,
  encodeCookieFrame,
  encodeHello,
  FRAME,
  LinkLayer,
  MESSAGE,
  type RefusalReason,
} from '../src/index.ts'
import { COOKIES_MAX, HANDSHAKE_TRIES_MAX } from '../src/limits.ts'
import { LinkPump, type PumpNode } from '../src/testing.ts'
import { areLinked, byNodeId, crypto, identityOf, linkedPair, optionsOf, pair, RADIO, SMALL, TCP, UDP } from './kit.ts'

const NETWORK_KEY = new Uint8Array(32).fill(7)

function refusals(node: PumpNode, interfaceId: string): Partial<Record<RefusalReason, number>> {
  const { refused } = node.layer.stats().interfaces.get(interfaceId)!
  return Object.fromEntries(Object.entries(refused).filter(([, count]) => count > 0))
}

function nothingHappened(...nodes: PumpNode[]): void {
  for (const { ups, downs, messages } of nodes) expect([ups, downs, messages]).toEqual([[], [], []])
}

function framesOf(pump: LinkPump, kind: number, from?: string) {
  return pump.captured.filter((frame) => frame.bytes[0] === kind && (from === undefined || frame.from === from))
}

describe('who is refused', () => {
  test('another network key, or none: not answered, counted', () => {
    for (const other of [undefined, new Uint8Array(32).fill(8)]) {
      const b = other === undefined ? {} : { networkKey: other }
      const nodes = pair(TCP, 1, {}, { a: { networkKey: NETWORK_KEY }, b })
      nodes.pump.run(60_000)
      nothingHappened(nodes.a, nodes.b)
      const [, second] = byNodeId('a', 'b').map((name) => (name === 'a' ? nodes.a : nodes.b))
      // HS1 with a psk has another length, so a node without the key does not even find its mac.
      const reason = other === undefined ? 'malformed' : 'network-key'
      expect(Object.keys(refusals(second!, 'tcp'))).toEqual([reason])
      expect(framesOf(nodes.pump, FRAME.hs2)).toEqual([])
    }
  })

  test('another network key on UDP, where all HS1 are equally long', () => {
    const nodes = pair(UDP, 1, {}, { a: { networkKey: NETWORK_KEY } })
    nodes.pump.run(60_000)
    nothingHappened(nodes.a, nodes.b)
    expect(framesOf(nodes.pump, FRAME.hs2)).toEqual([])
  })

  test('the right network key links', () => {
    for (const facts of [UDP, TCP, RADIO, SMALL]) {
      const nodes = pair(facts, 1, {}, { a: { networkKey: NETWORK_KEY }, b: { networkKey: NETWORK_KEY } })
      expect(nodes.pump.run(120_000, () => areLinked(nodes))).toBe(true)
    }
  })

  test.each(['a', 'b'] as const)('a node that %s does not admit', (side) => {
    const asked: Uint8Array[] = []
    const admit = (publicKey: Uint8Array) => {
      asked.push(publicKey)
      return false
    }
    const nodes = pair(UDP, 1, {}, { [side]: { admit } })
    nodes.pump.run(120_000)
    nothingHappened(nodes.a, nodes.b)
    expect(refusals(nodes[side], 'udp')).toEqual({ 'not-admitted': expect.any(Number) })
    const other = side === 'a' ? 'b' : 'a'
    expect(asked.every((key) => equalBytes(key, identityOf(other).publicKey))).toBe(true)
  })

  test.each(['a', 'b'] as const)('%s with a static key that its Ed25519 key does not map to', (side) => {
    const secret = new Uint8Array(32).fill(9)
    const stolen: Identity = {
      ...identityOf('victim'),
      nodeId: identityOf('victim').nodeId,
      publicKey: identityOf('victim').publicKey,
      agreementKey: crypto.x25519PublicKey(secret),
      agreementSecret: secret,
      sign: () => new Uint8Array(64),
      prove: () => new Uint8Array(80),
      agree: (theirs) => crypto.x25519(secret, theirs),
    }
    const nodes = pair(UDP, 1, {}, { [side]: { identity: stolen } })
    nodes.pump.run(120_000)
    const honest = side === 'a' ? nodes.b : nodes.a
    nothingHappened(honest)
    expect(refusals(honest, 'udp')).toEqual({ 'key-mismatch': expect.any(Number) })
  })

  test('a public key that is no point', () => {
    const identity: Identity = { ...copy(identityOf('b')), publicKey: new Uint8Array(32).fill(2) }
    const nodes = pair(UDP, 1, {}, { b: { identity } })
    nodes.pump.run(60_000)
    nothingHappened(nodes.a)
    expect(Object.keys(refusals(nodes.a, 'udp'))).toEqual(['key-mismatch'])
  })

  test('another node than the one dialled, however well it proves to be itself', () => {
    const pump = new LinkPump(seededRandom(1))
    pump.addMedium(UDP)
    const a = pump.addNode('a', optionsOf('a', 1))
    const wrong = pump.addNode('b', optionsOf('mallory', 1))
    for (const node of [a, wrong]) pump.attach(node, 'udp')
    a.layer.dial(pump.nowMs, 'udp', { address: 'b', nodeId: identityOf('b').nodeId })
    pump.run(5)
    expect(framesOf(pump, FRAME.hs1, 'a')).toHaveLength(1)
    // By its tag the dialled HS1 is for b alone; mallory would have to break the rules to answer it.
    expect(framesOf(pump, FRAME.hs2, 'b')).toEqual([])
  })

  test('itself, by its own broadcast or a dial to its own address', () => {
    const pump = new LinkPump(seededRandom(1))
    pump.addMedium(UDP)
    const a = pump.addNode('a', optionsOf('a', 1))
    pump.attach(a, 'udp')
    a.layer.dial(pump.nowMs, 'udp', { address: 'a' })
    for (const { bytes } of [...pump.captured]) pump.inject(a, 'udp', bytes, 'a')
    pump.run(60_000)
    nothingHappened(a)
    expect(refusals(a, 'udp')).toEqual({ self: 1 })
    expect(a.layer.stats()).toMatchObject({ halfOpen: 0 })
  })

  test('a copy of its own seed elsewhere raises the alarm', () => {
    const nodes = pair(UDP, 1, {}, { b: { identity: identityOf('a') } })
    nodes.a.layer.dial(nodes.pump.nowMs, 'udp', { address: 'b' })
    nodes.pump.run(60_000)
    nothingHappened(nodes.a, nodes.b)
    expect(nodes.a.refusals.some(({ reason }) => reason === 'duplicate-identity')).toBe(true)
  })
})

describe('replay', () => {
  test.each([UDP, TCP, RADIO])('every frame of a session on $id, again and again', (facts) => {
    const { pump, a, b } = linkedPair(facts)
    for (let n = 0; n < 20; n++) {
      a.layer.send(pump.nowMs, a.links[0]!, MESSAGE.packet, Uint8Array.of(1, n))
      b.layer.send(pump.nowMs, b.links[0]!, MESSAGE.packet, Uint8Array.of(2, n))
      pump.run(500)
    }
    const links = [a.links[0], b.links[0]]
    const recorded = [...pump.captured]
    for (let round = 0; round < 3; round++) {
      for (const { bytes, from } of recorded) {
        for (const node of [a, b]) pump.inject(node, facts.id, bytes, from)
      }
      pump.run(20_000)
    }
    expect([a.links[0], b.links[0]]).toEqual(links)
    expect([a.downs, b.downs]).toEqual([[], []])
    for (const node of [a, b]) {
      expect(node.messages).toHaveLength(20)
      expect(node.layer.stats().interfaces.get(facts.id)!.refused.replay).toBeGreaterThan(50)
      expect(node.layer.stats()).toMatchObject({ links: 1, halfOpen: 0, attempts: 0 })
    }
  })

  test('to a node that restarted: old handshakes and frames open nothing', () => {
    const { pump, a } = linkedPair(UDP)
    a.layer.send(pump.nowMs, a.links[0]!, MESSAGE.packet, Uint8Array.of(1))
    pump.run(1_000)
    const recorded = [...pump.captured]
    pump.removeNode('a')
    const b = pump.addNode('b', optionsOf('b', 'second life'))
    pump.attach(b, 'udp')
    for (const { bytes, from } of recorded) pump.inject(b, 'udp', bytes, from)
    pump.run(60_000)
    nothingHappened(b)
    expect(b.layer.stats()).toMatchObject({ links: 0, halfOpen: 0 })
  })
})

describe('between the two', () => {
  test('one who answers in the place of another gets no link, and the other still does', () => {
    const pump = new LinkPump(seededRandom(1))
    pump.addMedium(UDP)
    const a = pump.addNode('a', optionsOf('a', 1))
    pump.attach(a, 'udp')
    const b = pump.addNode('b', optionsOf('b', 1))
    const tag = identityOf('b').nodeId
    // Mallory knows b's NodeID and answers to its tag, with its own keys and a copied id.
    const mallory = new LinkLayer(
      { ...optionsOf('mallory', 1), identity: { ...copy(identityOf('mallory')), nodeId: tag } },
      {
        transmit: (_, frame) => {
          pump.inject(a, 'udp', frame, 'b')
          return true
        },
        linkUp: () => expect.unreachable(),
        linkDown: () => expect.unreachable(),
        message: () => expect.unreachable(),
        refused: () => undefined,
      },
    )
    mallory.interfaceUp(0, UDP)
    a.layer.dial(pump.nowMs, 'udp', { address: 'b', nodeId: tag })
    const hs1 = framesOf(pump, FRAME.hs1, 'a')[0]!
    mallory.receive(pump.nowMs, 'udp', hs1.bytes, 'a')
    expect(refusals(a, 'udp')['unexpected-peer']).toBe(1)
    pump.attach(b, 'udp')
    expect(pump.run(5_000, () => a.links.length === 1)).toBe(true)
    expect(a.links[0]!.peer.nodeId).toEqual(tag)
  })

  test('one who changes any byte of any handshake frame wins nothing but a retry', () => {
    const kinds = [FRAME.hs1, FRAME.hs2, FRAME.hs3]
    for (const kind of kinds) {
      const nodes = pair(UDP, kind)
      const { pump, a, b } = nodes
      let changed = 0
      for (const node of [a, b]) {
        const { layer } = node
        const receive = layer.receive.bind(layer)
        layer.receive = (nowMs, interfaceId, frame, from) => {
          if (frame[0] === kind && changed < 5) {
            const bytes = frame.slice()
            const at = 1 + ((changed * 29) % 74)
            bytes[at] = bytes[at]! ^ 0x10
            changed++
            receive(nowMs, interfaceId, bytes, from)
          } else receive(nowMs, interfaceId, frame, from)
        }
      }
      expect(
        pump.run(300_000, () => areLinked(nodes)),
        `kind ${kind}`,
      ).toBe(true)
      expect(changed).toBe(5)
      expect(a.ups.length + b.ups.length).toBe(2)
    }
  })

  test('what is on the medium shows no plaintext and no identity but in beacons', () => {
    const secret = new TextEncoder().encode('the meeting is at dawn')
    for (const facts of [UDP, TCP, RADIO, SMALL]) {
      const { pump, a, b } = linkedPair(facts)
      for (let n = 0; n < 30; n++) {
        a.layer.send(pump.nowMs, a.links[0]!, MESSAGE.packet, concatBytes(secret, secret))
        pump.run(1_000)
      }
      expect(b.messages).toHaveLength(30)
      const frames = pump.captured.filter(({ bytes }) => bytes[0] !== FRAME.hello)
      const medium = Buffer.concat(frames.map(({ bytes }) => bytes))
      expect(medium.includes(Buffer.from(secret.subarray(0, 8)))).toBe(false)
      for (const { publicKey, agreementKey, nodeId } of ['a', 'b'].map(identityOf)) {
        for (const bytes of [publicKey, agreementKey, nodeId]) expect(medium.includes(Buffer.from(bytes))).toBe(false)
      }
    }
  })

  test('forged closes and probes change nothing', () => {
    const { pump, a, b } = linkedPair(UDP)
    const sample = framesOf(pump, FRAME.dataWide, 'a')[0]!.bytes
    for (let n = 0; n < 200; n++) {
      const forged = sample.slice()
      forged[3] = n
      forged[sample.length - 1]! ^= 1 + (n % 255)
      pump.inject(b, 'udp', forged, 'elsewhere')
    }
    expect(b.links[0]!.address).toBe('a')
    expect(b.layer.stats().interfaces.get('udp')!.forged).toBeGreaterThan(100)
    pump.run(60_000)
    expect([a.downs, b.downs]).toEqual([[], []])
  })
})

describe('floods', () => {
  test('HS1 from one address and from many: bounded, cookies asked for, an honest node still gets in', () => {
    const pump = new LinkPump(seededRandom(1))
    pump.addMedium(UDP)
    const victim = pump.addNode('victim', optionsOf('victim', 1))
    pump.attach(victim, 'udp')
    const flood = (n: number, from: string) => {
      const attacker = new LinkLayer(optionsOf(`attacker ${n % 7}`, `${n} ${from}`), {
        transmit: (_, frame) => {
          if (frame[0] === FRAME.hs1) pump.inject(victim, 'udp', frame, from)
          return true
        },
        linkUp: () => expect.unreachable(),
        linkDown: () => expect.unreachable(),
        message: () => expect.unreachable(),
        refused: () => undefined,
      })
      attacker.interfaceUp(pump.nowMs, UDP)
      attacker.dial(pump.nowMs, 'udp', { address: 'victim' })
    }
    for (let n = 0; n < 20; n++) flood(n, 'one place')
    expect(victim.layer.stats().halfOpen).toBe(DEFAULT_LIMITS.halfOpenPerAddress)
    for (let n = 0; n < 300; n++) flood(n, `place ${n}`)
    const { interfaces, halfOpen } = victim.layer.stats()
    expect(halfOpen).toBe(DEFAULT_LIMITS.halfOpenBeforeCookie)
    expect(interfaces.get('udp')!.cookiesDemanded).toBeGreaterThan(280)
    const honest = pump.addNode('honest', optionsOf('honest', 1))
    pump.attach(honest, 'udp')
    honest.layer.dial(pump.nowMs, 'udp', { address: 'victim' })
    expect(pump.run(2_000, () => honest.links.length === 1 && victim.links.length === 1)).toBe(true)
    expect(framesOf(pump, FRAME.cookie, 'victim').some(({ to }) => to === 'honest')).toBe(true)
  })

  test('half-open handshakes with good cookies fill the table and give way in turn', () => {
    const pump = new LinkPump(seededRandom(1))
    pump.addMedium(UDP)
    const victim = pump.addNode('victim', optionsOf('victim', 1, { limits: { halfOpen: 8, halfOpenBeforeCookie: 4 } }))
    pump.attach(victim, 'udp')
    // Each stranger answers a COOKIE, and never an HS2.
    const stranger = (n: number) => {
      const layer = new LinkLayer(optionsOf(`stranger ${n}`, n), {
        transmit: (_, frame) => pump.transmit(`stranger ${n}`, 'udp', frame, 'victim'),
        linkUp: () => expect.unreachable(),
        linkDown: () => expect.unreachable(),
        message: () => expect.unreachable(),
        refused: () => undefined,
      })
      layer.interfaceUp(pump.nowMs, UDP)
      layer.dial(pump.nowMs, 'udp', { address: 'victim' })
      pump.run(2)
      const cookie = framesOf(pump, FRAME.cookie, 'victim').findLast(({ to }) => to === `stranger ${n}`)
      if (cookie !== undefined) layer.receive(pump.nowMs, 'udp', cookie.bytes, 'victim')
      pump.run(2)
    }
    for (let n = 0; n < 12; n++) stranger(n)
    expect(victim.layer.stats().halfOpen).toBe(8)
    expect(refusals(victim, 'udp').flood).toBeGreaterThan(0)
    pump.run(1_100)
    stranger(100)
    expect(victim.layer.stats().halfOpen).toBe(8)
    expect(framesOf(pump, FRAME.hs2, 'victim').some(({ to }) => to === 'stranger 100')).toBe(true)
    pump.run(120_000)
    expect(victim.layer.stats().halfOpen).toBe(0)
  })

  test('a cookie is no good for another address, another e, or after its secret changed twice', () => {
    const pump = new LinkPump(seededRandom(1))
    pump.addMedium(UDP)
    const victim = pump.addNode('victim', optionsOf('victim', 1, { limits: { halfOpenBeforeCookie: 0 } }))
    pump.attach(victim, 'udp')
    let sent: Uint8Array[] = []
    const asker = new LinkLayer(optionsOf('asker', 1), {
      transmit: (_, frame) => sent.push(frame.slice()) > 0,
      linkUp: () => expect.unreachable(),
      linkDown: () => expect.unreachable(),
      message: () => expect.unreachable(),
      refused: () => undefined,
    })
    asker.interfaceUp(0, UDP)
    asker.dial(0, 'udp', { address: 'victim' })
    const first = sent.find((frame) => frame[0] === FRAME.hs1)!
    pump.inject(victim, 'udp', first, 'asker')
    const cookie = framesOf(pump, FRAME.cookie)[0]!.bytes
    sent = []
    asker.receive(1, 'udp', cookie, 'victim')
    const second = sent[0]!
    expect(second.subarray(0, 43)).toEqual(first.subarray(0, 43))
    pump.inject(victim, 'udp', second, 'elsewhere')
    expect(victim.layer.stats().halfOpen).toBe(0)
    pump.run(119_000)
    pump.inject(victim, 'udp', second, 'asker')
    expect(victim.layer.stats().halfOpen).toBe(1)
    pump.run(110_000)
    expect(victim.layer.stats().halfOpen).toBe(0)
    pump.inject(victim, 'udp', second, 'asker')
    expect(victim.layer.stats().halfOpen).toBe(1)
    pump.run(130_000)
    pump.inject(victim, 'udp', second, 'asker')
    expect(victim.layer.stats().halfOpen).toBe(0)
  })

  test('a hundred COOKIEs at once cost one more HS1', () => {
    const pump = new LinkPump(seededRandom(1))
    pump.addMedium(UDP)
    const a = pump.addNode('a', optionsOf('a', 1))
    pump.attach(a, 'udp')
    a.layer.dial(0, 'udp', { address: 'b' })
    const receiverId = new DataView(framesOf(pump, FRAME.hs1)[0]!.bytes.buffer).getUint16(1, true)
    for (let n = 0; n < 100; n++) {
      pump.inject(a, 'udp', encodeCookieFrame({ receiverId, cookie: new Uint8Array(16).fill(n) }), 'anyone')
    }
    expect(framesOf(pump, FRAME.hs1)).toHaveLength(2)
  })

  test('COOKIEs without end do not keep a handshake alive', () => {
    const pump = new LinkPump(seededRandom(1))
    pump.addMedium(UDP)
    const a = pump.addNode('a', optionsOf('a', 1))
    pump.attach(a, 'udp')
    a.layer.dial(0, 'udp', { address: 'b' })
    const idOf = ({ bytes }: { readonly bytes: Uint8Array }) => bytes[1]! | (bytes[2]! << 8)
    const receiverId = idOf(framesOf(pump, FRAME.hs1)[0]!)
    for (let n = 0; n < 600; n++) {
      pump.inject(a, 'udp', encodeCookieFrame({ receiverId, cookie: new Uint8Array(16).fill(n) }), 'anyone')
      pump.run(500)
    }
    const asked = framesOf(pump, FRAME.hs1).filter((frame) => idOf(frame) === receiverId)
    expect(asked.length).toBeGreaterThan(HANDSHAKE_TRIES_MAX)
    expect(asked.length).toBeLessThanOrEqual(HANDSHAKE_TRIES_MAX + COOKIES_MAX)
  })

  test('a medium without addresses answers at most once per 10 full airtimes', () => {
    const { pump, b } = pair(RADIO)
    pump.removeNode('a')
    pump.run(1)
    const airtimeMs = (508 * 8_000) / RADIO.bitrateBps
    for (let n = 0; n < 600; n++) {
      const caller = new LinkLayer(optionsOf(`caller ${n}`, n), {
        transmit: (_, frame) => {
          if (frame[0] === FRAME.hs1) pump.inject(b, 'radio', frame)
          return true
        },
        linkUp: () => expect.unreachable(),
        linkDown: () => expect.unreachable(),
        message: () => expect.unreachable(),
        refused: () => undefined,
      })
      caller.interfaceUp(pump.nowMs, RADIO)
      caller.dial(pump.nowMs, 'radio', { nodeId: identityOf('b').nodeId })
      pump.run(100)
    }
    const answers = framesOf(pump, FRAME.hs2, 'b').map(({ atMs }) => atMs)
    expect(answers.length).toBeGreaterThan(3)
    answers.slice(1).forEach((atMs, n) => {
      expect(atMs - answers[n]!).toBeGreaterThanOrEqual(10 * airtimeMs)
    })
  })

  test('HS1 without end on a medium with one peer: as few half-open as one address may have', () => {
    const pump = new LinkPump(seededRandom(1))
    pump.addMedium(TCP)
    const victim = pump.addNode('victim', optionsOf('victim', 1))
    pump.attach(victim, 'tcp')
    for (let n = 0; n < 100; n++) {
      const caller = new LinkLayer(optionsOf('caller', n), {
        transmit: (_, frame) => {
          if (frame[0] === FRAME.hs1) pump.inject(victim, 'tcp', frame)
          return true
        },
        linkUp: () => expect.unreachable(),
        linkDown: () => expect.unreachable(),
        message: () => expect.unreachable(),
        refused: () => undefined,
      })
      caller.interfaceUp(pump.nowMs, TCP)
      caller.dial(pump.nowMs, 'tcp', {})
      pump.run(100)
    }
    expect(victim.layer.stats().halfOpen).toBe(DEFAULT_LIMITS.halfOpenPerAddress)
    expect(framesOf(pump, FRAME.hs2, 'victim').length).toBeLessThanOrEqual(DEFAULT_LIMITS.halfOpenPerAddress)
  })

  test('beacons that anyone can send leave room for configured peers', () => {
    const pump = new LinkPump(seededRandom(1))
    pump.addMedium(UDP)
    const node = pump.addNode('a', optionsOf('a', 1))
    pump.attach(node, 'udp')
    const random = seededRandom(2)
    const beacon = () => {
      const nodeId = random(16)
      nodeId[0] = 0xff
      return encodeHello({ nodeId, capabilities: 0, costTier: 0, load: 0 })
    }
    for (let n = 0; n < 500; n++) pump.inject(node, 'udp', beacon(), `place ${n}`)
    expect(node.layer.stats().attempts).toBe(DEFAULT_LIMITS.attempts / 2)
    const peer = pump.addNode('b', optionsOf('b', 1, { admit: () => true }))
    pump.attach(peer, 'udp')
    node.layer.dial(pump.nowMs, 'udp', { nodeId: identityOf('b').nodeId, address: 'b' })
    expect(pump.run(500, () => node.links.length === 1)).toBe(true)
  })

  test('beacons of a thousand nodes: bounded neighbours, attempts within the limit', () => {
    const pump = new LinkPump(seededRandom(1))
    pump.addMedium(UDP)
    const node = pump.addNode('a', optionsOf('a', 1))
    pump.attach(node, 'udp')
    const random = seededRandom(2)
    for (let n = 0; n < 1_000; n++) {
      const nodeId = random(16)
      nodeId[0] = 0xff
      pump.inject(node, 'udp', encodeHello({ nodeId, capabilities: 0, costTier: 0, load: 0 }), `far ${n}`)
    }
    expect(node.layer.stats()).toMatchObject({
      attempts: DEFAULT_LIMITS.attempts / 2,
      neighbours: DEFAULT_LIMITS.neighbours,
    })
    pump.run(600_000)
    expect(node.layer.stats().attempts).toBe(0)
  })
})

function copy(identity: Identity): Identity {
  const { nodeId, publicKey, agreementKey, agreementSecret } = identity
  return {
    nodeId,
    publicKey,
    agreementKey,
    agreementSecret,
    sign: (tag, ...parts) => identity.sign(tag, ...parts),
    prove: (alpha) => identity.prove(alpha),
    agree: (theirs) => identity.agree(theirs),
  }
}
