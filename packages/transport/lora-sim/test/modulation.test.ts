import assert from 'node:assert/strict'
import {
  airtimeSeconds,
  bitrateBps,
  frameAirtimeSeconds,
  MODULATION_DEFAULT,
  type Modulation,
  sensitivityDbm,
  symbolSeconds,
} from '@nexus/transport-lora-sim'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

const lorawan: Modulation = { ...MODULATION_DEFAULT, preambleSymbols: 8 }

// 13 bytes, 125 kHz, 4/5, preamble 8: the worked example of the spreadsheet that goes with Semtech AN1200.13 (SF 9), and
// the figures that the Semtech LoRa calculator shows for the other spreading factors.
const known: readonly (readonly [sf: number, bytes: number, ms: number])[] = [
  [7, 13, 46.336],
  [8, 13, 82.432],
  [9, 13, 164.864],
  [10, 13, 288.768],
  [11, 13, 577.536],
  [12, 13, 1155.072],
  [7, 51, 102.656],
  [12, 51, 2465.792],
  [7, 222, 348.416],
]

describe('airtime', () => {
  test.each(known)('SF %i, %i bytes: %f ms', (spreadingFactor, bytes, ms) => {
    expect(airtimeSeconds({ ...lorawan, spreadingFactor }, bytes) * 1_000).toBeCloseTo(ms, 6)
  })

  test('the spreadsheet example in its parts: symbol 4.096 ms, 28 symbols of payload', () => {
    const modulation = { ...lorawan, spreadingFactor: 9 }
    expect(symbolSeconds(modulation)).toBe(0.004096)
    expect((airtimeSeconds(modulation, 13) - 12.25 * 0.004096) / 0.004096).toBeCloseTo(28, 9)
  })

  test('below SF 7 the preamble is two symbols longer and the payload eight bits (SX1261/2, 6.1.4)', () => {
    const modulation = { ...lorawan, spreadingFactor: 6, bandwidthHz: 500_000 }
    // 8 + 6.25 + 8 + ceil((80 + 16 + 20 - 24) / 24) × 5 symbols of 128 µs
    expect(airtimeSeconds(modulation, 10)).toBeCloseTo(42.25 * 0.000128, 12)
  })

  test('options: header, CRC, low data rate', () => {
    const bare = { ...lorawan, explicitHeader: false, crc: false }
    expect(airtimeSeconds(bare, 0)).toBeCloseTo(20.25 * 0.001024, 12)
    expect(airtimeSeconds({ ...lorawan, lowDataRate: true }, 51)).toBeGreaterThan(airtimeSeconds(lorawan, 51))
    const slow = { ...lorawan, spreadingFactor: 12 }
    expect(airtimeSeconds({ ...slow, lowDataRate: true }, 51)).toBe(airtimeSeconds(slow, 51))
    expect(airtimeSeconds({ ...slow, lowDataRate: false }, 51)).toBeLessThan(airtimeSeconds(slow, 51))
  })

  test('grows with the payload, and never falls under its bits at the nominal rate', () => {
    const modulations = fc.record({
      spreadingFactor: fc.integer({ min: 5, max: 12 }),
      bandwidthHz: fc.constantFrom(62_500, 125_000, 250_000, 500_000),
      codingRate: fc.integer({ min: 5, max: 8 }),
      preambleSymbols: fc.integer({ min: 6, max: 64 }),
      explicitHeader: fc.boolean(),
      crc: fc.boolean(),
      lowDataRate: fc.constantFrom('auto' as const, true, false),
    })
    fc.assert(
      fc.property(modulations, fc.integer({ min: 0, max: 254 }), (modulation, length) => {
        const seconds = airtimeSeconds(modulation, length)
        assert.ok(airtimeSeconds(modulation, length + 1) >= seconds)
        assert.ok(seconds * bitrateBps(modulation) >= 8 * length - 4 * modulation.spreadingFactor)
      }),
    )
  })

  test('a frame above 254 bytes pays for two radio packets', () => {
    expect(frameAirtimeSeconds(lorawan, 254)).toBe(airtimeSeconds(lorawan, 255))
    expect(frameAirtimeSeconds(lorawan, 255)).toBe(airtimeSeconds(lorawan, 255) + airtimeSeconds(lorawan, 2))
    expect(frameAirtimeSeconds(lorawan, 508)).toBe(2 * airtimeSeconds(lorawan, 255))
    expect(() => frameAirtimeSeconds(lorawan, 509)).toThrow(RangeError)
    expect(() => airtimeSeconds(lorawan, 256)).toThrow(RangeError)
  })

  test('rates and sensitivity as in the data sheets', () => {
    expect(bitrateBps(lorawan)).toBeCloseTo(5468.75, 6)
    expect(bitrateBps({ ...lorawan, spreadingFactor: 12 })).toBeCloseTo(292.96875, 6)
    expect(sensitivityDbm(lorawan, 6)).toBeCloseTo(-124.5, 1)
    expect(sensitivityDbm({ ...lorawan, spreadingFactor: 12 }, 6)).toBeCloseTo(-137, 1)
  })
})
