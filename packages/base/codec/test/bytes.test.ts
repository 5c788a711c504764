import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { compareBytes, concatBytes, equalBytes } from '../src/index.ts'

describe('concatBytes', () => {
  test('joins all parts in order, into an array of its own', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array()), (parts) => {
        const joined = concatBytes(...parts)
        expect([...joined]).toEqual(parts.flatMap((part) => [...part]))
        for (const part of parts) if (part.length > 0) expect(joined.buffer).not.toBe(part.buffer)
      }),
    )
  })

  test('of views takes what the views cover', () => {
    const bytes = Uint8Array.of(1, 2, 3, 4, 5)
    expect(concatBytes(bytes.subarray(3), bytes.subarray(1, 2))).toEqual(Uint8Array.of(4, 5, 2))
  })
})

describe('equalBytes and compareBytes', () => {
  /** Few values and short arrays, so that equal ones and prefixes come up. */
  const few = fc.uint8Array({ max: 2, maxLength: 4 })

  test('agree with the order of hexadecimal strings', () => {
    const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')
    fc.assert(
      fc.property(few, few, (a, b) => {
        expect(equalBytes(a, b)).toBe(hex(a) === hex(b))
        expect(Math.sign(compareBytes(a, b))).toBe(Number(hex(a) > hex(b)) - Number(hex(a) < hex(b)))
      }),
      { numRuns: 1000 },
    )
  })

  test('order bytes as unsigned', () => {
    expect(compareBytes(Uint8Array.of(0x7f), Uint8Array.of(0x80))).toBeLessThan(0)
    expect(compareBytes(Uint8Array.of(1), Uint8Array.of(1, 0))).toBeLessThan(0)
  })
})
