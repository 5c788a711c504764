import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { encodeHdlc, HdlcDecoder, type HdlcFault, hdlcBytesMax } from '../src/index.ts'

interface InterfaceVectors {
  readonly framing: { readonly hdlc: { name: string; payload: string; frame: string }[] }
  readonly decoding: { readonly hdlc: { name: string; chunks: string[]; packets: string[] }[] }
}

const vectors: InterfaceVectors = JSON.parse(
  readFileSync(new URL('../../../../conformance-vectors/reticulum/interfaces.json', import.meta.url), 'utf8'),
)
/** Reticulum's reader hands on no packet below this, whatever the framing says. */
const RETICULUM_BYTES_MIN = 20

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')
const bytesOf = (text: string) => new Uint8Array(Buffer.from(text, 'hex'))

function encode(frame: Uint8Array): Uint8Array {
  const into = new Uint8Array(hdlcBytesMax(frame.length))
  return into.subarray(0, encodeHdlc(frame, into, 0))
}

function decode(chunks: Iterable<Uint8Array>, frameBytesMax = 600, strayEscapes: 'drop' | 'keep' = 'drop') {
  const frames: string[] = []
  const faults: HdlcFault[] = []
  const decoder = new HdlcDecoder({
    frameBytesMax,
    strayEscapes,
    onFrame: (frame) => frames.push(hex(frame)),
    onFault: (fault) => faults.push(fault),
  })
  for (const chunk of chunks) decoder.push(chunk)
  return { frames, faults, decoder }
}

describe('vectors of Reticulum', () => {
  for (const { name, payload, frame } of vectors.framing.hdlc) {
    test(`framing: ${name}`, () => {
      expect(hex(encode(bytesOf(payload)))).toBe(frame)
      expect(decode([bytesOf(frame)]).frames).toEqual(payload === '' ? [] : [payload])
    })
  }
  for (const { name, chunks, packets } of vectors.decoding.hdlc) {
    test(`decoding: ${name}`, () => {
      const { frames } = decode(chunks.map(bytesOf), 600, 'keep')
      expect(frames.filter((frame) => frame.length >= 2 * RETICULUM_BYTES_MIN)).toEqual(packets)
    })
  }
})

describe('encodeHdlc', () => {
  test('writes at the offset and nowhere else', () => {
    const into = new Uint8Array(40).fill(0xaa)
    const frame = bytesOf('7e00017d7f7c80ff')
    const after = encodeHdlc(frame, into, 5)
    expect(hex(into.subarray(5, after))).toBe('7e7d5e00017d5d7f7c80ff7e')
    expect(into.subarray(0, 5).every((byte) => byte === 0xaa)).toBe(true)
    expect(into.subarray(after).every((byte) => byte === 0xaa)).toBe(true)
  })

  test('takes views into larger memory on both sides', () => {
    const frame = bytesOf('ffff7e7d0102ffff').subarray(2, 6)
    const into = new Uint8Array(64).subarray(7, 40)
    expect(hex(into.subarray(0, encodeHdlc(frame, into, 0)))).toBe('7e7d5e7d5d01027e')
  })

  test('asks for room for the worst case', () => {
    expect(() => encodeHdlc(new Uint8Array(10), new Uint8Array(21), 0)).toThrow(RangeError)
    expect(() => encodeHdlc(new Uint8Array(10), new Uint8Array(30), 9)).toThrow(RangeError)
    expect(encodeHdlc(new Uint8Array(10), new Uint8Array(22), 0)).toBe(12)
  })
})

describe('HdlcDecoder', () => {
  test('every byte value alone and in every place of a word', () => {
    for (let value = 0; value < 256; value++) {
      for (let place = 0; place < 9; place++) {
        const frame = new Uint8Array(9).fill(0x11)
        frame[place] = value
        expect(decode([encode(frame)]).frames).toEqual([hex(frame)])
      }
    }
  })

  test('any frames, however cut into chunks, come out as they went in', () => {
    const byte = fc.oneof(fc.constantFrom(0x7e, 0x7d, 0x5e, 0x5d, 0x7f, 0xfd, 0xfe), fc.integer({ min: 0, max: 255 }))
    const frame = fc.array(byte, { minLength: 1, maxLength: 80 }).map((bytes) => Uint8Array.from(bytes))
    fc.assert(
      fc.property(
        fc.array(frame, { maxLength: 8 }),
        fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }),
        (frames, cuts) => {
          const stream = Buffer.concat(frames.map(encode))
          const chunks: Uint8Array[] = []
          for (let at = 0, i = 0; at < stream.length; i++) {
            const size = cuts[i % cuts.length] as number
            chunks.push(new Uint8Array(stream.subarray(at, at + size)))
            at += size
          }
          const { frames: got, faults } = decode(chunks)
          expect(got).toEqual(frames.map(hex))
          expect(faults).toEqual([])
        },
      ),
    )
  })

  test('drops a frame with a stray escape and goes on', () => {
    const { frames, faults } = decode([bytesOf('7e01027d41037e' + '0a0b7e' + '7e017d7e0c0d7e')])
    expect(frames).toEqual(['0a0b', '0c0d'])
    expect(faults).toEqual(['escape', 'escape'])
  })

  test('keeps stray escapes where told, also at the limit', () => {
    expect(decode([bytesOf('7e01027d41037d7e')], 600, 'keep').frames).toEqual(['01027d41037d'])
    const { frames, faults } = decode([bytesOf('7e0102037d41037e05067e' + '01027d7d7e09')], 3, 'keep')
    expect(frames).toEqual(['0506'])
    expect(faults).toEqual(['oversize', 'oversize'])
  })

  test('takes a frame of the limit, refuses one byte more, goes on at the next flag', () => {
    for (const size of [1, 2, 3, 4, 5, 8, 37, 508]) {
      const fits = new Uint8Array(size).fill(0x42)
      const { frames, faults } = decode([encode(fits), encode(new Uint8Array(size + 1)), encode(fits)], size)
      expect(frames).toEqual([hex(fits), hex(fits)])
      expect(faults).toEqual(['oversize'])
    }
  })

  test('holds at most one frame of an endless one', () => {
    const { decoder, faults } = decode([bytesOf('7e')], 508)
    for (let i = 0; i < 1_000; i++) {
      decoder.push(new Uint8Array(1_000))
      expect(decoder.pendingBytes).toBeLessThanOrEqual(508)
    }
    expect(faults).toEqual(['oversize'])
  })
})
