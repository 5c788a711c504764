import { concatBytes, fromHex } from '@nexus/codec'
import { AUTH_TAG_BYTES } from '../limits.ts'
import type { Crypto } from '../provider.ts'
import { assertBytes, assertEqual, assertMisuse, assertNotOpened, assertRefused } from './assertions.ts'
import type { CryptoChecks } from './kit.ts'
import { seededRandom } from './random.ts'

interface Rfc8439Vectors {
  readonly aead: readonly {
    readonly id: string
    readonly key: string
    readonly nonce: string
    readonly aad: string
    readonly plaintext: string
    readonly ciphertext: string
    readonly tag: string
  }[]
}

interface WycheproofAead {
  readonly testGroups: readonly {
    readonly ivSize: number
    readonly tests: readonly {
      readonly tcId: number
      readonly key: string
      readonly iv: string
      readonly aad: string
      readonly msg: string
      readonly ct: string
      readonly tag: string
      readonly result: 'valid' | 'invalid'
    }[]
  }[]
}

/** Around every block and path boundary: Poly1305 and ChaCha20 blocks, and the size where a provider changes over. */
const LENGTHS = [0, 1, 15, 16, 17, 63, 64, 65, 484, 1024, 4096, 8191, 8192, 8193, 16_384, 70_000]

/** The AEAD, one message at a time and as a cipher. */
export const checkAead: CryptoChecks = (make, kit) => {
  for (const check of [checkAeadVectors, checkCipher, checkForgery, checkAeadRules]) check(make, kit)
}

const checkAeadVectors: CryptoChecks = (make, { test, vectors }) => {
  test('ChaCha20-Poly1305: RFC 8439', async () => {
    const crypto = await make()
    for (const { id, key, nonce, aad, plaintext, ciphertext, tag } of (
      vectors('rfc8439-chacha20-poly1305.json') as Rfc8439Vectors
    ).aead) {
      const fixed = [fromHex(key), fromHex(nonce), fromHex(aad)] as const
      assertBytes(crypto.seal(...fixed, fromHex(plaintext)), ciphertext + tag, id)
      assertBytes(crypto.open(...fixed, fromHex(ciphertext + tag)), plaintext, id)
    }
  })

  test('ChaCha20-Poly1305: Wycheproof', async () => {
    const crypto = await make()
    for (const { ivSize, tests } of (vectors('wycheproof/chacha20_poly1305.json') as WycheproofAead).testGroups) {
      for (const { tcId, key, iv, aad, msg, ct, tag, result } of tests) {
        const fixed = [fromHex(key), fromHex(iv), fromHex(aad)] as const
        const open = () => crypto.open(...fixed, fromHex(ct + tag))
        if (ivSize !== 96) assertMisuse(open, `tcId ${tcId}`)
        else if (result === 'invalid') assertNotOpened(open(), `tcId ${tcId}`)
        else {
          assertBytes(open(), msg, `tcId ${tcId}`)
          assertBytes(crypto.seal(...fixed, fromHex(msg)), ct + tag, `tcId ${tcId}`)
        }
      }
    }
  })
}

const checkCipher: CryptoChecks = (make, { test }) => {
  test('a cipher is seal and open under counter nonces, in place or not', async () => {
    const crypto = await make()
    const random = seededRandom('cipher')
    const key = random(32)
    const cipher = crypto.cipher(key)
    const counters = [0, 1, 255, 256, 2 ** 32 - 1, 2 ** 32, 2 ** 40 + 5, Number.MAX_SAFE_INTEGER]
    for (const [index, length] of LENGTHS.entries()) {
      const counter = counters[index % counters.length]!
      const associated = random([0, 1, 16, 40, 1024, 1025][index % 6]!)
      const plaintext = random(length)
      const expected = crypto.seal(key, counterNonce(counter), associated, plaintext)
      assertSealsInto(cipher.seal.bind(cipher, counter, associated), plaintext, expected)
      assertOpensInto(cipher.open.bind(cipher, counter, associated), expected, plaintext)
      assertBytes(crypto.open(key, counterNonce(counter), associated, expected), plaintext, `open of ${length}`)
    }
  })
}

const checkForgery: CryptoChecks = (make, { test }) => {
  test('one changed bit anywhere fails, and leaves the output as it was', async () => {
    const crypto = await make()
    const random = seededRandom('changed bit')
    const key = random(32)
    const cipher = crypto.cipher(key)
    const associated = random(9)
    for (const length of [0, 40, 9000]) {
      const sealed = new Uint8Array(length + AUTH_TAG_BYTES)
      cipher.seal(3, associated, random(length), sealed, 0)
      for (const at of [0, sealed.length >> 1, sealed.length - AUTH_TAG_BYTES, sealed.length - 1]) {
        const changed = sealed.slice()
        changed[at]! ^= 0x10
        const out = new Uint8Array(length).fill(0xee)
        assertEqual(cipher.open(3, associated, changed, out, 0), -1, `byte ${at} of ${sealed.length}`)
        assertBytes(out, new Uint8Array(length).fill(0xee), 'the output')
        const inPlace = changed.slice()
        assertEqual(cipher.open(3, associated, inPlace, inPlace, 0), -1, `byte ${at}, in place`)
        assertBytes(inPlace, changed, 'the input')
        assertNotOpened(crypto.open(key, counterNonce(3), associated, changed), `byte ${at}, one shot`)
      }
      const out = new Uint8Array(length)
      assertEqual(cipher.open(4, associated, sealed, out, 0), -1, 'another counter')
      assertEqual(cipher.open(3, random(9), sealed, out, 0), -1, 'other associated data')
      for (const cut of [0, 1, AUTH_TAG_BYTES - 1]) {
        assertEqual(cipher.open(3, associated, sealed.subarray(0, cut), out, 0), -1, `${cut} bytes`)
        assertNotOpened(crypto.open(key, counterNonce(3), associated, sealed.subarray(0, cut)), `${cut} bytes`)
      }
    }
  })
}

const checkAeadRules: CryptoChecks = (make, { test }) => {
  test('ciphers hold their own key, do not disturb each other, and forget it when wiped', async () => {
    const crypto = await make()
    const keys = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)] as const
    const [first, second] = [crypto.cipher(keys[0]), crypto.cipher(keys[1])]
    const none = new Uint8Array(0)
    const expected = keys.map((key) => crypto.seal(key, counterNonce(5), none, new Uint8Array(20)))
    for (const key of keys) key.fill(0xff)
    const sealedBy = (cipher: ReturnType<Crypto['cipher']>) => {
      const out = new Uint8Array(36)
      cipher.seal(5, none, new Uint8Array(20), out, 0)
      return out
    }
    assertBytes(sealedBy(first), expected[0]!, 'the first')
    assertBytes(sealedBy(second), expected[1]!, 'the second')
    first.wipe()
    assertRefused('crypto/wiped', () => sealedBy(first), 'seal after wipe')
    assertRefused('crypto/wiped', () => first.open(5, none, expected[0]!, new Uint8Array(20), 0), 'open after wipe')
    first.wipe()
    assertBytes(sealedBy(second), expected[1]!, 'the second, after the first was wiped')
  })

  test('wrong lengths, counters and offsets are the caller’s mistake', async () => {
    const crypto = await make()
    const none = new Uint8Array(0)
    const cipher = crypto.cipher(new Uint8Array(32))
    assertMisuse(() => crypto.cipher(new Uint8Array(31)), 'a short key')
    assertMisuse(() => crypto.seal(new Uint8Array(33), new Uint8Array(12), none, none), 'a long key')
    assertMisuse(() => crypto.open(new Uint8Array(32), new Uint8Array(8), none, new Uint8Array(16)), 'a short nonce')
    for (const counter of [-1, 0.5, 2 ** 53, Number.NaN]) {
      assertMisuse(() => cipher.seal(counter, none, none, new Uint8Array(16), 0), `counter ${counter}`)
    }
    for (const at of [-1, 1, 0.5]) {
      assertMisuse(() => cipher.seal(0, none, none, new Uint8Array(16), at), `seal at ${at}`)
      assertMisuse(() => cipher.open(0, none, new Uint8Array(20), new Uint8Array(4), at), `open at ${at}`)
    }
  })
}

type CipherCall = (input: Uint8Array, out: Uint8Array, at: number) => number

function assertSealsInto(seal: CipherCall, plaintext: Uint8Array, expected: Uint8Array): void {
  const what = `seal of ${plaintext.length}`
  const roomy = new Uint8Array(expected.length + 7).fill(0xdd)
  assertEqual(seal(plaintext, roomy, 3), expected.length, what)
  const frame = new Uint8Array(3).fill(0xdd)
  assertBytes(roomy, concatBytes(frame, expected, new Uint8Array(4).fill(0xdd)), what)
  const same = new Uint8Array(expected.length + 5)
  same.set(plaintext, 5)
  assertEqual(seal(same.subarray(5, 5 + plaintext.length), same, 5), expected.length, `${what} in place`)
  assertBytes(same.slice(5), expected, `${what} in place`)
}

function assertOpensInto(open: CipherCall, sealed: Uint8Array, expected: Uint8Array): void {
  const what = `open of ${sealed.length}`
  const roomy = new Uint8Array(expected.length + 7).fill(0xdd)
  assertEqual(open(sealed, roomy, 3), expected.length, what)
  const frame = new Uint8Array(3).fill(0xdd)
  assertBytes(roomy, concatBytes(frame, expected, new Uint8Array(4).fill(0xdd)), what)
  const same = concatBytes(new Uint8Array(5), sealed)
  assertEqual(open(same.subarray(5), same, 5), expected.length, `${what} in place`)
  assertBytes(same.slice(5, 5 + expected.length), expected, `${what} in place`)
  assertBytes(same.slice(5 + expected.length), sealed.slice(expected.length), `${what}: the bytes after it`)
}

/** Noise §12, written out: 4 zero bytes, then the counter as u64 little-endian. */
function counterNonce(counter: number): Uint8Array {
  const nonce = new Uint8Array(12)
  new DataView(nonce.buffer).setBigUint64(4, BigInt(counter), true)
  return nonce
}
