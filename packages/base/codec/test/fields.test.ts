import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ByteReader, ByteWriter, CodecError, encodeUtf8, fromHex, toHex } from '../src/index.ts'

/** A field of each kind, with the bytes it takes. */
type Field =
  | { readonly kind: 'u8' | 'u16' | 'u32'; readonly value: number }
  | { readonly kind: 'u64' | 'i64'; readonly value: bigint }
  | { readonly kind: 'bytes'; readonly value: Uint8Array }
  | { readonly kind: 'string16'; readonly value: string }

const field: fc.Arbitrary<Field> = fc.oneof(
  fc.record({ kind: fc.constant('u8' as const), value: fc.nat(0xff) }),
  fc.record({ kind: fc.constant('u16' as const), value: fc.nat(0xffff) }),
  fc.record({ kind: fc.constant('u32' as const), value: fc.integer({ min: 0, max: 0xffff_ffff }) }),
  fc.record({ kind: fc.constant('u64' as const), value: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }) }),
  fc.record({ kind: fc.constant('i64' as const), value: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }) }),
  fc.record({ kind: fc.constant('bytes' as const), value: fc.uint8Array() }),
  fc.record({ kind: fc.constant('string16' as const), value: fc.string({ unit: 'binary' }) }),
)

function sizeOf({ kind, value }: Field): number {
  if (kind === 'bytes') return value.length
  if (kind === 'string16') return 2 + encodeUtf8(value).length
  return { u8: 1, u16: 2, u32: 4, u64: 8, i64: 8 }[kind]
}

function write(writer: ByteWriter, field: Field): ByteWriter {
  switch (field.kind) {
    case 'u8':
    case 'u16':
    case 'u32':
      return writer[field.kind](field.value)
    case 'u64':
    case 'i64':
      return writer[field.kind](field.value)
    case 'bytes':
      return writer.bytes(field.value)
    case 'string16':
      return writer.string16(field.value)
  }
}

function read(reader: ByteReader, { kind, value }: Field): Field['value'] {
  return kind === 'bytes' ? reader.bytes(value.length) : reader[kind]()
}

function faultOf(call: () => unknown): unknown {
  try {
    call()
  } catch (error) {
    expect(error).toBeInstanceOf(CodecError)
    return (error as CodecError).detail
  }
  return undefined
}

describe('fields', () => {
  test('come back as written, at the offsets written', () => {
    fc.assert(
      fc.property(fc.array(field), fc.nat(5), (fields, before) => {
        const size = fields.reduce((sum, one) => sum + sizeOf(one), 0)
        const writer = new ByteWriter(size)
        for (const one of fields) write(writer, one)
        const bytes = writer.finish()
        // The same again inside a larger buffer, through a view that does not start at its beginning.
        const place = new Uint8Array(before + size)
        const into = new ByteWriter(size, place, before)
        for (const one of fields) write(into, one)
        expect(into.at).toBe(before + size)
        expect(place.subarray(before)).toEqual(bytes)
        const reader = new ByteReader(place.subarray(before))
        for (const one of fields) {
          const at = reader.at
          expect(read(reader, one)).toEqual(one.value)
          expect(reader.at - at).toBe(sizeOf(one))
        }
        expect(reader.remaining).toBe(0)
        reader.end()
      }),
    )
  })

  test('cut anywhere are a fault, and nothing else', () => {
    fc.assert(
      fc.property(
        fc.array(field, { minLength: 1, maxLength: 5 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (fields, part) => {
          const writer = new ByteWriter(fields.reduce((sum, one) => sum + sizeOf(one), 0))
          for (const one of fields) write(writer, one)
          const whole = writer.finish()
          fc.pre(whole.length > 0)
          const cut = whole.subarray(0, Math.floor(part * (whole.length - 1)))
          const reader = new ByteReader(cut)
          const fault = faultOf(() => {
            for (const one of fields) read(reader, one)
          })
          expect(fault).toMatchObject({ code: 'codec/short' })
        },
      ),
    )
  })

  test('are little-endian', () => {
    const writer = new ByteWriter(2 + 4 + 8 + 8 + 3)
    writer.u16(0x0102).u32(0x01020304).u64(0x0102030405060708n).i64(-2n).string16('a')
    expect(toHex(writer.finish())).toBe('0201' + '04030201' + '0807060504030201' + 'feffffffffffffff' + '0100' + '61')
  })
})

describe('ByteReader', () => {
  test('says what was wanted where, and stays where it was', () => {
    const reader = new ByteReader(Uint8Array.of(1, 2, 3))
    reader.u8()
    expect(faultOf(() => reader.u32())).toEqual({ code: 'codec/short', at: 1, wantBytes: 4, gotBytes: 2 })
    expect(reader.u16()).toBe(0x0302)
  })

  test('refuses lengths that are none', () => {
    for (const length of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      const reader = new ByteReader(new Uint8Array(8))
      expect(() => reader.bytes(length), `bytes(${length})`).toThrow()
      expect(() => reader.view(length), `view(${length})`).toThrow()
      expect(reader.at).toBe(0)
    }
  })

  test('gives copies, and views where asked', () => {
    const bytes = Uint8Array.of(1, 2, 3, 4)
    const reader = new ByteReader(bytes)
    const [copy, view, rest] = [reader.bytes(1), reader.view(1), reader.rest()]
    bytes.fill(9)
    expect([...copy, ...view, ...rest]).toEqual([1, 9, 3, 4])
  })

  test('copies even where the input is a Buffer, whose own slice does not', () => {
    const bytes = Buffer.from([1, 2, 3])
    const reader = new ByteReader(bytes)
    const [first, rest] = [reader.bytes(1), reader.rest()]
    bytes.fill(9)
    expect([...first, ...rest]).toEqual([1, 2, 3])
    expect(Object.getPrototypeOf(first)).toBe(Uint8Array.prototype)
  })

  test('names trailing bytes', () => {
    const reader = new ByteReader(new Uint8Array(5))
    reader.u16()
    expect(faultOf(() => reader.end())).toEqual({ code: 'codec/trailing', at: 2, extraBytes: 3 })
  })

  test('refuses a string that is no UTF-8', () => {
    expect(faultOf(() => new ByteReader(fromHex('0200c080')).string16())).toEqual({ code: 'codec/utf8', at: 0 })
  })

  test('throws what the package that reads makes of a fault', () => {
    class OwnError extends Error {}
    const reader = new ByteReader(new Uint8Array(1), ({ code }) => new OwnError(code))
    expect(() => reader.u16()).toThrow(OwnError)
    expect(() => reader.end()).toThrow('codec/trailing')
  })
})

describe('ByteWriter', () => {
  test('refuses values that the field does not have', () => {
    const writer = () => new ByteWriter(16)
    for (const value of [-1, 256, 0.5, Number.NaN]) expect(() => writer().u8(value)).toThrow(RangeError)
    expect(() => writer().u16(0x1_0000)).toThrow(RangeError)
    expect(() => writer().u32(0x1_0000_0000)).toThrow(RangeError)
    for (const value of [-1n, 2n ** 64n]) expect(() => writer().u64(value)).toThrow(RangeError)
    for (const value of [-(2n ** 63n) - 1n, 2n ** 63n]) expect(() => writer().i64(value)).toThrow(RangeError)
    expect(() => writer().bytes(new Uint8Array(3), 4)).toThrow(RangeError)
    expect(() => new ByteWriter(70_000).string16('x'.repeat(65_536))).toThrow(RangeError)
  })

  test('does not write past its room, even where the buffer goes on', () => {
    const place = new Uint8Array(10)
    const calls: ((writer: ByteWriter) => unknown)[] = [
      (writer) => writer.u8(1),
      (writer) => writer.u16(1),
      (writer) => writer.u32(1),
      (writer) => writer.u64(1n),
      (writer) => writer.i64(1n),
      (writer) => writer.bytes(Uint8Array.of(1)),
      (writer) => writer.string16('a'),
    ]
    for (const call of calls) {
      const writer = new ByteWriter(2, place, 0)
      writer.u16(0)
      expect(() => call(writer)).toThrow(RangeError)
    }
    expect(place).toEqual(new Uint8Array(10))
  })

  test('must be full when finished, and gives what it wrote', () => {
    const writer = new ByteWriter(2)
    writer.u8(1)
    expect(() => writer.finish()).toThrow(RangeError)
    expect(writer.u8(2).finish()).toEqual(Uint8Array.of(1, 2))
  })

  test('does not start where its room would end after the buffer', () => {
    expect(() => new ByteWriter(3, new Uint8Array(4), 2)).toThrow(RangeError)
    expect(() => new ByteWriter(3, new Uint8Array(4), -1)).toThrow(RangeError)
  })
})
