import { concatBytes } from '@nexus/codec'
import { describe, expect, test, vi } from 'vitest'
import { announcePacket, announceRandomHash } from '../src/announce.ts'
import { hkdf } from '../src/crypto.ts'
import type { Destination } from '../src/destination.ts'
import {
  decodeLinkProof,
  decodeLinkRequest,
  encodeLinkRequest,
  encodeRoundTrip,
  LINK_MODE,
  linkIdOf,
  makeLinkProof,
} from '../src/link-codec.ts'
import { destinationHash, nameHash } from '../src/name.ts'
import { CONTEXT, DESTINATION_TYPE, decodePacket, encodePacket, PACKET_TYPE } from '../src/packet.ts'
import { makeProof } from '../src/proof.ts'
import { encodeRequest, pathHash } from '../src/request-codec.ts'
import { REQUESTS_MAX } from '../src/requests.ts'
import { encodeAdvertisement, mapHash, resourceHash } from '../src/resource-codec.ts'
import { sealToken } from '../src/token.ts'
import { cryptos } from './kit.ts'
import { World } from './virtual.ts'

const crypto = cryptos[1]!
const MTU_BYTES = 8_192

/** A node with one neighbour, whose packets are made by hand. */
function stage() {
  const world = new World(11)
  const node = world.node()
  const sent: Uint8Array[] = []
  const settings = { name: 'hostile', bitrateBps: 10_000_000, mtuBytes: MTU_BYTES }
  const iface = node.attach({ ...settings, send: (frame) => sent.push(frame.slice()) > 0 })
  const give = (type: number, packetType: number, destination: Uint8Array, context: number, data: Uint8Array) =>
    node.receive(iface, encodePacket({ destinationType: type, packetType, hops: 0, destination, context, data }))
  return { world, node, iface, sent, give }
}

type Stage = ReturnType<typeof stage>

/** Opens a link to `destination` by hand, with these claims; undefined where the request is not answered. */
function openLink({ world, sent, give }: Stage, destination: Destination, mtuBytes = MTU_BYTES, roundTripMs = 1) {
  const secret = world.random(32)
  const { single, link } = DESTINATION_TYPE
  const data = encodeLinkRequest({
    encryptionKey: crypto.x25519PublicKey(secret),
    signingKey: crypto.ed25519PublicKey(world.random(32)),
    mtuBytes,
    mode: LINK_MODE,
  })
  const fields = { destinationType: single, packetType: PACKET_TYPE.linkRequest, hops: 0, context: CONTEXT.none, data }
  const id = linkIdOf(crypto, encodePacket({ ...fields, destination: destination.hash }))
  sent.length = 0
  give(single, PACKET_TYPE.linkRequest, destination.hash, CONTEXT.none, data)
  if (sent[0] === undefined) return undefined
  const shared = crypto.x25519(secret, decodeLinkProof(decodePacket(sent[0]).data).encryptionKey)
  const key = hkdf(crypto, 64, shared as Uint8Array, id)
  const clear = (context: number, bytes: Uint8Array) => give(link, PACKET_TYPE.data, id, context, bytes)
  const sealed = (context: number, bytes: Uint8Array) => clear(context, sealToken(crypto, key, bytes, world.random))
  sealed(CONTEXT.linkRoundTrip, encodeRoundTrip(roundTripMs))
  return { clear, sealed }
}

describe('the MTU of a link', () => {
  test.each([0, 36, 84, 499])('asked for with %i bytes, it is not answered', (mtuBytes) => {
    const at = stage()
    const destination = at.node.serve(at.world.identity(), 'test.hostile')
    expect(openLink(at, destination, mtuBytes)).toBeUndefined()
    expect(openLink(at, destination, 500)).toBeDefined()
    expect([...at.node.links].map((link) => link.mtuBytes)).toEqual([500])
  })

  test.each([
    [499, false],
    [500, true],
    [MTU_BYTES, true],
    [MTU_BYTES + 1, false],
  ])('answered with %i bytes, is it taken: %s', async (mtuBytes, isTaken) => {
    const { world, node, iface, sent, give } = stage()
    const identity = world.identity()
    const name = nameHash(crypto, 'test.hostile')
    const hash = destinationHash(crypto, name, identity.hash)
    const randomHash = announceRandomHash(world.random(5), 1_767_225_600)
    node.receive(iface, encodePacket(announcePacket(identity, { destination: hash, nameHash: name, randomHash }, 0)))
    const link = node.connect({ hash, identity }).then(
      () => true,
      (error: Error) => error.message,
    )
    const request = sent.at(-1) as Uint8Array
    expect(decodeLinkRequest(decodePacket(request).data).mtuBytes).toBe(MTU_BYTES)
    const id = linkIdOf(crypto, request)
    const key = crypto.x25519PublicKey(world.random(32))
    const proof = makeLinkProof(identity, id, key, { mtuBytes, mode: LINK_MODE })
    give(DESTINATION_TYPE.link, PACKET_TYPE.proof, id, CONTEXT.linkRequestProof, proof)
    expect(await link).toBe(isTaken ? true : `a link proof: MTU ${mtuBytes}`)
  })
})

test('parts that are longer than their transfer end it', () => {
  const at = stage()
  const destination = at.node.serve(at.world.identity(), 'test.hostile', { resources: 'all' })
  const peer = openLink(at, destination)!
  const randomHash = at.world.random(4)
  const parts = Array.from({ length: 8 }, () => at.world.random(8_000))
  const hash = at.world.random(32)
  const offer = { hash, randomHash, originalHash: hash, parts: 8, segmentIndex: 1, segments: 1, requestId: undefined }
  const flags = { encrypted: true, compressed: false, split: false, isRequest: false, isResponse: false }
  const hashmap = concatBytes(...parts.map((part) => mapHash(crypto, part, randomHash)))
  const sizes = { transferBytes: 8_000, totalBytes: 8_000, hasMetadata: false }
  peer.sealed(CONTEXT.resourceAdvertisement, encodeAdvertisement({ ...offer, ...flags, ...sizes, hashmap }))
  const contexts = () => at.sent.map((packet) => decodePacket(packet).context)
  peer.clear(CONTEXT.resource, parts[0] as Uint8Array)
  expect(contexts()).not.toContain(CONTEXT.resourceCancelledByReceiver)
  peer.clear(CONTEXT.resource, parts[1] as Uint8Array)
  expect(contexts()).toContain(CONTEXT.resourceCancelledByReceiver)
})

test('a resource of segments without end ends its link', () => {
  const at = stage()
  const destination = at.node.serve(at.world.identity(), 'test.hostile', { resources: 'all' })
  const peer = openLink(at, destination)!
  const originalHash = resourceHash(crypto, Uint8Array.of(0), new Uint8Array(4))
  const flags = { encrypted: false, compressed: false, split: true, isRequest: false, isResponse: false }
  const counts = { transferBytes: 5, totalBytes: 1_000, parts: 1, segments: 1_000, hasMetadata: false }
  let segmentIndex = 1
  for (; segmentIndex < 1_000 && [...at.node.links].length === 1; segmentIndex++) {
    const randomHash = new Uint8Array(4).fill(segmentIndex - 1)
    const part = Uint8Array.of(0, 0, 0, 0, 0)
    const hash = resourceHash(crypto, part.subarray(4), randomHash)
    const names = { hash, randomHash, originalHash, requestId: undefined, hashmap: mapHash(crypto, part, randomHash) }
    peer.sealed(CONTEXT.resourceAdvertisement, encodeAdvertisement({ ...counts, ...flags, ...names, segmentIndex }))
    peer.clear(CONTEXT.resource, part)
  }
  // Two were taken: the one that there is room for, and one that a sender may cut more.
  expect(segmentIndex - 1).toBe(3)
})

test('requests whose answers take long are taken up to a bound, and again once there is room', async () => {
  const at = stage()
  const destination = at.node.serve(at.world.identity(), 'test.hostile')
  const answers: (() => void)[] = []
  destination.onRequest('/slow', () => new Promise((resolve) => answers.push(() => resolve(null))))
  const peer = openLink(at, destination)!
  const ask = (requestedAt: number) =>
    peer.sealed(CONTEXT.request, encodeRequest({ requestedAt, pathHash: pathHash(crypto, '/slow'), data: null }))
  for (let n = 0; n < REQUESTS_MAX + 5; n++) ask(n + 0.5)
  await at.world.pass(1)
  expect(answers).toHaveLength(REQUESTS_MAX)
  answers[0]!()
  await at.world.pass(100)
  ask(9_999.5)
  await at.world.pass(1)
  expect(answers).toHaveLength(REQUESTS_MAX + 1)
})

test('a round-trip time that is claimed without end is not believed', () => {
  const at = stage()
  openLink(at, at.node.serve(at.world.identity(), 'test.hostile'), MTU_BYTES, Number.MAX_VALUE)
  expect([...at.node.links].map((link) => link.roundTripMs)).toEqual([366_000])
})

test('secrets of a link, and of one that never was, are zeroed', async () => {
  const forgotten: Uint8Array[] = []
  const spy = vi.spyOn(crypto, 'forget').mockImplementation((...secrets: readonly Uint8Array[]) => {
    for (const secret of secrets) {
      forgotten.push(secret.slice())
      secret.fill(0)
    }
  })
  try {
    const world = new World(12)
    const [a, b] = [world.node(), world.node()]
    world.wire(a, b)
    const destination = b.serve(world.identity(), 'test.secrets')
    const link = await world.until(world.until(a.resolve(destination.hash)).then((to) => a.connect(to)))
    await world.pass(1_000)
    forgotten.splice(0)
    link.close()
    await world.pass(1_000)
    const [ours, seed, theirs] = forgotten.splice(0)
    expect([ours?.length, seed?.length, theirs]).toEqual([64, 32, ours])
    const to = { hash: new Uint8Array(16), identity: destination.identity }
    await expect(a.connect(to)).rejects.toMatchObject({ detail: { code: 'reticulum/no-path' } })
    expect(forgotten.map((secret) => secret.length)).toEqual([32])
  } finally {
    spy.mockRestore()
  }
})

test.each(['a word', undefined, { code: 7 }])(
  'a link given up for any reason, %o, is refused and not made',
  async (reason) => {
    const world = new World(12)
    const [asking, asked] = [world.node(), world.node()]
    world.wire(asking, asked)
    const destination = asked.serve(world.identity(), 'aborted.test')
    destination.announce()
    await world.pass(3_000)
    const to = await asking.resolve(destination.hash, { timeoutMs: 10_000 })
    const stop = new AbortController()
    const made = asking.connect(to, { signal: stop.signal }).then(
      () => 'made',
      (given: unknown) => given,
    )
    stop.abort(reason)
    expect(await made).toBe(stop.signal.reason)
  },
)

test('the round-trip time is told again though packets are proved: a peer proves them before the link has begun', async () => {
  const { world, node, iface, sent, give } = stage()
  const identity = world.identity()
  const name = nameHash(crypto, 'test.unbegun')
  const hash = destinationHash(crypto, name, identity.hash)
  const randomHash = announceRandomHash(world.random(5), 1_767_225_600)
  node.receive(iface, encodePacket(announcePacket(identity, { destination: hash, nameHash: name, randomHash }, 0)))
  const linked = node.connect({ hash, identity })
  const id = linkIdOf(crypto, sent.at(-1) as Uint8Array)
  const secret = world.random(32)
  const request = decodeLinkRequest(decodePacket(sent.at(-1) as Uint8Array).data)
  const terms = { mtuBytes: MTU_BYTES, mode: LINK_MODE }
  const proof = makeLinkProof(identity, id, crypto.x25519PublicKey(secret), terms)
  give(DESTINATION_TYPE.link, PACKET_TYPE.proof, id, CONTEXT.linkRequestProof, proof)
  const link = await linked
  const { hash: packet, proved } = link.send(Uint8Array.of(1))
  give(DESTINATION_TYPE.link, PACKET_TYPE.proof, id, CONTEXT.none, makeProof(identity, packet, true))
  expect(await proved).toBeTypeOf('number')
  const told = () => sent.filter((frame) => decodePacket(frame).context === CONTEXT.linkRoundTrip).length
  await world.pass(1_000)
  expect(told()).toBe(2)
  const key = hkdf(crypto, 64, crypto.x25519(secret, request.encryptionKey) as Uint8Array, id)
  const answer = sealToken(crypto, key, Uint8Array.of(2), world.random)
  give(DESTINATION_TYPE.link, PACKET_TYPE.data, id, CONTEXT.none, answer)
  await world.pass(20_000)
  expect(told()).toBe(2)
})
