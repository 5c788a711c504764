import { readFileSync } from 'node:fs'
import { fromHex, toHex } from '@nexus/codec'
import { describe, expect, test } from 'vitest'
import { decodePacket, encodePacket, packetHash, writePacketHashRegion } from '../src/index.ts'
import { codeOf, crypto } from './fixtures.ts'

// Packets that Reticulum made or judged: conformance-vectors/reticulum/README.md. Its largest vector has 719 bytes.
const BYTES_MAX = 1_024

interface ReticulumCase {
  readonly name: string
  readonly raw: string
  readonly hops: number
  readonly header_type: number
  readonly context_flag: number
  readonly transport_type: number
  readonly destination_type: number
  readonly packet_type: number
  readonly transport_id: string | null
  readonly destination_hash: string
  readonly context: number
  readonly data: string
  readonly hashable_part: string
  readonly packet_hash: string
}

const file = new URL('../../../../conformance-vectors/reticulum/packet.json', import.meta.url)
const vectors: {
  readonly cases: readonly ReticulumCase[]
  readonly malformed: readonly { readonly name: string; readonly raw: string; readonly unpack: boolean }[]
} = JSON.parse(readFileSync(file, 'utf8'))

describe('packets made by Reticulum', () => {
  test('there are as many as expected', () => {
    expect([vectors.cases.length, vectors.malformed.length]).toEqual([87, 14])
  })

  test.each(vectors.cases)('$name', (vector) => {
    const raw = fromHex(vector.raw)
    const packet = decodePacket(raw, BYTES_MAX)
    expect({
      hops: packet.hops,
      header_type: packet.transportId === undefined ? 0 : 1,
      context_flag: packet.contextFlag ? 1 : 0,
      transport_type: packet.propagation,
      destination_type: packet.destinationType,
      packet_type: packet.type,
      transport_id: packet.transportId === undefined ? null : toHex(packet.transportId),
      destination_hash: toHex(packet.destination),
      context: packet.context,
      data: toHex(packet.data),
    }).toEqual({
      hops: vector.hops,
      header_type: vector.header_type,
      context_flag: vector.context_flag,
      transport_type: vector.transport_type,
      destination_type: vector.destination_type,
      packet_type: vector.packet_type,
      transport_id: vector.transport_id,
      destination_hash: vector.destination_hash,
      context: vector.context,
      data: vector.data,
    })
    expect(toHex(encodePacket(packet, BYTES_MAX))).toBe(vector.raw)
    expect(toHex(packetHash(crypto, raw))).toBe(vector.packet_hash)
    const region = new Uint8Array(raw.length)
    expect(toHex(region.subarray(0, writePacketHashRegion(raw, region)))).toBe(vector.hashable_part)
  })

  test.each(vectors.malformed)('verdict: $name', ({ raw, unpack }) => {
    const bytes = fromHex(raw)
    const code = codeOf(() => decodePacket(bytes, BYTES_MAX))
    if (unpack) expect(code).toBeUndefined()
    else expect(code).toBe(bytes.length > 1 && bytes[1]! >= 128 ? 'framing/hops' : 'framing/short')
  })
})
