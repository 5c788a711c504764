import { fromHex } from '@nexus/codec'
import { systemRandom } from '../bytes.ts'
import { assertBytes, assertMisuse, assertRefused } from './assertions.ts'
import type { CryptoChecks } from './kit.ts'
import { seededRandom } from './random.ts'

interface Rfc7748Vectors {
  readonly scalar_mult: readonly {
    readonly id: string
    readonly scalar: string
    readonly u: string
    readonly output_u: string
  }[]
  readonly iterated: {
    readonly k0: string
    readonly u0: string
    readonly results: readonly { readonly iterations: number; readonly k: string; readonly slow?: boolean }[]
  }
  readonly diffie_hellman: {
    readonly alice_private: string
    readonly alice_public: string
    readonly bob_private: string
    readonly bob_public: string
    readonly shared: string
  }
}

interface WycheproofX25519 {
  readonly testGroups: readonly {
    readonly tests: readonly {
      readonly tcId: number
      readonly public: string
      readonly private: string
      readonly shared: string
    }[]
  }[]
}

interface KeyMapVectors {
  readonly tests: readonly {
    readonly id: string
    readonly seed: string
    readonly ed25519_public_key: string
    readonly x25519_public_key: string
    readonly x25519_secret_key: string
  }[]
  readonly rejects: readonly { readonly id: string; readonly ed25519_public_key: string }[]
}

const ZERO = '00'.repeat(32)

/** X25519 and the map of Ed25519 keys onto it. */
export const checkAgreement: CryptoChecks = (make, kit) => {
  for (const check of [checkX25519, checkKeyMap, checkAgreementRules]) check(make, kit)
}

const checkX25519: CryptoChecks = (make, { test, vectors, slow }) => {
  const rfc7748 = vectors('rfc7748-x25519.json') as Rfc7748Vectors

  test('X25519: RFC 7748, single steps and the exchange', async () => {
    const crypto = await make()
    for (const { id, scalar, u, output_u } of rfc7748.scalar_mult) {
      assertBytes(crypto.x25519(fromHex(scalar), fromHex(u)), output_u, id)
    }
    const { alice_private, alice_public, bob_private, bob_public, shared } = rfc7748.diffie_hellman
    assertBytes(crypto.x25519PublicKey(fromHex(alice_private)), alice_public, 'Alice')
    assertBytes(crypto.x25519PublicKey(fromHex(bob_private)), bob_public, 'Bob')
    assertBytes(crypto.x25519(fromHex(alice_private), fromHex(bob_public)), shared, 'at Alice')
    assertBytes(crypto.x25519(fromHex(bob_private), fromHex(alice_public)), shared, 'at Bob')
  })

  for (const { iterations, k: expected, slow: takesLong } of rfc7748.iterated.results) {
    if (takesLong && !slow) continue
    test(`X25519: RFC 7748, ${iterations} iterations`, async () => {
      const crypto = await make()
      let k = fromHex(rfc7748.iterated.k0)
      let u = fromHex(rfc7748.iterated.u0)
      for (let iteration = 0; iteration < iterations; iteration++) [k, u] = [crypto.x25519(k, u), k]
      assertBytes(k, expected, `after ${iterations}`)
    })
  }

  test('X25519: Wycheproof, with every all-zero secret refused', async () => {
    const crypto = await make()
    for (const { tests } of (vectors('wycheproof/x25519.json') as WycheproofX25519).testGroups) {
      for (const { tcId, public: publicKey, private: secret, shared } of tests) {
        const agree = () => crypto.x25519(fromHex(secret), fromHex(publicKey))
        if (shared === ZERO) assertRefused('crypto/zero-shared', agree, `tcId ${tcId}`)
        else assertBytes(agree(), shared, `tcId ${tcId}`)
      }
    }
  })
}

const checkKeyMap: CryptoChecks = (make, { test, vectors }) => {
  test('Ed25519 keys map to X25519, or are refused', async () => {
    const crypto = await make()
    const { tests, rejects } = vectors('ed25519-to-x25519.json') as KeyMapVectors
    for (const { id, seed, ed25519_public_key, x25519_public_key, x25519_secret_key } of tests) {
      assertBytes(crypto.publicKey(fromHex(seed)), ed25519_public_key, `${id}, Ed25519`)
      assertBytes(crypto.toX25519Public(fromHex(ed25519_public_key)), x25519_public_key, `${id}, public`)
      assertBytes(crypto.toX25519Secret(fromHex(seed)), x25519_secret_key, `${id}, secret`)
      assertBytes(
        crypto.x25519PublicKey(fromHex(x25519_secret_key)),
        x25519_public_key,
        `${id}, the two belong together`,
      )
    }
    const refused = [...rejects.map(({ ed25519_public_key }) => ed25519_public_key), ...MORE_REJECTS]
    for (const key of refused) {
      assertRefused('crypto/public-key', () => crypto.toX25519Public(fromHex(key)), key)
    }
  })

  test('both sides agree, and inputs stay as they were', async () => {
    const crypto = await make()
    const random = seededRandom('agreement')
    for (let round = 0; round < 4; round++) {
      const [a, b] = [random(32), random(32)]
      const copies = [a.slice(), b.slice()] as const
      const shared = crypto.x25519(a, crypto.x25519PublicKey(b))
      assertBytes(crypto.x25519(b, crypto.x25519PublicKey(a)), shared, 'shared')
      assertBytes(a, copies[0], 'the first secret')
      assertBytes(b, copies[1], 'the second secret')
    }
  })
}

const checkAgreementRules: CryptoChecks = (make, { test }) => {
  test('a forgotten secret is zeroed, and works again when handed in again', async () => {
    const crypto = await make()
    const [a, b] = [new Uint8Array(32).fill(5), new Uint8Array(32).fill(6)]
    const before = [crypto.x25519PublicKey(a), crypto.publicKey(b)] as const
    crypto.forget(a, b)
    for (const secret of [a, b]) assertBytes(secret, ZERO, 'the secret')
    assertBytes(crypto.x25519PublicKey(a.fill(5)), before[0], 'X25519')
    assertBytes(crypto.publicKey(b.fill(6)), before[1], 'Ed25519')
    crypto.forget()
  })

  test('an ephemeral key is that of the randomness given, agrees, and is of no use once wiped', async () => {
    const crypto = await make()
    const secret = new Uint8Array(32).fill(7)
    const key = crypto.ephemeralKey(() => secret)
    assertBytes(key.publicKey, crypto.x25519PublicKey(secret), 'the public key')
    const fresh = crypto.ephemeralKey(systemRandom)
    assertBytes(key.agree(fresh.publicKey), fresh.agree(key.publicKey), 'shared')
    assertBytes(key.agree(fresh.publicKey), crypto.x25519(secret, fresh.publicKey), 'the same secret')
    assertRefused('crypto/zero-shared', () => fresh.agree(new Uint8Array(32)), 'a point of small order')
    assertMisuse(() => fresh.agree(new Uint8Array(31)), 'a short public key')
    assertMisuse(() => crypto.ephemeralKey(() => new Uint8Array(31)), 'a short secret')
    for (const one of [key, fresh]) {
      one.wipe()
      assertRefused('crypto/wiped', () => one.agree(secret), 'after the wipe')
    }
    assertBytes(secret, '07'.repeat(32), 'what was handed in')
  })

  test('wrong lengths are the caller’s mistake', async () => {
    const crypto = await make()
    const [short, right] = [new Uint8Array(31), new Uint8Array(32).fill(9)]
    assertMisuse(() => crypto.x25519PublicKey(short), 'a short secret')
    assertMisuse(() => crypto.x25519(short, right), 'a short secret')
    assertMisuse(() => crypto.x25519(right, short), 'a short public key')
    assertMisuse(() => crypto.toX25519Secret(short), 'a short seed')
    assertMisuse(() => crypto.publicKey(short), 'a short seed')
  })
}

/**
 * Beyond the file: the other encodings of small-order points, non-canonical ones included; y = 3 and 4 spelt with p added;
 * wrong lengths.
 */
const MORE_REJECTS = [
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0000000000000000000000000000000000000000000000000000000000000080',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa',
  '0100000000000000000000000000000000000000000000000000000000000080',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'f0ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'f1ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',
  '',
  '58666666666666666666666666666666666666666666666666666666666666',
  '586666666666666666666666666666666666666666666666666666666666666600',
]
