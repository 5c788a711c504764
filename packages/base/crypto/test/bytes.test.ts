import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { CryptoError, equalConstantTime, portable, systemRandom, wipe } from '../src/index.ts'
import { rawEd25519 } from '../src/raw.ts'
import { seededRandom } from '../src/testing.ts'

describe('equalConstantTime', () => {
  test('agrees with a comparison byte by byte', () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.uint8Array(), (a, b) => {
        expect(equalConstantTime(a, b)).toBe(a.join() === b.join())
        expect(equalConstantTime(a, a.slice())).toBe(true)
      }),
    )
  })

  test('sees a change of any one bit', () => {
    const a = new Uint8Array(32).fill(0x5a)
    for (let bit = 0; bit < 256; bit++) {
      const b = a.slice()
      b[bit >> 3]! ^= 1 << (bit & 7)
      expect(equalConstantTime(a, b)).toBe(false)
    }
  })
})

test('wipe zeroes every array, and only what a view covers', () => {
  const bytes = new Uint8Array(8).fill(1)
  const other = new Uint8Array(3).fill(2)
  wipe(bytes.subarray(2, 5), other)
  expect([...bytes]).toEqual([1, 1, 0, 0, 0, 1, 1, 1])
  expect([...other]).toEqual([0, 0, 0])
})

describe('systemRandom', () => {
  test.each([0, 1, 32, 65_536, 65_537, 200_000])('fills %i bytes', (length) => {
    const bytes = systemRandom(length)
    expect(bytes.length).toBe(length)
    // 64 zero bytes in a row come up once in 2^512 times: a chunk that was left out would show.
    expect(Buffer.from(bytes).includes(Buffer.alloc(64))).toBe(false)
  })

  test('does not repeat', () => {
    expect(systemRandom(32)).not.toEqual(systemRandom(32))
  })
})

describe('seededRandom', () => {
  test('gives for a seed the same bytes on every machine and in every version', () => {
    const random = seededRandom(1)
    expect(Buffer.from(random(8)).toString('hex')).toBe('37fa539e57b44763')
    expect(Buffer.from(seededRandom('1')(8)).toString('hex')).not.toBe('37fa539e57b44763')
  })

  test('streams of different seeds differ, and a stream goes on', () => {
    const streams = Array.from({ length: 500 }, (_, seed) => Buffer.from(seededRandom(seed)(16)).toString('hex'))
    expect(new Set(streams).size).toBe(500)
    const random = seededRandom(0)
    expect(new Set(Array.from({ length: 500 }, () => Buffer.from(random(16)).toString('hex'))).size).toBe(500)
  })

  test('every byte value comes up about as often as it should', () => {
    const counts = new Array<number>(256).fill(0)
    for (const byte of seededRandom('even')(256_000)) counts[byte]!++
    // 1 000 expected of each; six standard deviations.
    expect(Math.min(...counts)).toBeGreaterThan(810)
    expect(Math.max(...counts)).toBeLessThan(1190)
  })
})

describe('CryptoError', () => {
  test('explains every code in words', () => {
    const details = [
      { code: 'crypto/zero-shared' },
      { code: 'crypto/public-key' },
      { code: 'crypto/tag', tag: 'x' },
      { code: 'crypto/message-length', lengthBytes: 32 },
      { code: 'crypto/http-base' },
      { code: 'crypto/wiped' },
    ] as const
    const messages = details.map((detail) => new CryptoError(detail).message)
    expect(new Set(messages).size).toBe(details.length)
    for (const message of messages) expect(message.length).toBeGreaterThan(10)
  })
})

describe('rawEd25519', () => {
  test('goes along when a provider is spread into another object', () => {
    const crypto = portable()
    const counting = { ...crypto, name: 'counting' }
    expect(rawEd25519(counting)).toBe(rawEd25519(crypto))
  })

  test('is not there for other objects', () => {
    const { sha256, ...rest } = portable()
    const stranger = Object.fromEntries(Object.entries(rest)) as unknown as ReturnType<typeof portable>
    expect(() => rawEd25519(stranger)).toThrow(TypeError)
    expect(sha256).toBeTypeOf('function')
  })
})
