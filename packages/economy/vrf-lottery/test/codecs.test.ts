import { fuzzCases, fuzzDecoder } from '@nexus/codec/testing'
import { describe, expect, test } from 'vitest'
import {
  CLAIM_BYTES_MAX,
  decodeClaim,
  decodeLotteryMessage,
  encodeClaim,
  encodeLotteryMessage,
  LotteryError,
  type LotteryErrorDetail,
  type LotteryMessage,
  type WindowClaim,
} from '../src/index.ts'

const series = Uint8Array.of(1, 2, 3, 4)
const sixteen = new Uint8Array(16).fill(7)
const messages: LotteryMessage[] = [
  { kind: 'open-lot', series, commits: [sixteen, new Uint8Array(16)] },
  { kind: 'reveal', series, window: 0xffff_ffff, secret: sixteen, commit: new Uint8Array(16) },
  { kind: 'odds', series, window: 5, odds: 10_000 },
]
const claim = (wins: number, window = 0): WindowClaim => ({
  series,
  window,
  offsets: Array.from({ length: wins }, (_, at) => 3 * at),
  proof: new Uint8Array(80).fill(9),
})
const claims = [[claim(1)], [claim(190)], [claim(3), claim(2, 1), claim(1, 7), claim(50, 9)]]

test('messages and claims come back as they went', () => {
  for (const message of messages) expect(decodeLotteryMessage(encodeLotteryMessage(message))).toEqual(message)
  for (const one of claims) expect(decodeClaim(encodeClaim(one))).toEqual(one)
  expect(messages.map((message) => encodeLotteryMessage(message).length)).toEqual([37, 41, 11])
  expect(encodeClaim([claim(190)]).length).toBe(CLAIM_BYTES_MAX)
})

test('what is no claim is not encoded', () => {
  const unsorted = { ...claim(2), offsets: [5, 4] }
  for (const one of [[], [claim(0)], [claim(191)], [unsorted], [claim(100), claim(100, 1)]]) {
    expect(() => encodeClaim(one)).toThrow(RangeError)
  }
  expect(() => encodeLotteryMessage({ kind: 'odds', series, window: 1, odds: 4 })).toThrow(RangeError)
})

const refusals = {
  'lottery/malformed': () => decodeLotteryMessage(new Uint8Array(0)),
  'lottery/kind': () => decodeLotteryMessage(Uint8Array.of(11)),
  'lottery/odds': () => decodeLotteryMessage(Uint8Array.of(14, 1, 2, 3, 4, 0, 0, 0, 0, 0x11, 0x27)),
  'lottery/windows': () => decodeClaim(new Uint8Array(CLAIM_BYTES_MAX + 1)),
  'lottery/wins': () => decodeClaim(new Uint8Array(89)),
  'lottery/order': () => decodeClaim(Uint8Array.of(1, 2, 3, 4, 0, 0, 0, 0, 2, 5, 0, 5, 0, ...new Uint8Array(80))),
} satisfies Record<LotteryErrorDetail['code'], () => unknown>

test.each(Object.entries(refusals))('%s', (code, decode) => {
  expect(decode).toThrow(LotteryError)
  try {
    decode()
  } catch (error) {
    expect((error as LotteryError).detail.code).toBe(code)
    expect((error as LotteryError).message.length).toBeGreaterThan(10)
  }
})

describe('any bytes', () => {
  const isTyped = (error: unknown) => error instanceof LotteryError
  test('as a message', () => {
    const corpus = messages.map(encodeLotteryMessage)
    const outcome = fuzzDecoder({
      decode: decodeLotteryMessage,
      encode: encodeLotteryMessage,
      isTyped,
      corpus,
      cases: fuzzCases(process.env),
      seed: 1,
    })
    expect(Math.min(outcome.accepted, outcome.refused)).toBeGreaterThan(100)
  })

  test('as a claim', () => {
    const corpus = claims.map(encodeClaim)
    const outcome = fuzzDecoder({
      decode: decodeClaim,
      encode: encodeClaim,
      isTyped,
      corpus,
      cases: fuzzCases(process.env),
      seed: 2,
    })
    expect(Math.min(outcome.accepted, outcome.refused)).toBeGreaterThan(100)
  })
})
