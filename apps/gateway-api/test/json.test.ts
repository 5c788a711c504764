import { encodeUtf8 } from '@nexus/codec'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { JsonError, parseStrictJson } from '../src/http/json.ts'

const cases = Number(process.env['NEXUS_FUZZ'] ?? 20_000)
const parse = (text: string): unknown => parseStrictJson(encodeUtf8(text))

describe('strict JSON', () => {
  test.each([
    ['{"a":1,"a":2}', 'duplicate-key'],
    ['{"a":1,"\\u0061":2}', 'duplicate-key'],
    ['{"x":{"__proto__":1,"__proto__":2}}', 'duplicate-key'],
    ['1.0', 'number'],
    ['1e3', 'number'],
    ['-0', 'number'],
    ['9007199254740992', 'number'],
    ['[[[[[[[[[1]]]]]]]]]', 'depth'],
    [`${'['.repeat(10_000)}`, 'depth'],
    ['', 'syntax'],
    ['01', 'syntax'],
    ['+1', 'syntax'],
    ['NaN', 'syntax'],
    ['{"a":1,}', 'syntax'],
    ['[1,]', 'syntax'],
    ['{a:1}', 'syntax'],
    ["{'a':1}", 'syntax'],
    ['{"a":1} x', 'syntax'],
    ['"a\nb"', 'syntax'],
    ['"\\x"', 'syntax'],
    ['"open', 'syntax'],
    ['\ufeff{}', 'syntax'],
    ['nul', 'syntax'],
  ])('%j is refused: %s', (text, fault) => {
    expect(() => parse(text)).toThrow(expect.objectContaining({ fault }))
  })

  test('bytes that are no UTF-8 are refused', () => {
    for (const bytes of [[0xff], [0x22, 0xc3, 0x22], [0x22, 0xed, 0xa0, 0x80, 0x22]]) {
      expect(() => parseStrictJson(Uint8Array.from(bytes))).toThrow(expect.objectContaining({ fault: 'utf-8' }))
    }
  })

  test('a name that objects have from birth is a name like any other', () => {
    const parsed = parse('{"__proto__":{"polluted":true},"constructor":1}') as Record<string, unknown>
    expect(Object.keys(parsed)).toEqual(['__proto__', 'constructor'])
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined()
  })

  test('what it takes, it takes as JSON.parse does', () => {
    const value = fc.jsonValue({ maxDepth: 6 })
    fc.assert(
      fc.property(value, fc.nat(2), (given, indent) => {
        const text = JSON.stringify(given, null, indent)
        try {
          expect(JSON.stringify(parse(text))).toBe(JSON.stringify(JSON.parse(text)))
        } catch (error) {
          if (!(error instanceof JsonError) || error.fault !== 'number') throw error
        }
      }),
      { numRuns: 1_000 },
    )
  })

  test(`${cases} bent texts: a value that JSON.parse has too, or the one error`, () => {
    const seeds = [
      '{"account":"did:key:z","amount":"100","policy":1}',
      '[1,[2,{"a":null}],"\\u00e9"]',
      '{"a":{"b":[true,false]}}',
    ]
    fc.assert(
      fc.property(
        fc.constantFrom(...seeds),
        fc.array(fc.tuple(fc.nat(60), fc.nat(255)), { maxLength: 4 }),
        (seed, bends) => {
          const bytes = encodeUtf8(seed)
          for (const [at, byte] of bends) if (at < bytes.length) bytes[at] = byte
          try {
            const value = parseStrictJson(bytes)
            expect(JSON.stringify(value)).toBe(JSON.stringify(JSON.parse(new TextDecoder().decode(bytes))))
          } catch (error) {
            expect(error).toBeInstanceOf(JsonError)
          }
        },
      ),
      { numRuns: cases },
    )
  })
})
