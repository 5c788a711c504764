import { describe, expect, test } from 'vitest'
import { isAcceptableKey, isAcceptableSignature, isSmallOrder } from '../src/encoding.ts'

const P = 2n ** 255n - 19n
const L = 2n ** 252n + 27742317777372353535851937790883648493n
const SIGN = 2n ** 255n

function toBytes(number: bigint): Uint8Array {
  return Uint8Array.from({ length: 32 }, (_, at) => Number((number >> BigInt(8 * at)) & 0xffn))
}

describe('a key', () => {
  test('has its y below p, with either sign', () => {
    for (const sign of [0n, SIGN]) {
      for (let y = P; y < SIGN; y++) expect(isAcceptableKey(toBytes(y + sign)), `${y}`).toBe(false)
      for (const y of [2n, 3n, P - 2n, P - 256n, P / 2n]) expect(isAcceptableKey(toBytes(y + sign)), `${y}`).toBe(true)
    }
  })

  test('has 32 bytes', () => {
    for (const length of [0, 31, 33]) expect(isAcceptableKey(new Uint8Array(length).fill(9))).toBe(false)
  })

  test('is not of small order', () => {
    const ofOrderEight = 2707385501144840649318225287225658788936804267575313519463743609750303402022n
    for (const y of [0n, 1n, P - 1n, ofOrderEight, P - ofOrderEight]) {
      for (const sign of [0n, SIGN]) {
        expect(isSmallOrder(toBytes(y + sign)), `${y}`).toBe(true)
        expect(isAcceptableKey(toBytes(y + sign)), `${y}`).toBe(false)
        expect(isSmallOrder(toBytes(y + sign + 2n)), `${y} + 2`).toBe(false)
      }
    }
  })
})

describe('a signature', () => {
  const R = toBytes(3n)

  test.each([
    [0n, true],
    [1n, true],
    [L - 1n, true],
    [L, false],
    [L + 1n, false],
    [2n ** 252n, true],
    [2n ** 253n, false],
    [SIGN, false],
    [2n ** 256n - 1n, false],
  ])('with S = %i is canonical: %s', (s, expected) => {
    expect(isAcceptableSignature(Uint8Array.of(...R, ...toBytes(s)))).toBe(expected)
  })

  test('has the y of R below p and not of small order, as p − 1 is, with either sign', () => {
    for (let y = P - 3n; y < SIGN; y++) {
      for (const sign of [0n, SIGN]) {
        expect(isAcceptableSignature(Uint8Array.of(...toBytes(y + sign), ...toBytes(5n))), `${y}`).toBe(y < P - 1n)
      }
    }
  })

  test('has 64 bytes', () => {
    for (const length of [0, 32, 63, 65]) expect(isAcceptableSignature(new Uint8Array(length))).toBe(false)
  })
})
