import { readFileSync } from 'node:fs'
import { fromHex } from '@nexus/codec'
import { fuzzCases, fuzzDecoder } from '@nexus/codec/testing'
import { describe, expect, test } from 'vitest'
import {
  decodeAnnounce,
  decodeExtension,
  decodePacket,
  encodeAnnounce,
  encodeAnnouncePacket,
  encodeExtension,
  encodePacket,
  FramingError,
  packetData,
  packetDestination,
  packetFault,
  packetHash,
  relayAnnounce,
  signAnnounce,
} from '../src/index.ts'
import { cost, crypto, identity } from './fixtures.ts'

const vectors: { readonly cases: readonly { readonly raw: string }[] } = JSON.parse(
  readFileSync(new URL('../../../../conformance-vectors/reticulum/packet.json', import.meta.url), 'utf8'),
)
const announces = [
  signAnnounce(identity, { lamport: 1n, cost }),
  signAnnounce(identity, { lamport: 2n ** 64n - 1n, cost, maxHops: 0, tlvs: [{ type: 1, data: Uint8Array.of(1, 0) }] }),
  signAnnounce(identity, {
    lamport: 9n,
    cost,
    tlvs: [200, 3, 0].map((type) => ({ type, data: new Uint8Array(type) })),
  }),
]
const announcePackets = announces.map((announce) => encodeAnnouncePacket(identity.nodeId, announce))
const isTyped = (error: unknown) => error instanceof FramingError
const cases = fuzzCases(process.env)

describe('decoders give a value or their error for any bytes', () => {
  test('packet', () => {
    const corpus = [...vectors.cases.map(({ raw }) => fromHex(raw)), ...announcePackets]
    const outcome = fuzzDecoder({
      decode: (bytes) => decodePacket(bytes),
      encode: (packet: never) => encodePacket(packet),
      isTyped,
      corpus,
      cases,
      seed: 0xbb67,
    })
    expect(Math.min(outcome.accepted, outcome.refused)).toBeGreaterThan(cases / 20)
  })

  test('announce', () => {
    const corpus = announces.map(encodeAnnounce)
    const outcome = fuzzDecoder({
      decode: decodeAnnounce,
      encode: encodeAnnounce,
      isTyped,
      corpus,
      cases,
      seed: 0x3c6e,
    })
    expect(Math.min(outcome.accepted, outcome.refused)).toBeGreaterThan(cases / 20)
  })

  test('extension', () => {
    const corpus = announces.map((announce) => encodeExtension(announce.extension))
    const outcome = fuzzDecoder({
      decode: decodeExtension,
      encode: encodeExtension,
      isTyped,
      corpus,
      cases,
      seed: 0xa54f,
    })
    expect(Math.min(outcome.accepted, outcome.refused)).toBeGreaterThan(cases / 20)
  })

  test('the forwarding path: what has no fault is read, hashed and relayed without error', () => {
    const scratch = new Uint8Array(484)
    const outcome = fuzzDecoder({
      decode: (bytes) => {
        const fault = packetFault(bytes)
        if (fault !== undefined) throw new FramingError({ code: 'framing/destination' })
        packetHash(crypto, bytes, scratch)
        decodePacket(bytes)
        if ((bytes[0]! & 3) !== 1) return
        const announce = decodeAnnounce(packetData(bytes))
        const relayed = relayAnnounce(bytes, cost)
        if (relayed === undefined) return
        expect(packetDestination(relayed)).toEqual(packetDestination(bytes))
        expect(decodeAnnounce(packetData(relayed)).signature).toEqual(announce.signature)
      },
      isTyped,
      corpus: announcePackets,
      cases,
      seed: 0x510e,
    })
    expect(Math.min(outcome.accepted, outcome.refused)).toBeGreaterThan(cases / 20)
  })
})
