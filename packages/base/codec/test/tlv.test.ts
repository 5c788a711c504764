import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ByteReader, ByteWriter, CodecError, fromHex, readTlvs, type Tlv, tlvsLength, writeTlvs } from '../src/index.ts'

const list = fc.array(fc.record({ type: fc.nat(255), data: fc.uint8Array({ maxLength: 255, size: 'max' }) }), {
  maxLength: 8,
})

function encode(tlvs: readonly Tlv[]): Uint8Array {
  const writer = new ByteWriter(tlvsLength(tlvs))
  writeTlvs(writer, tlvs)
  return writer.finish()
}

describe('TLVs', () => {
  test('come back as written, unknown types, repeated ones and empty ones included', () => {
    fc.assert(
      fc.property(list, (tlvs) => {
        expect(readTlvs(new ByteReader(encode(tlvs)))).toEqual(tlvs)
      }),
    )
  })

  test('are type, length, data', () => {
    expect(
      encode([
        { type: 5, data: Uint8Array.of(9, 8) },
        { type: 255, data: new Uint8Array(0) },
      ]),
    ).toEqual(fromHex('05020908ff00'))
  })

  test.each(['05', '0501', '05020900', '0000ff01'])('cut ones are a fault: %s', (hex) => {
    const tlvs = () => readTlvs(new ByteReader(fromHex(hex)))
    if (hex === '05020900') expect(tlvs()).toHaveLength(1)
    else expect(tlvs).toThrow(CodecError)
  })

  test('take at most 255 bytes of data', () => {
    const tlvs = [{ type: 1, data: new Uint8Array(256) }]
    expect(() => encode(tlvs)).toThrow(RangeError)
  })
})
