import { fuzzCases, fuzzDecoder, mutatedInput, seededChoice } from '@nexus/codec/testing'
import { describe, expect, test } from 'vitest'
import { AccessCode } from '../src/access-code.ts'
import { announceSignedBytes, decodeAnnounce } from '../src/announce.ts'
import { bz2Decompress } from '../src/bz2-decode.ts'
import { bz2Compress } from '../src/bz2-encode.ts'
import { decodeEnvelope, decodeStreamMessage, encodeEnvelope, encodeStreamMessage } from '../src/channel-codec.ts'
import { ReticulumError } from '../src/errors.ts'
import { decodeLinkProof, decodeLinkRequest, decodeRoundTrip, decodeSignalling } from '../src/link-codec.ts'
import { packLxmf, readLxmfAppData, unpackLxmf } from '../src/lxmf-message.ts'
import { decodeMsgPack } from '../src/msgpack.ts'
import { decodePacket, encodePacket } from '../src/packet.ts'
import { decodeRequest, decodeResponse } from '../src/request-codec.ts'
import {
  decodeAdvertisement,
  decodeHashmapUpdate,
  decodePartRequest,
  encodePartRequest,
  splitMetadata,
} from '../src/resource-codec.ts'
import { openToken } from '../src/token.ts'
import { type Case, cryptos, hex, vectors } from './kit.ts'
import { World } from './virtual.ts'

const crypto = cryptos[1]!
const cases = fuzzCases(process.env, 5_000)
/** All that the tables of a node may hold is far less; what the collector has not taken yet counts too. */
const MEMORY_BYTES_MAX = 256 * 1024 * 1024
const isTyped = (error: unknown) => error instanceof ReticulumError

const packets = (vectors('packet').cases as Case[]).map(({ raw }) => hex(raw))
const announces = (vectors('announce').cases as Case[]).map(({ raw }) => hex(raw))
const linkSteps = (vectors('link').transcripts as Case[]).flatMap(({ steps }) => steps as Case[])
const resourceSteps = (vectors('resource').transfers as Case[]).flatMap(({ steps }) => steps as Case[])
const requestSteps = (vectors('request').cases as Case[]).flatMap(({ steps }) => steps as Case[])
const plaintexts = (context: string) =>
  [...linkSteps, ...resourceSteps, ...requestSteps]
    .filter((step) => step.context === context && step.plaintext)
    .map((step) => hex(step.plaintext))
const dataOf = (context: string, type: string) =>
  linkSteps.filter((step) => step.context === context && step.packet_type === type).map((step) => hex(step.data))
const identity = new World().identity()
const message = packLxmf(crypto, { identity, hash: identity.hash }, identity.hash, {
  timestamp: 1,
  title: hex('01'),
  content: hex('0203'),
  fields: new Map([[1, 'x']]),
})

const targets: [string, (bytes: Uint8Array) => unknown, readonly Uint8Array[], ((value: never) => Uint8Array)?][] = [
  ['packet', decodePacket, packets, (value) => encodePacket(value)],
  ['announce', (bytes) => announceSignedBytes(decodeAnnounce(decodePacket(bytes))), announces],
  ['msgpack', decodeMsgPack, [...plaintexts('REQUEST'), ...plaintexts('RESPONSE'), ...plaintexts('RESOURCE_ADV')]],
  [
    'bz2',
    (bytes) => bz2Decompress(bytes, 65_536),
    [0, 1, 300, 9_000].map((n) => bz2Compress(packets.at(-1)!.slice(0, n))),
  ],
  ['signalling', decodeSignalling, dataOf('NONE', 'LINKREQUEST').map((data) => data.slice(64))],
  ['link request', decodeLinkRequest, dataOf('NONE', 'LINKREQUEST')],
  ['link proof', decodeLinkProof, dataOf('LRPROOF', 'PROOF')],
  ['round trip', decodeRoundTrip, plaintexts('LRRTT')],
  ['envelope', decodeEnvelope, plaintexts('CHANNEL'), (value) => encodeEnvelope(value)],
  ['stream message', decodeStreamMessage, [hex('000073686f7274'), hex('8001')], (value) => encodeStreamMessage(value)],
  ['request', decodeRequest, plaintexts('REQUEST')],
  ['response', decodeResponse, plaintexts('RESPONSE')],
  ['advertisement', decodeAdvertisement, plaintexts('RESOURCE_ADV')],
  ['part request', decodePartRequest, plaintexts('RESOURCE_REQ'), (value) => encodePartRequest(value)],
  ['hashmap update', decodeHashmapUpdate, plaintexts('RESOURCE_HMU')],
  ['metadata', splitMetadata, [hex('00000401a16101ff'), hex('000001c0')]],
  ['LXMF message', (bytes) => unpackLxmf(crypto, bytes), [message]],
  ['LXMF app data', readLxmfAppData, [hex('92c4036f6e65c0'), hex('6f6c64')]],
]

describe('decoders give a value or their error for any bytes', () => {
  test.each(targets)('%s', (_, decode, corpus, encode) => {
    expect(corpus.length).toBeGreaterThan(0)
    const outcome = fuzzDecoder({
      decode,
      corpus,
      isTyped,
      cases,
      seed: 0x5e71,
      ...(encode === undefined ? {} : { encode: (value: never) => encode(value) }),
    })
    expect(outcome.accepted).toBeGreaterThan(0)
  })

  test('tokens and access codes are opened, or not', () => {
    const key = new Uint8Array(64).fill(7)
    const code = new AccessCode(crypto, { networkName: 'mesh', sizeBytes: 8 })
    const random = seededChoice(3)
    const corpus = packets.map((packet) => code.protect(packet))
    for (let n = 0; n < cases / 5; n++) {
      const bytes = mutatedInput(corpus, random)
      openToken(crypto, key, bytes)
      code.open(bytes)
    }
  })
})

describe('a node under fire', () => {
  test('mutated frames of every kind leave it serving, and its tables within their limits', async () => {
    const world = new World(1)
    const node = world.transportNode()
    const served = node.serve(world.identity(), 'fuzz.target', { resources: 'all' })
    served.onRequest('/echo', ({ data }) => data)
    const friend = world.node()
    world.wire(node, friend)
    const link = await world.until(friend.connect(await world.until(friend.resolve(served.hash))))
    const hostile = node.attach({ name: 'hostile', bitrateBps: 1e7, mtuBytes: 8_192, send: () => true })
    const corpus = [...packets, ...announces, ...aimed(served.hash, link.id, node.relay!.id)]
    const random = seededChoice(0xfeed)
    const beforeBytes = process.memoryUsage().rss
    for (let n = 0; n < cases * 2; n++) {
      node.receive(hostile, mutatedInput(corpus, random))
      if (n % 512 === 0) await world.pass(200)
    }
    expect(hostile.counts.framesIn).toBe(cases * 2)
    expect(await world.until(link.request('/echo', 'still here'))).toBe('still here')
    expect(await world.until(friend.send(await friend.resolve(served.hash), hex('00')).proved)).toBeTypeOf('number')
    expect(node.known.size).toBeLessThan(announces.length + 10)
    expect(process.memoryUsage().rss - beforeBytes).toBeLessThan(MEMORY_BYTES_MAX)
  })
})

/** Frames of the vectors, addressed to what the node has. */
function aimed(destination: Uint8Array, link: Uint8Array, relay: Uint8Array): Uint8Array[] {
  const readdressed = (raw: string, to: Uint8Array) => {
    const packet = decodePacket(hex(raw))
    const transportId = packet.transportId === undefined ? undefined : relay
    return encodePacket({ ...packet, transportId, destination: to })
  }
  const steps = [...linkSteps, ...resourceSteps, ...requestSteps].filter(({ raw }) => raw.length < 1_200)
  return [
    ...steps.map(({ raw }) => readdressed(raw, link)),
    ...steps.map(({ raw }) => readdressed(raw, destination)),
    ...(vectors('transport').cases as Case[]).flatMap((c) =>
      (c.steps as Case[]).filter((s) => s.raw).map((s) => hex(s.raw)),
    ),
  ]
}
