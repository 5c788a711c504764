import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { CodecError, decodeUtf8, encodeUtf8, fromBase32, fromHex, toBase32, toHex } from '../src/index.ts'

const STANDARDS = new URL('../../../../conformance-vectors/standards/', import.meta.url)

interface Base32Vectors {
  readonly tests: readonly { readonly input: string; readonly base32: string; readonly base32_nopad_lower: string }[]
}

function codeOf(call: () => unknown): string | undefined {
  try {
    call()
  } catch (error) {
    expect(error).toBeInstanceOf(CodecError)
    return (error as CodecError).detail.code
  }
  return undefined
}

describe('hexadecimal', () => {
  test('is what Buffer makes of it, both ways and in both cases', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        const hex = toHex(bytes)
        expect(hex).toBe(Buffer.from(bytes).toString('hex'))
        expect(fromHex(hex)).toEqual(bytes)
        expect(fromHex(hex.toUpperCase())).toEqual(bytes)
      }),
    )
  })

  test('takes no other character', () => {
    const digits = '0123456789abcdefABCDEF'
    for (let code = 0; code < 0x250; code++) {
      const character = String.fromCharCode(code)
      const expected = digits.includes(character) ? undefined : 'codec/hex'
      expect(
        codeOf(() => fromHex(`0${character}`)),
        `low digit ${code}`,
      ).toBe(expected)
      expect(
        codeOf(() => fromHex(`${character}0`)),
        `high digit ${code}`,
      ).toBe(expected)
    }
  })

  test.each(['0', '123', '0x12', ' 12', '12 '])('refuses %j', (text) => {
    expect(codeOf(() => fromHex(text))).toBe('codec/hex')
  })
})

describe('base32', () => {
  const { tests } = JSON.parse(readFileSync(new URL('rfc4648-base32.json', STANDARDS), 'utf8')) as Base32Vectors

  test.each(tests)('RFC 4648 §10: $base32', ({ input, base32, base32_nopad_lower: bare }) => {
    expect(toBase32(fromHex(input))).toBe(bare)
    expect(toHex(fromBase32(bare))).toBe(input)
    expect(toHex(fromBase32(bare.toUpperCase()))).toBe(input)
    expect(base32.replaceAll('=', '').toLowerCase()).toBe(bare)
    if (base32.includes('=')) expect(codeOf(() => fromBase32(base32))).toBe('codec/base32')
  })

  test('every byte string comes back from its text', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
        expect(fromBase32(toBase32(bytes))).toEqual(bytes)
      }),
    )
  })

  test('every text that is taken is the only lower-case spelling of its bytes', () => {
    let taken = 0
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'abzABZ234567'), maxLength: 9 }), (text) => {
        let bytes: Uint8Array
        try {
          bytes = fromBase32(text)
        } catch (error) {
          expect((error as CodecError).detail.code).toBe('codec/base32')
          return
        }
        taken++
        expect(toBase32(bytes)).toBe(text.toLowerCase())
      }),
      { numRuns: 2000 },
    )
    expect(taken).toBeGreaterThan(100)
  })

  test('takes letters of either case and 2 to 7, and no other character', () => {
    for (let code = 0; code < 0x250; code++) {
      const character = String.fromCharCode(code)
      const expected = /^[A-Za-z2-7]$/.test(character) ? undefined : 'codec/base32'
      expect(
        codeOf(() => fromBase32(`${character}aaaaaaa`)),
        `character ${code}`,
      ).toBe(expected)
    }
  })

  test('refuses lengths that no whole number of bytes has, and leftover bits', () => {
    for (const text of ['a', 'aaa', 'aaaaaa', 'aaaaaaaaa', 'ab', 'aaab', 'aaaab', 'aaaaaab']) {
      expect(
        codeOf(() => fromBase32(text)),
        text,
      ).toBe('codec/base32')
    }
  })
})

describe('UTF-8', () => {
  test('every string without lone surrogates comes back', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(decodeUtf8(encodeUtf8(text))).toBe(text)
      }),
    )
  })

  test('every byte string is refused, or is the only encoding of its text', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array({ maxLength: 6 }),
          fc.string().map((text) => encodeUtf8(text)),
        ),
        (bytes) => {
          const text = decodeUtf8(bytes)
          if (text !== undefined) expect(encodeUtf8(text)).toEqual(bytes)
        },
      ),
      { numRuns: 2000 },
    )
  })

  test.each(['\ud800', 'a\udfff', '\udc00\ud800'])('a lone surrogate is the caller’s mistake: %j', (text) => {
    expect(() => encodeUtf8(text)).toThrow(TypeError)
  })

  test.each([
    ['overlong', 'c080'],
    ['overlong', 'e080af'],
    ['a surrogate', 'eda080'],
    ['beyond U+10FFFF', 'f4908080'],
    ['cut', 'e282'],
    ['a stray continuation', '80'],
    ['a byte of no encoding', 'ff'],
  ])('%s (%s) is refused', (_, hex) => {
    expect(decodeUtf8(fromHex(hex))).toBeUndefined()
  })

  test('a byte-order mark stays', () => {
    expect(decodeUtf8(fromHex('efbbbf61'))).toBe('\ufeffa')
  })
})
