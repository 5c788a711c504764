import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  ADVISORY_BYTES_MAX,
  ADVISORY_BYTES_MIN,
  type Advisory,
  type AdvisoryStanding,
  addAdvisory,
  advisoryVerdict,
  advisoryVerifyJobs,
  decodeAdvisory,
  EVIDENCE,
  encodeAdvisory,
  evidenceOf,
  signAdvisory,
  verifyAdvisory,
} from '../src/index.ts'
import { codeOf, crypto, exactly, identityOf } from './fixtures.ts'

const old = identityOf(1)
const [first, second, third] = [identityOf(2), identityOf(3), identityOf(4)]
const both = signAdvisory(old, { sequence: 5n, replacement: first })
const oldOnly = signAdvisory(old, { sequence: 5n, replacement: first.publicKey })
const none = signAdvisory(old, { sequence: 5n })

/** Unsigned advisories about one key, few keys and sequences, so that they collide; the standing checks no signature. */
const anyAdvisory: fc.Arbitrary<Advisory> = fc
  .record({
    key: fc.constantFrom(undefined, ...[1, 2, 3, 4, 5].map((byte) => new Uint8Array(32).fill(byte))),
    bothKeys: fc.boolean(),
    sequence: fc.bigInt({ min: 0n, max: 3n }),
    signature: fc.integer({ min: 0, max: 2 }),
  })
  .map(({ key, bothKeys, sequence, signature }) => ({
    compromisedKey: old.publicKey,
    sequence,
    oldSignature: new Uint8Array(64).fill(signature),
    ...(key === undefined ? {} : { newKey: key }),
    ...(key !== undefined && bothKeys ? { newSignature: new Uint8Array(64) } : {}),
  }))

const standingOf = (advisories: readonly Advisory[]) =>
  advisories.reduce<AdvisoryStanding | undefined>(addAdvisory, undefined)

/** The rule as the specification words it, over the whole set at once. */
function plainVerdict(advisories: readonly Advisory[]) {
  for (const evidence of [EVIDENCE.BOTH_KEYS, EVIDENCE.OLD_KEY]) {
    const keys = advisories.filter((each) => evidenceOf(each) === evidence && each.newKey !== undefined)
    const distinct = [...new Set(keys.map((each) => each.newKey![0]!))].sort((a, b) => a - b)
    if (distinct.length === 1) return { kind: 'candidate', key: distinct[0], evidence }
    if (distinct.length > 1) return { kind: 'flagged', keys: distinct.slice(0, 2) }
  }
  return { kind: 'revoked' }
}

describe('advisory codec', () => {
  test('sizes', () => {
    expect([ADVISORY_BYTES_MIN, ADVISORY_BYTES_MAX]).toEqual([137, 201])
    expect([none, oldOnly, both].map((each) => encodeAdvisory(each).length)).toEqual([137, 137, 201])
  })

  test('round trip', () => {
    const arbitrary = fc
      .record({
        compromisedKey: exactly(32),
        newKey: exactly(32),
        sequence: fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
        oldSignature: exactly(64),
        newSignature: exactly(64),
      })
      .filter(
        ({ newKey, compromisedKey }) => newKey.some((byte) => byte !== 0) && newKey.join() !== compromisedKey.join(),
      )
    fc.assert(
      fc.property(arbitrary, fc.integer({ min: 0, max: 2 }), (full, form) => {
        const { newKey, newSignature, ...bare } = full
        const advisory = form === 0 ? bare : form === 1 ? { ...bare, newKey } : full
        expect(decodeAdvisory(encodeAdvisory(advisory))).toEqual(advisory)
      }),
    )
  })

  test('each rejection by its code', () => {
    const bytes = encodeAdvisory(both)
    const shorter = encodeAdvisory(oldOnly)
    expect(codeOf(() => decodeAdvisory(bytes.subarray(0, 136)))).toBe('identity/length')
    expect(codeOf(() => decodeAdvisory(bytes.subarray(0, 200)))).toBe('identity/length')
    expect(codeOf(() => decodeAdvisory(Uint8Array.of(...bytes, 0)))).toBe('identity/length')
    expect(codeOf(() => decodeAdvisory(shorter.with(72, 1)))).toBe('identity/length')
    expect(codeOf(() => decodeAdvisory(bytes.with(72, 2)))).toBe('identity/length')
    for (const evidence of [0, 3, 255]) {
      expect(codeOf(() => decodeAdvisory(bytes.with(72, evidence)))).toBe('identity/evidence')
    }
    const withNewKey = (key: Uint8Array, into: Uint8Array) => {
      const changed = into.slice()
      changed.set(key, 32)
      return () => decodeAdvisory(changed)
    }
    expect(codeOf(withNewKey(new Uint8Array(32), bytes))).toBe('identity/advisory-keys')
    expect(codeOf(withNewKey(old.publicKey, bytes))).toBe('identity/advisory-keys')
    expect(codeOf(withNewKey(old.publicKey, shorter))).toBe('identity/advisory-keys')
    expect(codeOf(withNewKey(new Uint8Array(32), shorter))).toBeUndefined()
  })

  test('misuse is a RangeError', () => {
    expect(() => signAdvisory(old, { sequence: 1n, replacement: old })).toThrow(RangeError)
    expect(() => signAdvisory(old, { sequence: 1n, replacement: new Uint8Array(32) })).toThrow(RangeError)
    expect(() => signAdvisory(old, { sequence: 1n, replacement: new Uint8Array(31) })).toThrow(RangeError)
    expect(() => signAdvisory(old, { sequence: -1n })).toThrow(RangeError)
    expect(() => encodeAdvisory({ ...none, newSignature: new Uint8Array(64) })).toThrow(RangeError)
    expect(() => encodeAdvisory({ ...none, newKey: new Uint8Array(32) })).toThrow(RangeError)
  })
})

describe('advisory signatures', () => {
  test('hold for all three forms, and break with any bit', () => {
    for (const advisory of [none, oldOnly, both]) {
      expect(verifyAdvisory(crypto, advisory)).toBe(true)
      const bytes = encodeAdvisory(advisory)
      for (let at = 0; at < bytes.length; at += 3) {
        const changed = bytes.slice()
        changed[at]! ^= 4
        let holds = false
        const code = codeOf(() => {
          holds = verifyAdvisory(crypto, decodeAdvisory(changed))
        })
        if (code === undefined) expect([at, holds]).toEqual([at, false])
      }
    }
  })

  test('evidence 1 needs both signatures', () => {
    expect(advisoryVerifyJobs(both).length).toBe(2)
    expect(advisoryVerifyJobs(oldOnly).length).toBe(1)
    expect(verifyAdvisory(crypto, { ...both, newSignature: both.oldSignature })).toBe(false)
    expect(verifyAdvisory(crypto, { ...both, oldSignature: both.newSignature! })).toBe(false)
    const { newSignature: _, ...demoted } = both
    expect(verifyAdvisory(crypto, demoted)).toBe(false)
    expect(verifyAdvisory(crypto, { ...oldOnly, newSignature: both.newSignature! })).toBe(false)
  })
})

describe('standing', () => {
  test('is what the rule says, whatever the order and however often', () => {
    fc.assert(
      fc.property(
        fc.array(anyAdvisory, { minLength: 1, maxLength: 12 }),
        fc.infiniteStream(fc.nat({ max: 11 })),
        (advisories, picks) => {
          const standing = standingOf(advisories)!
          const again = [...advisories]
          for (let extra = 0; extra < 6; extra++) again.push(advisories[(picks.next().value ?? 0) % advisories.length]!)
          for (let at = again.length - 1; at > 0; at--) {
            const other = (picks.next().value ?? 0) % (at + 1)
            ;[again[at], again[other]] = [again[other]!, again[at]!]
          }
          expect(standingOf(again)).toEqual(standing)
          expect(standing.advisories.length).toBeLessThanOrEqual(2)
          const verdict = advisoryVerdict(standing)
          const plain = plainVerdict(advisories)
          expect(verdict.kind).toBe(plain.kind)
          if (verdict.kind === 'candidate') {
            expect([verdict.newKey[0], verdict.evidence]).toEqual([plain.key, plain.evidence])
          }
          if (verdict.kind === 'flagged') expect(verdict.newKeys.map((key) => key[0])).toEqual(plain.keys)
        },
      ),
    )
  })

  test('better evidence wins, equal evidence for two keys flags, a repeat takes the higher sequence', () => {
    expect(advisoryVerdict(standingOf([none])!)).toEqual({ kind: 'revoked' })
    expect(advisoryVerdict(standingOf([none, oldOnly])!)).toMatchObject({ kind: 'candidate', evidence: 2 })
    const other = signAdvisory(old, { sequence: 99n, replacement: second.publicKey })
    expect(advisoryVerdict(standingOf([oldOnly, other])!)).toMatchObject({ kind: 'flagged' })
    expect(advisoryVerdict(standingOf([oldOnly, other, both])!)).toEqual({
      kind: 'candidate',
      newKey: first.publicKey,
      evidence: EVIDENCE.BOTH_KEYS,
    })
    const rival = signAdvisory(old, { sequence: 0n, replacement: second })
    expect(advisoryVerdict(standingOf([both, rival])!).kind).toBe('flagged')
    const repeat = signAdvisory(old, { sequence: 6n, replacement: first })
    expect(standingOf([repeat, both])!.advisories).toEqual([repeat])
  })

  test('says that nothing changed by returning itself', () => {
    const standing = standingOf([both])!
    expect(addAdvisory(standing, both)).toBe(standing)
    expect(addAdvisory(standing, oldOnly)).toBe(standing)
    expect(addAdvisory(standing, signAdvisory(old, { sequence: 6n, replacement: first }))).not.toBe(standing)
  })

  test('holds two advisories however many contradict each other', () => {
    const rivals = [first, second, third].map((replacement) => signAdvisory(old, { sequence: 1n, replacement }))
    const standing = standingOf(rivals)!
    expect(standing.advisories.length).toBe(2)
    expect(() => addAdvisory(standing, signAdvisory(second, { sequence: 1n }))).toThrow(RangeError)
  })
})
