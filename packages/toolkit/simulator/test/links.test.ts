import { concatBytes, encodeUtf8, toHex } from '@nexus/codec'
import { nodeCrypto } from '@nexus/crypto/node'
import { seededRandom } from '@nexus/crypto/testing'
import { createIdentity, type Identity } from '@nexus/identity'
import { FRAME, type RefusalReason } from '@nexus/link'
import { describe, expect, test } from 'vitest'
import { type SimNode, Simulation } from '../src/index.ts'
import { labelOf, leaks, record, secretsOf } from './capture.ts'
import { radioLab } from './lab.ts'

const crypto = await nodeCrypto()

const refused = (node: SimNode, medium: string, reason: RefusalReason): number =>
  node.live.links.stats().interfaces.get(medium)!.refused[reason]
const linkCount = (node: SimNode): number => node.live.links.stats().links
const routesOf = (node: SimNode): number => node.live.routes.router.stats().routes

describe('nodes on a radio and on a wire', () => {
  test('link up, announce and forward for each other, and a listener reads nothing', () => {
    const sim = new Simulation({ seed: 11, crypto })
    const [ada, bridge, cleo] = ['ada', 'bridge', 'cleo'].map((name) =>
      sim.addNode({ label: `label-of-${name}` }, name),
    )
    radioLab(sim, [ada!, bridge!], { dutyCycle: 1 })
    sim.wire(bridge!, cleo!)
    const frames = record(sim)
    sim.start()
    expect(sim.runUntil(() => sim.nodes.every((node) => routesOf(node) === 2), 180_000)).toBeDefined()

    const bodies = [encodeUtf8('the well by the mill is dry'), encodeUtf8('bring the long rope')]
    const there = ada!.send(cleo!, bodies[0]!)
    expect(sim.runUntil(() => ada!.states.get(there)?.state === 'delivered', 60_000)).toBeDefined()
    const back = cleo!.send(ada!, bodies[1]!)
    expect(sim.runUntil(() => cleo!.states.get(back)?.state === 'delivered', 60_000)).toBeDefined()
    expect(cleo!.inbox.map(({ body }) => body)).toEqual([bodies[0]])
    expect(ada!.inbox.map(({ body }) => body)).toEqual([bodies[1]])
    expect(bridge!.inbox).toEqual([])
    expect(bridge!.live.packets.forwarded).toBeGreaterThanOrEqual(4)

    const secrets = secretsOf(sim.nodes)
    for (const [at, body] of bodies.entries()) secrets.set(`body ${at}`, body)
    expect([...frames.keys()].sort()).toEqual(['lora', 'w0'])
    for (const [medium, captured] of frames) {
      const kinds = new Set(captured.map((frame) => frame[0]))
      for (const kind of [FRAME.hello, FRAME.hs1, FRAME.hs2, FRAME.hs3]) expect(kinds, medium).toContain(kind)
      expect(kinds.has(FRAME.dataNarrow) || kinds.has(FRAME.dataWide), medium).toBe(true)
      expect(captured.flatMap((frame) => leaks(frame, secrets))).toEqual([])
    }
  })

  test('a listener would be seen to read what is not hidden', () => {
    const sim = new Simulation({ seed: 12, crypto })
    const node = sim.addNode({}, 'ada')
    const secrets = secretsOf([node])
    const plain = concatBytes(Uint8Array.of(FRAME.dataWide, 0, 0, 1, 0, 0, 0), encodeUtf8(labelOf(node)), node.nodeId)
    expect(leaks(plain, secrets)).toEqual(['ada NodeID', 'ada label'])
    expect(leaks(concatBytes(Uint8Array.of(FRAME.hello), node.nodeId, Uint8Array.of(0, 0, 0, 0)), secrets)).toEqual([])
    expect(leaks(concatBytes(Uint8Array.of(FRAME.hs2, 0, 0, 0, 0), node.identity.publicKey), secrets)).toEqual([
      'ada public key',
    ])
  })
})

describe('who must not be let in', () => {
  const media = ['wire', 'radio'] as const

  function pair(medium: (typeof media)[number], victim: SimNode, other: SimNode, sim: Simulation): string {
    if (medium === 'wire') return sim.wire(victim, other).id
    return radioLab(sim, [victim, other], { dutyCycle: 1 }).id
  }

  test.each(media)('a peer with another network key, or none, on a %s', (medium) => {
    for (const key of [crypto.blake2b(encodeUtf8('wrong passphrase')), undefined]) {
      const sim = new Simulation({ seed: 13, crypto })
      const victim = sim.addNode({ networkKey: crypto.blake2b(encodeUtf8('right passphrase')) }, 'victim')
      const stranger = sim.addNode(key === undefined ? {} : { networkKey: key }, 'stranger')
      const id = pair(medium, victim, stranger, sim)
      sim.start()
      sim.run(120_000)
      expect(linkCount(victim) + linkCount(stranger)).toBe(0)
      const counted = (['network-key', 'malformed'] as const).flatMap((reason) => [
        refused(victim, id, reason),
        refused(stranger, id, reason),
      ])
      expect(Math.max(...counted)).toBeGreaterThan(0)
      expect(routesOf(victim)).toBe(0)
    }
  })

  test.each(media)('an identity that is not listed where admission is closed, on a %s', (medium) => {
    const sim = new Simulation({ seed: 14, crypto })
    const victim = sim.addNode({ admission: 'trusted' }, 'victim')
    const stranger = sim.addNode({}, 'stranger')
    const friend = sim.addNode({}, 'friend')
    const id = pair(medium, victim, stranger, sim)
    sim.wire(victim, friend)
    sim.start()
    victim.live.trust(victim.clockMs, { nodeId: friend.nodeId })
    sim.run(120_000)
    expect(refused(victim, id, 'not-admitted')).toBeGreaterThan(0)
    expect(victim.events.some(({ event }) => event.kind === 'refused')).toBe(true)
    expect([...victim.live.links.links()].map(({ peer }) => toHex(peer.nodeId))).toEqual([friend.id])
    expect(victim.live.routes.router.nextHop(stranger.nodeId)).toBe(-1)
  })

  test.each(media)('a static key that is not that of the identity shown, on a %s', (medium) => {
    const sim = new Simulation({ seed: 15, crypto })
    const victim = sim.addNode({}, 'victim')
    const own = createIdentity(crypto, seededRandom('mallory')(32))
    const claimed = createIdentity(crypto, seededRandom('somebody')(32))
    const forged: Identity = {
      nodeId: claimed.nodeId,
      publicKey: claimed.publicKey,
      agreementKey: own.agreementKey,
      agreementSecret: own.agreementSecret,
      sign: (tag, ...parts) => own.sign(tag, ...parts),
      prove: (alpha) => own.prove(alpha),
      agree: (key) => own.agree(key),
    }
    const mallory = sim.addNode({ identity: forged }, 'mallory')
    const id = pair(medium, victim, mallory, sim)
    sim.start()
    sim.run(120_000)
    expect(refused(victim, id, 'key-mismatch')).toBeGreaterThan(0)
    expect(linkCount(victim)).toBe(0)
    expect(victim.live.routes.router.nextHop(claimed.nodeId)).toBe(-1)
  })

  test.each(media)('who replays a whole conversation, handshake and all, on a %s', (medium) => {
    const sim = new Simulation({ seed: 16, crypto })
    const victim = sim.addNode({ allowStrangerReceipts: true }, 'victim')
    const friend = sim.addNode({ allowStrangerReceipts: true }, 'friend')
    const id = pair(medium, victim, friend, sim)
    const heard: Uint8Array[] = []
    sim.capture = (_medium, from, frame) => {
      if (from === friend) heard.push(frame.slice())
    }
    sim.start()
    expect(sim.runUntil(() => routesOf(friend) === 1 && routesOf(victim) === 1, 60_000)).toBeDefined()
    const handle = friend.send(victim, encodeUtf8('pay 5 to the miller'))
    expect(sim.runUntil(() => friend.states.get(handle)?.state === 'delivered', 60_000)).toBeDefined()
    friend.crash()
    const replayedBefore = refused(victim, id, 'replay')
    const upBefore = victim.events.filter(({ event }) => event.kind === 'link-up').length
    for (const frame of heard) victim.deliver(id, frame)
    sim.run(1_000)
    expect(heard.some((frame) => frame[0] === FRAME.hs1 || frame[0] === FRAME.hs2)).toBe(true)
    expect(refused(victim, id, 'replay')).toBeGreaterThan(replayedBefore)
    expect(victim.events.filter(({ event }) => event.kind === 'link-up')).toHaveLength(upBefore)
    expect(victim.inbox).toHaveLength(1)
    sim.run(300_000)
    expect(linkCount(victim)).toBe(0)
  })
})
