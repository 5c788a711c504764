import type { Tlv } from '@nexus/codec'
import { portable } from '@nexus/crypto'
import { createIdentity } from '@nexus/identity'
import fc from 'fast-check'
import type { Announce, Packet } from '../src/index.ts'
import { ANNOUNCE_TLVS_BYTES_MAX, DATA_BYTES_MAX, FramingError } from '../src/index.ts'

export const crypto = portable()
export const identity = createIdentity(crypto, new Uint8Array(32).fill(7))
export const cost = Uint8Array.of(1, 2, 3, 4, 5, 6)

export const exactly = (length: number) => fc.uint8Array({ minLength: length, maxLength: length })

export const anyTlvs: fc.Arbitrary<Tlv[]> = fc
  .array(fc.record({ type: fc.integer({ min: 0, max: 255 }), data: fc.uint8Array({ maxLength: 255 }) }), {
    maxLength: 20,
  })
  .map((tlvs) => {
    let room = ANNOUNCE_TLVS_BYTES_MAX
    return tlvs.filter((tlv) => {
      const fits = 2 + tlv.data.length <= room
      if (fits) room -= 2 + tlv.data.length
      return fits
    })
  })

export const anyAnnounce: fc.Arbitrary<Announce> = fc.record({
  publicKey: exactly(32),
  lamport: fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
  maxHops: fc.integer({ min: 0, max: 255 }),
  signature: exactly(64),
  extension: fc.record({ version: fc.integer({ min: 1, max: 255 }), cost: exactly(6), tlvs: anyTlvs }),
})

export const anyPacket: fc.Arbitrary<Packet> = fc
  .record({
    accessCode: fc.boolean(),
    contextFlag: fc.boolean(),
    propagation: fc.integer({ min: 0, max: 1 }),
    destinationType: fc.integer({ min: 0, max: 3 }),
    type: fc.integer({ min: 0, max: 3 }),
    hops: fc.integer({ min: 0, max: 127 }),
    transportId: fc.option(exactly(16), { nil: undefined }),
    destination: exactly(16),
    context: fc.integer({ min: 0, max: 255 }),
    data: fc.uint8Array({ maxLength: DATA_BYTES_MAX - 16 }),
  })
  .map(({ transportId, ...fields }) => (transportId === undefined ? fields : { ...fields, transportId }))

/** The code of the typed error that `act` throws, `undefined` if it throws nothing; other errors go on. */
export function codeOf(act: () => unknown): string | undefined {
  try {
    act()
  } catch (error) {
    if (error instanceof FramingError) return error.detail.code
    throw error
  }
  return undefined
}
