import { readFileSync } from 'node:fs'
import { fromHex, toHex } from '@nexus/codec'
import { fuzzCases, fuzzDecoder } from '@nexus/codec/testing'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  CongestionError,
  type CongestionErrorDetail,
  type CongestionSignal,
  decodeSignal,
  encodeSignal,
  isNewerSequence,
  type Severity,
} from '../src/index.ts'

const folder = new URL('../../../../conformance-vectors/congestion/', import.meta.url)
const vectors = (op: string) => JSON.parse(readFileSync(new URL(`${op}.json`, folder), 'utf8')).cases

/** Bytes for each way to be wrong: a new code without one does not compile. */
const rejects = {
  'congestion/length': '000000',
  'congestion/scope': '08000000',
  'congestion/reserved': '10000000',
} satisfies Record<CongestionErrorDetail['code'], string>

describe('congestion signals', () => {
  test('both ways, for every value', () => {
    fc.assert(
      fc.property(
        fc.record<CongestionSignal>({
          severity: fc.constantFrom<Severity>(0, 1, 2, 3),
          scope: fc.constantFrom('link', 'all'),
          drainMs: fc.integer({ min: 0, max: 0xffff }),
          sequence: fc.integer({ min: 0, max: 0xff }),
        }),
        (signal) => {
          expect(decodeSignal(encodeSignal(signal))).toEqual(signal)
        },
      ),
    )
  })

  test('every first byte is a signal or a typed error, and comes back the same', () => {
    const accepted = Array.from({ length: 256 }, (_, state) => Uint8Array.of(state, 1, 2, 3)).filter((bytes) => {
      try {
        expect(encodeSignal(decodeSignal(bytes))).toEqual(bytes)
        return true
      } catch (error) {
        if (!(error instanceof CongestionError)) throw error
        return false
      }
    })
    expect(accepted.map(([state]) => state)).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
  })

  test.each(Object.entries(rejects))('%s', (code, hex) => {
    expect(() => decodeSignal(fromHex(hex))).toThrow(
      expect.objectContaining({ name: 'CongestionError', detail: expect.objectContaining({ code }) }),
    )
  })

  test.each([
    { severity: 4 as Severity, scope: 'link', drainMs: 0, sequence: 0 },
    { severity: 1, scope: 'link', drainMs: 65_536, sequence: 0 },
    { severity: 1, scope: 'link', drainMs: 0.5, sequence: 0 },
    { severity: 1, scope: 'link', drainMs: 0, sequence: 256 },
  ] satisfies CongestionSignal[])('a caller’s mistake is a RangeError: %o', (signal) => {
    expect(() => encodeSignal(signal)).toThrow(RangeError)
  })

  test('sequences are compared modulo 256', () => {
    for (let than = 0; than < 256; than++) {
      const newer = Array.from({ length: 256 }, (_, sequence) => sequence).filter((sequence) =>
        isNewerSequence(sequence, than),
      )
      expect(newer).toHaveLength(127)
      expect(newer.every((sequence) => !isNewerSequence(than, sequence))).toBe(true)
      expect(isNewerSequence((than + 1) & 0xff, than)).toBe(true)
      expect(isNewerSequence((than + 127) & 0xff, than)).toBe(true)
      expect(isNewerSequence((than + 128) & 0xff, than)).toBe(false)
    }
  })

  test('any bytes are a signal or the typed error', () => {
    const outcome = fuzzDecoder({
      decode: decodeSignal,
      encode: encodeSignal,
      isTyped: (error) => error instanceof CongestionError,
      corpus: [fromHex('00000000'), fromHex('07ffffff'), fromHex('02e80311')],
      cases: fuzzCases(process.env),
      seed: 0xc0de,
    })
    expect(outcome.accepted).toBeGreaterThan(100)
    expect(outcome.refused).toBeGreaterThan(100)
  })
})

describe('vectors', () => {
  test('signals, both ways', () => {
    const cases = vectors('congestion.decodeSignal')
    expect(cases.length).toBeGreaterThan(20)
    for (const { in: given, out, error } of cases) {
      if (error === undefined) {
        expect(decodeSignal(fromHex(given.bytes))).toEqual(out)
        expect(toHex(encodeSignal(out))).toBe(given.bytes)
      } else
        expect(() => decodeSignal(fromHex(given.bytes))).toThrow(
          expect.objectContaining({ detail: expect.objectContaining({ code: error }) }),
        )
    }
    const errors = new Set(cases.flatMap(({ error }: { error?: string }) => error ?? []))
    expect([...errors].sort()).toEqual(Object.keys(rejects).sort())
  })

  test('sequences', () => {
    for (const { in: given, out } of vectors('congestion.isNewerSequence')) {
      expect({ newer: isNewerSequence(given.sequence, given.than) }).toEqual(out)
    }
  })
})
