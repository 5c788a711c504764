import { describe, expect, test } from 'vitest'
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

test('a round-trip time that is claimed without end is not believed', () => {
  const at = stage()
  openLink(at, at.node.serve(at.world.identity(), 'test.hostile'), MTU_BYTES, Number.MAX_VALUE)
  expect([...at.node.links].map((link) => link.roundTripMs)).toEqual([366_000])
})
