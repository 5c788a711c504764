import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  ByteReader,
  ByteWriter,
  CodecError,
  concatBytes,
  decodeUtf8,
  encodeUtf8,
  fromBase32,
  fromHex,
  readTlvs,
  type Tlv,
  tlvsLength,
  toBase32,
  toHex,
  writeTlvs,
} from '../src/index.ts'
import { FuzzFinding, type FuzzTarget, fuzzCases, fuzzDecoder } from '../src/testing.ts'

const cases = fuzzCases(process.env)
const isTyped = (error: unknown): boolean => error instanceof CodecError

/** Codecs over the whole input; texts travel as their UTF-8, and what is no UTF-8 is refused like any other fault. */
const codecs = {
  'a list of TLVs': {
    decode: (bytes: Uint8Array) => readTlvs(new ByteReader(bytes)),
    encode: (tlvs: Tlv[]) => {
      const writer = new ByteWriter(tlvsLength(tlvs))
      writeTlvs(writer, tlvs)
      return writer.finish()
    },
    corpus: ['', '0100', '050209080a00', `07ff${'ab'.repeat(255)}`].map(fromHex),
  },
  'a record of every field': {
    decode: decodeRecord,
    encode: encodeRecord,
    corpus: [
      encodeRecord({ u8: 1, u16: 2, u32: 3, u64: 4n, i64: -5n, text: 'größer', rest: new Uint8Array(0) }),
      encodeRecord({
        u8: 255,
        u16: 65_535,
        u32: 2 ** 32 - 1,
        u64: 2n ** 64n - 1n,
        i64: -(2n ** 63n),
        text: '',
        rest: new Uint8Array(9),
      }),
    ],
  },
  'UTF-8': {
    decode: text,
    encode: encodeUtf8,
    corpus: ['', 'a', 'ß', '€', '😀', '\ufeffmark'].map(encodeUtf8),
  },
  'lower-case hexadecimal': {
    decode: (bytes: Uint8Array) => fromHex(lower(bytes)),
    encode: (bytes: Uint8Array) => encodeUtf8(toHex(bytes)),
    corpus: ['', '00', '09afff'].map(encodeUtf8),
  },
  'lower-case base32': {
    decode: (bytes: Uint8Array) => fromBase32(lower(bytes)),
    encode: (bytes: Uint8Array) => encodeUtf8(toBase32(bytes)),
    corpus: ['', 'my', 'mzxq', 'mzxw6', 'mzxw6yq', 'mzxw6ytboi'].map(encodeUtf8),
  },
}

describe('any bytes give a CodecError, or a value that encodes to them', () => {
  for (const [name, codec] of Object.entries(codecs)) {
    test(name, () => {
      const { accepted, refused } = fuzzDecoder({
        ...(codec as Pick<FuzzTarget, 'decode' | 'encode' | 'corpus'>),
        isTyped,
        cases,
        seed: 1,
      })
      expect(accepted).toBeGreaterThan(cases / 200)
      expect(refused).toBeGreaterThan(cases / 200)
    })
  }
})

describe('the fuzzer', () => {
  const target = { corpus: [Uint8Array.of(1, 2, 3, 4)], isTyped, cases: 2000, seed: 7 }

  test('finds an untyped error', () => {
    const decode = (bytes: Uint8Array) => {
      if (bytes.length === 3) throw new RangeError('a bug')
    }
    expect(() => fuzzDecoder({ ...target, decode })).toThrow(FuzzFinding)
  })

  test('finds a second encoding, and names the input', () => {
    const decode = (bytes: Uint8Array) => bytes.slice(0, 4)
    const encode = (bytes: Uint8Array) => bytes
    let finding: unknown
    try {
      fuzzDecoder({ ...target, decode, encode })
    } catch (error) {
      finding = error
    }
    expect(finding).toBeInstanceOf(FuzzFinding)
    expect(fromHex((finding as FuzzFinding).inputHex).length).toBeGreaterThan(4)
  })

  test('repeats for a seed, and tries the corpus as it is first', () => {
    const run = (seed: number) => {
      const inputs: string[] = []
      fuzzDecoder({ ...target, seed, cases: 50, decode: (bytes) => inputs.push(toHex(bytes)) })
      return inputs
    }
    expect(run(9)).toEqual(run(9))
    expect(run(9)).not.toEqual(run(11))
    expect(run(9)[0]).toBe('01020304')
  })

  test('takes its cases from NEXUS_FUZZ', () => {
    expect(fuzzCases({})).toBe(20_000)
    expect(fuzzCases({ NEXUS_FUZZ: '5' }, 7)).toBe(5)
    for (const wrong of ['0', '-1', 'many', '1.5']) expect(() => fuzzCases({ NEXUS_FUZZ: wrong })).toThrow(RangeError)
  })
})

test('any text as hexadecimal or base32 gives a CodecError, or bytes that it spells', () => {
  const texts = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 12 }),
    fc.string({ unit: fc.constantFrom(...'aB27'), maxLength: 12 }),
  )
  fc.assert(
    fc.property(texts, (input) => {
      for (const [decode, encode] of [
        [fromHex, toHex],
        [fromBase32, toBase32],
      ] as const) {
        try {
          expect(encode(decode(input))).toBe(input.toLowerCase())
        } catch (error) {
          if (!isTyped(error)) throw error
        }
      }
    }),
    { numRuns: Math.min(cases, 20_000) },
  )
})

interface FullRecord {
  readonly u8: number
  readonly u16: number
  readonly u32: number
  readonly u64: bigint
  readonly i64: bigint
  readonly text: string
  readonly rest: Uint8Array
}

function decodeRecord(bytes: Uint8Array): FullRecord {
  const reader = new ByteReader(bytes)
  const fields = { u8: reader.u8(), u16: reader.u16(), u32: reader.u32(), u64: reader.u64(), i64: reader.i64() }
  const record = { ...fields, text: reader.string16(), rest: reader.bytes(reader.u8()) }
  reader.end()
  return record
}

function encodeRecord({ u8, u16, u32, u64, i64, text, rest }: FullRecord): Uint8Array {
  const head = new ByteWriter(23).u8(u8).u16(u16).u32(u32).u64(u64).i64(i64).finish()
  const size = 2 + encodeUtf8(text).length + 1 + rest.length
  return concatBytes(head, new ByteWriter(size).string16(text).u8(rest.length).bytes(rest).finish())
}

function text(bytes: Uint8Array): string {
  const decoded = decodeUtf8(bytes)
  if (decoded === undefined) throw new CodecError({ code: 'codec/utf8', at: 0 })
  return decoded
}

/** Upper case is taken too, so it is left out here: it has another spelling. */
function lower(bytes: Uint8Array): string {
  const decoded = text(bytes)
  if (/[A-Z]/.test(decoded)) throw new CodecError({ code: 'codec/hex', at: 0 })
  return decoded
}
