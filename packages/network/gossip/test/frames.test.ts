import { toHex } from '@nexus/codec'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  decodeGossipFrame,
  decodeRecord,
  encodeGossipFrame,
  encodeRecord,
  GossipError,
  type GossipErrorDetail,
  type GossipFrame,
} from '../src/index.ts'
import { FRAME_BYTES_MAX, RECORD_BODY_BYTES_MAX, WANT_IDS_MAX } from '../src/limits.ts'

const bytes = (length: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ minLength: length, maxLength: length })
const tier = fc.constantFrom(2 as const, 3 as const, 4 as const)
const u64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })
const u32 = fc.integer({ min: 0, max: 2 ** 32 - 1 })

const summary = fc
  .uniqueArray(fc.record({ tier, count: u32, sum: u64 }), {
    minLength: 1,
    maxLength: 3,
    selector: (entry) => entry.tier,
  })
  .map((tiers) => ({ kind: 'summary' as const, tiers: tiers.sort((a, b) => a.tier - b.tier) }))
const filter = fc
  .record({ tier, salt: u32, prefixBits: fc.integer({ min: 0, max: 16 }), bits: fc.uint8Array({ maxLength: 448 }) })
  .chain((fields) =>
    fc
      .integer({ min: 0, max: 2 ** fields.prefixBits - 1 })
      .map((prefix) => ({ kind: 'filter' as const, ...fields, prefix })),
  )
const records = fc
  .array(fc.record({ type: fc.integer({ min: 0, max: 255 }), body: fc.uint8Array({ maxLength: 100 }) }), {
    minLength: 1,
    maxLength: 4,
  })
  .map((list) => ({ kind: 'records' as const, records: list }))
const want = fc
  .array(bytes(16), { minLength: 1, maxLength: WANT_IDS_MAX })
  .map((nodeIds) => ({ kind: 'want' as const, nodeIds }))
const frame: fc.Arbitrary<GossipFrame> = fc.oneof(summary, filter, records, want)

describe('gossip frames', () => {
  test('come back as they went', () => {
    fc.assert(
      fc.property(frame, (value) => {
        expect(decodeGossipFrame(encodeGossipFrame(value))).toEqual(value)
      }),
    )
  })

  test('have one spelling, or raise a GossipError', () => {
    const mutated = fc
      .tuple(frame, fc.nat(), fc.integer({ min: 1, max: 255 }), fc.integer({ min: -3, max: 3 }))
      .map(([value, at, xor, grow]) => {
        const whole = encodeGossipFrame(value)
        const out = new Uint8Array(Math.max(0, whole.length + grow))
        out.set(whole.subarray(0, out.length))
        if (out.length > 0) out[at % out.length]! ^= xor
        return out
      })
    fc.assert(
      fc.property(fc.oneof(mutated, fc.uint8Array({ maxLength: 520 })), (input) => {
        try {
          expect(toHex(encodeGossipFrame(decodeGossipFrame(input)))).toBe(toHex(input))
        } catch (error) {
          if (!(error instanceof GossipError)) throw error
        }
      }),
      { numRuns: 3_000 },
    )
  })

  const rejects = {
    'gossip/malformed': ['', '01020000', '03050a00aabb', '0400'],
    'gossip/kind': ['00', '05', 'ff'],
    'gossip/tier': [`0101${'00'.repeat(12)}`, `0103${'00'.repeat(12)}02${'00'.repeat(12)}`, '02050000000000000000'],
    'gossip/record-length': ['0305e101', `03${'0100e0'.repeat(1)}${'00'.repeat(0)}`.replace('00e0', 'ffff')],
    'gossip/filter-length': [`020200000000000000${'00'.repeat(1)}${'00'.repeat(448)}`],
    'gossip/prefix': ['02020000000011000000', '020200000000010200'],
    'gossip/count': ['01', '04', `04${'00'.repeat(16 * 29)}`, `01${'02'.repeat(13 * 4)}`],
  } satisfies Record<GossipErrorDetail['code'], string[]>

  for (const [code, inputs] of Object.entries(rejects)) {
    test(`rejects with ${code}`, () => {
      for (const hex of inputs) {
        const input = Uint8Array.from(hex.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16))
        let caught: unknown
        try {
          decodeGossipFrame(input)
        } catch (error) {
          caught = error
        }
        expect(caught, hex).toBeInstanceOf(GossipError)
        expect((caught as GossipError).detail.code, hex).toBe(code)
      }
    })
  }

  test('one record of full size fits a frame exactly', () => {
    const body = new Uint8Array(RECORD_BODY_BYTES_MAX)
    expect(encodeGossipFrame({ kind: 'records', records: [{ type: 9, body }] })).toHaveLength(FRAME_BYTES_MAX)
    expect(() =>
      decodeGossipFrame(
        encodeGossipFrame({
          kind: 'records',
          records: [
            { type: 9, body },
            { type: 9, body },
          ],
        }),
      ),
    ).toThrow(GossipError)
  })

  test('a record alone comes back, and only whole', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 255 }), fc.uint8Array({ maxLength: 480 }), (type, body) => {
        const whole = encodeRecord({ type, body })
        expect(decodeRecord(whole)).toEqual({ type, body })
        expect(() => decodeRecord(whole.subarray(0, -1))).toThrow(GossipError)
        expect(() => decodeRecord(Uint8Array.of(...whole, 0))).toThrow(GossipError)
      }),
    )
  })
})
