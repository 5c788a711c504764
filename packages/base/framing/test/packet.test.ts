import { fromHex } from '@nexus/codec'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  CONTEXT,
  DATA_BYTES_MAX,
  DATA_TWO_ADDRESS_BYTES_MAX,
  decodePacket,
  encodePacket,
  HEADER_BYTES,
  HEADER_TWO_ADDRESS_BYTES,
  incrementPacketHops,
  isPacketFor,
  nativePacket,
  PACKET_BYTES_MAX,
  PACKET_TYPE,
  packetContext,
  packetData,
  packetDestination,
  packetDestinationType,
  packetDestinationWord,
  packetFault,
  packetHash,
  packetHops,
  packetType,
  setPacketHops,
  writePacketHashRegion,
} from '../src/index.ts'
import { anyPacket, codeOf, crypto } from './fixtures.ts'

const destination = Uint8Array.from({ length: 16 }, (_, at) => at + 1)
const native = (length: number) =>
  encodePacket(
    nativePacket({ type: PACKET_TYPE.DATA, destination, context: CONTEXT.SEALED, data: new Uint8Array(length) }),
  )

test('the sizes are those of the specification', () => {
  expect([HEADER_BYTES, HEADER_TWO_ADDRESS_BYTES, DATA_BYTES_MAX, DATA_TWO_ADDRESS_BYTES_MAX]).toEqual([
    19, 35, 465, 449,
  ])
})

describe('packet codec', () => {
  test('round trip of every form', () => {
    fc.assert(
      fc.property(anyPacket, (packet) => {
        const bytes = encodePacket(packet)
        expect(decodePacket(bytes)).toEqual(packet)
        expect(encodePacket(decodePacket(bytes))).toEqual(bytes)
      }),
    )
  })

  test('every prefix of a packet is a packet or short', () => {
    const bytes = encodePacket({ ...decodePacket(native(40)), transportId: destination })
    for (let length = 0; length < HEADER_TWO_ADDRESS_BYTES; length++) {
      expect(codeOf(() => decodePacket(bytes.subarray(0, length)))).toBe('framing/short')
    }
    expect(decodePacket(bytes.subarray(0, HEADER_TWO_ADDRESS_BYTES)).data.length).toBe(0)
  })

  test('sizes and hops at their limits', () => {
    expect(native(DATA_BYTES_MAX).length).toBe(PACKET_BYTES_MAX)
    expect(() => native(DATA_BYTES_MAX + 1)).toThrow(RangeError)
    const long = encodePacket({ ...decodePacket(native(0)), data: new Uint8Array(466) }, 500)
    expect(codeOf(() => decodePacket(long))).toBe('framing/long')
    expect(decodePacket(long, 500).data.length).toBe(466)
    const packet = native(1)
    packet[1] = 127
    expect(decodePacket(packet).hops).toBe(127)
    packet[1] = 128
    expect(codeOf(() => decodePacket(packet))).toBe('framing/hops')
  })

  test('what comes back are copies', () => {
    const bytes = native(4)
    const packet = decodePacket(bytes)
    bytes.fill(0xff)
    expect(packet.destination).toEqual(destination)
    expect(packet.data).toEqual(new Uint8Array(4))
  })

  test('misuse is a RangeError', () => {
    const packet = decodePacket(native(1))
    for (const bad of [
      { hops: 128 },
      { hops: -1 },
      { type: 4 },
      { destinationType: 4 },
      { propagation: 2 },
      { context: 256 },
      { destination: new Uint8Array(15) },
      { transportId: new Uint8Array(17) },
    ]) {
      expect(() => encodePacket({ ...packet, ...bad })).toThrow(RangeError)
    }
  })
})

describe('in place', () => {
  test('agrees with the decoder in both forms', () => {
    fc.assert(
      fc.property(anyPacket, (packet) => {
        const bytes = encodePacket(packet)
        expect(packetType(bytes)).toBe(packet.type)
        expect(packetDestinationType(bytes)).toBe(packet.destinationType)
        expect(packetHops(bytes)).toBe(packet.hops)
        expect(packetDestination(bytes)).toEqual(packet.destination)
        expect(packetContext(bytes)).toBe(packet.context)
        expect(packetData(bytes)).toEqual(packet.data)
        expect(isPacketFor(bytes, packet.destination)).toBe(true)
        const words = new DataView(packet.destination.buffer)
        for (let index = 0; index < 4; index++) {
          expect(packetDestinationWord(bytes, index)).toBe(words.getUint32(4 * index, true))
        }
      }),
    )
  })

  test('a destination differs if any byte does', () => {
    const packet = native(3)
    for (let at = 0; at < 16; at++) {
      const other = destination.slice()
      other[at]! ^= 0x80
      expect(isPacketFor(packet, other)).toBe(false)
    }
  })

  test('hops rise to 127 and no further', () => {
    const packet = native(0)
    for (let hops = 1; hops < 128; hops++) {
      expect(incrementPacketHops(packet)).toBe(true)
      expect(packetHops(packet)).toBe(hops)
    }
    const before = packet.slice()
    expect(incrementPacketHops(packet)).toBe(false)
    expect(packet).toEqual(before)
    setPacketHops(packet, 3)
    expect(packetHops(packet)).toBe(3)
    for (const hops of [-1, 128, 1.5]) expect(() => setPacketHops(packet, hops)).toThrow(RangeError)
  })

  test('what may travel between nodes', () => {
    expect(packetFault(native(0))).toBeUndefined()
    expect(packetFault(native(DATA_BYTES_MAX))).toBeUndefined()
    expect(packetFault(native(0).subarray(0, 18))).toBe('framing/short')
    expect(packetFault(new Uint8Array(0))).toBe('framing/short')
    expect(packetFault(new Uint8Array(485))).toBe('framing/long')
    for (const bit of [0x80, 0x40, 0x20, 0x10]) {
      const packet = native(30)
      packet[0]! |= bit
      expect(packetFault(packet)).toBe('framing/flags')
    }
    const packet = native(0)
    packet[1] = 128
    expect(packetFault(packet)).toBe('framing/hops')
    packet[1] = 127
    expect(packetFault(packet)).toBeUndefined()
    packet[0] = PACKET_TYPE.ANNOUNCE
    expect(packetFault(packet)).toBe('framing/context')
    packet[18] = CONTEXT.NONE
    expect(packetFault(packet)).toBeUndefined()
  })

  test('whatever has no fault decodes to one address without flags', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), fc.integer({ min: 0, max: 15 }), (bytes, flags) => {
        if (bytes.length > 0) bytes[0] = flags
        if (packetFault(bytes) !== undefined) return
        const packet = decodePacket(bytes)
        expect(packet.transportId).toBeUndefined()
        expect(packet.accessCode || packet.contextFlag || packet.propagation !== 0).toBe(false)
      }),
    )
  })
})

describe('packet hash', () => {
  test('covers flags, destination, context and data, and nothing that a relay changes', () => {
    fc.assert(
      fc.property(anyPacket, fc.integer({ min: 0, max: 127 }), fc.boolean(), (packet, hops, contextFlag) => {
        const { transportId: _, ...oneAddress } = packet
        const hash = packetHash(crypto, encodePacket(packet))
        const relayed = { ...oneAddress, hops, contextFlag, accessCode: false, propagation: 0 }
        expect(packetHash(crypto, encodePacket(relayed))).toEqual(hash)
        for (const change of [
          { type: packet.type ^ 1 },
          { destinationType: packet.destinationType ^ 2 },
          { context: packet.context ^ 1 },
          { destination: packet.destination.map((byte, at) => (at === 15 ? byte ^ 1 : byte)) },
          { data: Uint8Array.of(...packet.data, 0) },
        ]) {
          expect(packetHash(crypto, encodePacket({ ...packet, ...change }))).not.toEqual(hash)
        }
      }),
      { numRuns: 50 },
    )
  })

  test('a scratch buffer gives the same digest, and its old content does not matter', () => {
    const scratch = new Uint8Array(PACKET_BYTES_MAX).fill(0xee)
    for (const length of [465, 0, 100]) {
      const packet = native(length)
      expect(packetHash(crypto, packet, scratch)).toEqual(packetHash(crypto, packet))
    }
    expect(() => packetHash(crypto, native(100), new Uint8Array(50))).toThrow(RangeError)
  })

  test('the region by example', () => {
    const packet = fromHex('0503000102030405060708090a0b0c0d0e0f00aabb')
    const into = new Uint8Array(40)
    const length = writePacketHashRegion(packet, into)
    expect(into.subarray(0, length)).toEqual(fromHex('05000102030405060708090a0b0c0d0e0f00aabb'))
  })
})
