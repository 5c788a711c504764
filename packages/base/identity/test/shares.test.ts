import { seededRandom } from '@nexus/crypto/testing'
import fc from 'fast-check'
import { combine as combineElsewhere, split as splitElsewhere } from 'shamir-secret-sharing'
import { describe, expect, test } from 'vitest'
import { invert, multiply } from '../src/gf256.ts'
import {
  combineShares,
  decodeShare,
  encodeShare,
  type IdentityErrorDetail,
  nodeIdOf,
  SHARE_BYTES,
  SHARE_TEXT_LENGTH,
  type Share,
  shareFromText,
  shareToText,
  splitSeed,
} from '../src/index.ts'
import { codeOf, crypto, exactly, seedOf } from './fixtures.ts'

const random = seededRandom('shares')
const splitting = fc
  .tuple(fc.integer({ min: 2, max: 16 }), fc.integer({ min: 2, max: 16 }))
  .map(([a, b]) => ({ threshold: Math.min(a, b), shares: Math.max(a, b) }))
const anyShare: fc.Arbitrary<Share> = fc.record({
  threshold: fc.integer({ min: 2, max: 16 }),
  x: fc.integer({ min: 1, max: 255 }),
  splitId: exactly(4),
  nodeId: exactly(16),
  y: exactly(32),
})

/** Multiplication as on paper: shift, add, then reduce by 0x11B. */
function plainMultiply(a: number, b: number): number {
  let product = 0
  for (let bit = 0; bit < 8; bit++) if (b & (1 << bit)) product ^= a << bit
  for (let bit = 14; bit >= 8; bit--) if (product & (1 << bit)) product ^= 0x11b << (bit - 8)
  return product
}

describe('field', () => {
  test('every product and every inverse', () => {
    for (let a = 0; a < 256; a++) {
      for (let b = 0; b < 256; b++) if (multiply(a, b) !== plainMultiply(a, b)) expect([a, b]).toBeUndefined()
      expect(multiply(a, invert(a))).toBe(a === 0 ? 0 : 1)
    }
    expect(multiply(0x57, 0x83)).toBe(0xc1)
  })
})

describe('splitting and combining', () => {
  test('any K shares in any order give the seed', () => {
    fc.assert(
      fc.property(exactly(32), splitting, fc.infiniteStream(fc.nat()), (seed, how, order) => {
        const shares = splitSeed(crypto, random, seed, how)
        expect(shares.map((share) => share.x)).toEqual(Array.from({ length: how.shares }, (_, index) => index + 1))
        const shuffled = shares
          .map((share) => ({ share, rank: order.next().value ?? 0 }))
          .sort((a, b) => a.rank - b.rank)
          .map(({ share }) => share)
        expect(combineShares(crypto, shuffled.slice(0, how.threshold))).toEqual(seed)
        expect(combineShares(crypto, shuffled)).toEqual(seed)
        expect(codeOf(() => combineShares(crypto, shuffled.slice(0, how.threshold - 1)))).toBe(
          'identity/shares-missing',
        )
      }),
      { numRuns: 40 },
    )
  })

  test('an audited library combines our shares, and we combine its', async () => {
    const seed = seedOf(9)
    const theirForm = (share: Share) => Uint8Array.of(...share.y, share.x)
    const ours = splitSeed(crypto, random, seed, { threshold: 3, shares: 5 })
    expect(await combineElsewhere([ours[4]!, ours[0]!, ours[2]!].map(theirForm))).toEqual(seed)
    const theirs = await splitElsewhere(seed, 6, 4)
    const nodeId = nodeIdOf(crypto, crypto.publicKey(seed))
    const asOurs = theirs.map((bytes) => ({
      threshold: 4,
      x: bytes[32]!,
      splitId: new Uint8Array(4),
      nodeId,
      y: bytes.slice(0, 32),
    }))
    expect(combineShares(crypto, asOurs)).toEqual(seed)
  })

  test('one share fewer fits every seed equally', () => {
    const [first] = splitSeed(crypto, random, seedOf(1), { threshold: 2, shares: 2 })
    // For any seed there is a second share that gives it together with the first: the line through both points.
    for (const candidate of [seedOf(0), seedOf(77), seedOf(255)]) {
      const slope = first!.y.map((value, at) => multiply(value ^ candidate[at]!, invert(first!.x)))
      const y = slope.map((value, at) => multiply(value, 2) ^ candidate[at]!)
      const nodeId = nodeIdOf(crypto, crypto.publicKey(candidate))
      const pair = [first!, { ...first!, x: 2, y }].map((share) => ({ ...share, nodeId }))
      expect(combineShares(crypto, pair)).toEqual(candidate)
    }
  })

  test('refuses what does not belong together', () => {
    const [a, b, c] = splitSeed(crypto, random, seedOf(3), { threshold: 2, shares: 3 }) as [Share, Share, Share]
    expect(codeOf(() => combineShares(crypto, []))).toBe('identity/shares-missing')
    expect(codeOf(() => combineShares(crypto, [a, a]))).toBe('identity/shares-repeated')
    expect(codeOf(() => combineShares(crypto, [a, b, b]))).toBe('identity/shares-repeated')
    for (const other of [{ splitId: new Uint8Array(4) }, { nodeId: new Uint8Array(16) }, { threshold: 3 }]) {
      expect(codeOf(() => combineShares(crypto, [a, { ...b, ...other }]))).toBe('identity/shares-mixed')
    }
    expect(codeOf(() => combineShares(crypto, [a, { ...b, y: c.y }]))).toBe('identity/shares-seed')
    // Only the K shares with the smallest x are used, so a forged one counts there and nowhere else.
    expect(combineShares(crypto, [{ ...c, y: b.y }, b, a])).toEqual(seedOf(3))
    expect(codeOf(() => combineShares(crypto, [c, b, { ...a, y: b.y }]))).toBe('identity/shares-seed')
  })

  test('misuse is a RangeError', () => {
    for (const how of [
      { threshold: 1, shares: 2 },
      { threshold: 3, shares: 2 },
      { threshold: 2, shares: 17 },
      { threshold: 2.5, shares: 3 },
    ]) {
      expect(() => splitSeed(crypto, random, seedOf(1), how)).toThrow(RangeError)
    }
    expect(() => splitSeed(crypto, random, new Uint8Array(31), { threshold: 2, shares: 2 })).toThrow(RangeError)
  })
})

describe('share codec', () => {
  test('round trip in bytes and in text', () => {
    expect([SHARE_BYTES, SHARE_TEXT_LENGTH]).toEqual([59, 95])
    fc.assert(
      fc.property(anyShare, (share) => {
        const bytes = encodeShare(crypto, share)
        expect(bytes.length).toBe(SHARE_BYTES)
        expect(decodeShare(crypto, bytes)).toEqual(share)
        const text = shareToText(crypto, share)
        expect(text).toMatch(/^[a-z2-7]{95}$/)
        expect(shareFromText(crypto, text.toUpperCase().replace(/(.{5})/g, '$1 - \n'))).toEqual(share)
      }),
    )
  })

  test('every typing error in one letter is noticed', () => {
    const [share] = splitSeed(crypto, seededRandom(1), seedOf(3), { threshold: 2, shares: 2 })
    const text = shareToText(crypto, share!)
    for (let at = 0; at < text.length; at++) {
      const wrong = text.slice(0, at) + (text[at] === 'a' ? 'b' : 'a') + text.slice(at + 1)
      expect(['identity/share-checksum', 'identity/share-text']).toContain(codeOf(() => shareFromText(crypto, wrong)))
    }
  })

  test('each rejection by its code', () => {
    const [share] = splitSeed(crypto, seededRandom(1), seedOf(3), { threshold: 2, shares: 2 })
    const bytes = encodeShare(crypto, share!)
    const text = shareToText(crypto, share!)
    const rechecked = (at: number, value: number) => {
      const changed = bytes.with(at, value)
      changed.set(crypto.blake2b(changed.subarray(0, 55)).subarray(0, 4), 55)
      return () => decodeShare(crypto, changed)
    }
    const rejections: Partial<Record<IdentityErrorDetail['code'], (() => unknown)[]>> = {
      'identity/length': [
        () => decodeShare(crypto, bytes.subarray(1)),
        () => decodeShare(crypto, new Uint8Array(60)),
        () => shareFromText(crypto, text.slice(1)),
        () => shareFromText(crypto, ''),
      ],
      'identity/share-text': [
        () => shareFromText(crypto, `1${text.slice(1)}`),
        () => shareFromText(crypto, `é${text.slice(1)}`),
      ],
      'identity/share-checksum': [() => decodeShare(crypto, bytes.with(58, bytes[58]! ^ 1))],
      'identity/share-version': [rechecked(0, 0), rechecked(0, 2)],
      'identity/share-threshold': [rechecked(1, 0), rechecked(1, 1), rechecked(1, 17)],
      'identity/share-x': [rechecked(2, 0)],
    }
    for (const [code, acts] of Object.entries(rejections)) for (const act of acts) expect(codeOf(act)).toBe(code)
  })

  test('misuse is a RangeError', () => {
    const share = splitSeed(crypto, random, seedOf(3), { threshold: 2, shares: 2 })[0]!
    for (const bad of [
      { threshold: 1 },
      { x: 0 },
      { x: 256 },
      { y: new Uint8Array(31) },
      { splitId: new Uint8Array(3) },
    ]) {
      expect(() => encodeShare(crypto, { ...share, ...bad })).toThrow(RangeError)
    }
  })
})
