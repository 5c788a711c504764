import { concatBytes, encodeUtf8 } from '@nexus/codec'
import { ED25519_TORSION_SUBGROUP, ed25519 } from '@noble/curves/ed25519.js'
import { sha512 } from '@noble/hashes/sha2.js'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Crypto, portable } from '../src/index.ts'
import { nodeCrypto } from '../src/node.ts'

const { Point } = ed25519
const { Fn } = Point
const TAG = 'nxs-test'
const TORSION = ED25519_TORSION_SUBGROUP.map((hex) => Point.fromHex(hex))
const SEEDS = process.env['NEXUS_SEEDS'] === undefined ? 40 : Number(process.env['NEXUS_SEEDS'])

const providers: readonly Crypto[] = [portable(), await nodeCrypto()]

interface Signed {
  readonly publicKey: Uint8Array
  readonly signature: Uint8Array
  readonly content: Uint8Array
}

/** The verdict of docs/spec/crypto.md, written out on points and numbers with none of the shortcuts of the sources. */
function plainVerdict(signed: Signed): boolean {
  const a = decodeCanonical(signed.publicKey)
  const r = decodeCanonical(signed.signature.slice(0, 32))
  if (a === undefined || r === undefined || toNumber(signed.signature.slice(32)) >= Fn.ORDER) return false
  return !TORSION.some((point) => point.equals(a) || point.equals(r)) && equationHolds(signed)
}

/** [S]B = R + [k]A, of points that decode. */
function equationHolds({ publicKey, signature, content }: Signed): boolean {
  const [a, r] = [Point.fromBytes(publicKey), Point.fromBytes(signature.slice(0, 32))]
  const s = toNumber(signature.slice(32))
  const k = challenge(signature.slice(0, 32), publicKey, content)
  return times(Point.BASE, s).equals(r.add(times(a, k)))
}

/** Every provider, key met or not, alone or in a batch. */
async function assertOneVerdict(signed: Signed): Promise<boolean> {
  const expected = plainVerdict(signed)
  const { publicKey, signature, content } = signed
  for (const crypto of providers) {
    for (let round = 0; round < 3; round++) {
      expect(crypto.verify(publicKey, signature, TAG, content), `${crypto.name}, round ${round}`).toBe(expected)
    }
    const job = { publicKey, signature, tag: TAG, parts: [content] }
    expect(await crypto.verifyBatch([job, job]), `${crypto.name}, batch`).toEqual([expected, expected])
  }
  return expected
}

describe('all providers give the plain verdict', () => {
  const content = fc.uint8Array({ minLength: 25, maxLength: 80 })
  const seed = fc.uint8Array({ minLength: 32, maxLength: 32 })
  const torsion = fc.constantFrom(...TORSION)

  test('honest signatures, and the same with one bit changed', async () => {
    let valid = 0
    await fc.assert(
      fc.asyncProperty(seed, content, fc.nat(8 * 96 - 1), async (secret, message, bit) => {
        const publicKey = ed25519.getPublicKey(secret)
        const signature = ed25519.sign(concatBytes(encodeUtf8(TAG), message), secret)
        if (await assertOneVerdict({ publicKey, signature, content: message })) valid++
        const changed = concatBytes(publicKey, signature)
        changed[bit >> 3]! ^= 1 << (bit & 7)
        await assertOneVerdict({ publicKey: changed.slice(0, 32), signature: changed.slice(32), content: message })
      }),
      { numRuns: SEEDS },
    )
    expect(valid).toBe(SEEDS)
  })

  test('torsion added to the key, to R, or to both', async () => {
    const verdicts = { true: 0, false: 0 }
    await fc.assert(
      fc.asyncProperty(seed, content, torsion, torsion, async (secret, message, onKey, onR) => {
        const verdict = await assertOneVerdict(signWithTorsion(secret, message, onKey, onR, 1n))
        verdicts[`${verdict}`]++
      }),
      { numRuns: 3 * SEEDS },
    )
    expect(Math.min(verdicts.true, verdicts.false)).toBeGreaterThan(SEEDS / 20)
  })

  test('R of small order under a key of mixed order: false, also where the equation holds', async () => {
    let held = 0
    await fc.assert(
      fc.asyncProperty(seed, content, torsion, torsion, async (secret, message, onKey, r) => {
        const signed = signWithTorsion(secret, message, onKey, r, 0n)
        if (equationHolds(signed)) held++
        expect(await assertOneVerdict(signed)).toBe(false)
      }),
      { numRuns: 3 * SEEDS },
    )
    expect(held).toBeGreaterThan(SEEDS / 20)
  })

  test('S + L, the same scalar spelled again', async () => {
    await fc.assert(
      fc.asyncProperty(seed, content, async (secret, message) => {
        const publicKey = ed25519.getPublicKey(secret)
        const signature = ed25519.sign(concatBytes(encodeUtf8(TAG), message), secret)
        signature.set(toBytes(toNumber(signature.slice(32)) + Fn.ORDER), 32)
        expect(await assertOneVerdict({ publicKey, signature, content: message })).toBe(false)
      }),
      { numRuns: 5 },
    )
  })

  test('keys of small order and every non-canonical y, with either sign, as key and as R', async () => {
    const message = new Uint8Array(40)
    const honest = ed25519.sign(concatBytes(encodeUtf8(TAG), message), new Uint8Array(32))
    const publicKey = ed25519.getPublicKey(new Uint8Array(32))
    const encodings = TORSION.map((point) => point.toBytes())
    for (let y = Point.Fp.ORDER; y < 2n ** 255n; y++) encodings.push(toBytes(y), toBytes(y + 2n ** 255n))
    for (const encoding of encodings) {
      // S = 0 and R = A: for a small-order key the equation holds for one k in eight at the least.
      const flat = concatBytes(encoding, new Uint8Array(32))
      expect(await assertOneVerdict({ publicKey: encoding, signature: flat, content: message })).toBe(false)
      const swapped = concatBytes(encoding, honest.slice(32))
      expect(await assertOneVerdict({ publicKey, signature: swapped, content: message })).toBe(false)
    }
  })
})

describe('all providers map the same keys', () => {
  test('to the same X25519 keys, and refuse the same ones', () => {
    const mapped = (crypto: Crypto, key: Uint8Array) => {
      try {
        return crypto.toX25519Public(key)
      } catch {
        return undefined
      }
    }
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), fc.constantFrom(...TORSION), (secret, torsion) => {
        const honest = Point.fromBytes(ed25519.getPublicKey(secret))
        for (const key of [honest.add(torsion).toBytes(), torsion.toBytes(), secret]) {
          const [first, ...others] = providers.map((crypto) => mapped(crypto, key))
          for (const other of others) expect(other).toEqual(first)
        }
        const onlyHonest = mapped(providers[0]!, honest.add(torsion).toBytes())
        expect(onlyHonest !== undefined).toBe(torsion.is0())
      }),
      { numRuns: SEEDS },
    )
  })
})

/** A signature by nonce 7·`nonceFactor` under A + `onKey`, with R + `onR`: it holds where the torsion cancels. */
function signWithTorsion(
  secret: Uint8Array,
  content: Uint8Array,
  onKey: InstanceType<typeof Point>,
  onR: InstanceType<typeof Point>,
  nonceFactor: bigint,
): Signed {
  const nonce = 7n * nonceFactor
  const { scalar, point } = ed25519.utils.getExtendedPublicKey(secret)
  const publicKey = point.add(onKey).toBytes()
  const r = times(Point.BASE, nonce).add(onR).toBytes()
  const s = Fn.create(nonce + challenge(r, publicKey, content) * scalar)
  return { publicKey, signature: concatBytes(r, toBytes(s)), content }
}

function challenge(r: Uint8Array, publicKey: Uint8Array, content: Uint8Array): bigint {
  return Fn.create(toNumber(sha512(concatBytes(r, publicKey, encodeUtf8(TAG), content))))
}

function decodeCanonical(bytes: Uint8Array): InstanceType<typeof Point> | undefined {
  try {
    return Point.fromBytes(bytes)
  } catch {
    return undefined
  }
}

function times(point: InstanceType<typeof Point>, scalar: bigint): InstanceType<typeof Point> {
  return point.multiplyUnsafe(scalar)
}

function toNumber(littleEndian: Uint8Array): bigint {
  return littleEndian.reduceRight((sum, byte) => sum * 256n + BigInt(byte), 0n)
}

function toBytes(number: bigint): Uint8Array {
  return Uint8Array.from({ length: 32 }, (_, at) => Number((number >> BigInt(8 * at)) & 0xffn))
}
