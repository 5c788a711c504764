import { concatBytes, fromHex } from '@nexus/codec'
import type { Crypto } from '../provider.ts'
import { assertBytes, assertEqual, assertMisuse, assertRefused } from './assertions.ts'
import type { CryptoChecks } from './kit.ts'
import { seededRandom } from './random.ts'

interface Rfc9381Vectors {
  readonly tests: readonly {
    readonly id: string
    readonly sk: string
    readonly pk: string
    readonly alpha: string
    readonly pi: string
    readonly beta: string
  }[]
}

interface ComputedVectors {
  readonly tests: readonly {
    readonly id: string
    readonly sk?: string
    readonly valid: boolean
    readonly pk: string
    readonly alpha: string
    readonly pi: string
    readonly beta: string | null
    readonly proof_is_prove_output?: boolean
  }[]
}

/** The order of the base point, little-endian. */
const GROUP_ORDER = fromHex('edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010')
/** All encodings that noble, libsodium or RFC 8032 might take for a point of small order. */
const SMALL_ORDER = [
  '0100000000000000000000000000000000000000000000000000000000000000',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0000000000000000000000000000000000000000000000000000000000000080',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa',
].map(fromHex)
/** Encodings of no point: y at or above p, and the sign bit where x is 0. */
const NON_CANONICAL = [
  '0100000000000000000000000000000000000000000000000000000000000080',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'f0ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',
].map(fromHex)

/** ECVRF-EDWARDS25519-SHA512-TAI. */
export const checkVrf: CryptoChecks = (make, kit) => {
  for (const check of [checkVrfVectors, checkVrfRefusals, checkProver]) check(make, kit)
}

const checkVrfVectors: CryptoChecks = (make, { test, vectors }) => {
  test('ECVRF: RFC 9381, examples 16 to 18', async () => {
    const crypto = await make()
    for (const { id, sk, pk, alpha, pi, beta } of (
      vectors('rfc9381-ecvrf-edwards25519-sha512-tai.json') as Rfc9381Vectors
    ).tests) {
      const prover = crypto.vrfProver(fromHex(sk))
      assertBytes(prover.publicKey, pk, `${id}, key`)
      assertBytes(prover.prove(fromHex(alpha)), pi, `${id}, pi`)
      assertBytes(crypto.vrfVerify(fromHex(pk), fromHex(pi), fromHex(alpha)), beta, `${id}, beta`)
      assertBytes(crypto.vrfHash(fromHex(pi)), beta, `${id}, beta of the proof alone`)
    }
  })

  test('ECVRF: computed proofs, valid and not', async () => {
    const crypto = await make()
    for (const { id, sk, valid, pk, alpha, pi, beta, proof_is_prove_output } of (
      vectors('ecvrf-computed.json') as ComputedVectors
    ).tests) {
      const output = crypto.vrfVerify(fromHex(pk), fromHex(pi), fromHex(alpha))
      assertEqual(output !== undefined, valid, `${id}, verdict`)
      if (beta !== null) assertBytes(output, beta, `${id}, beta`)
      if (sk !== undefined && proof_is_prove_output === true) {
        assertBytes(crypto.vrfProver(fromHex(sk)).prove(fromHex(alpha)), pi, `${id}, pi`)
      }
    }
  })
}

const checkVrfRefusals: CryptoChecks = (make, { test }) => {
  test('ECVRF: a change of any one bit is refused', async () => {
    const crypto = await make()
    const { publicKey, alpha, proof } = sample(crypto)
    const random = seededRandom('bits')
    for (let round = 0; round < 24; round++) {
      const bit = new DataView(random(2).buffer).getUint16(0, true) % 640
      const changed = proof.slice()
      changed[bit >> 3]! ^= 1 << (bit & 7)
      assertUnproved(crypto, publicKey, changed, alpha, `bit ${bit} of the proof`)
    }
    const otherAlpha = alpha.slice()
    otherAlpha[3]! ^= 1
    assertUnproved(crypto, publicKey, proof, otherAlpha, 'another input')
    assertUnproved(crypto, publicKey, proof, alpha.subarray(1), 'a shorter input')
    assertUnproved(crypto, crypto.publicKey(random(32)), proof, alpha, 'another key')
  })

  test('ECVRF: no second spelling of s or of a point', async () => {
    const crypto = await make()
    const { publicKey, alpha, proof } = sample(crypto)
    const malleated = proof.slice()
    addTo(malleated, 48, GROUP_ORDER)
    assertUnproved(crypto, publicKey, malleated, alpha, 's + L')
    assertEqual(crypto.vrfHash(malleated) === undefined, true, 's + L has no output')
    const atBound = concatBytes(proof.subarray(0, 48), GROUP_ORDER)
    assertEqual(crypto.vrfHash(atBound) === undefined, true, 's = L has no output')
    for (const encoding of NON_CANONICAL) {
      const changed = concatBytes(encoding, proof.subarray(32))
      assertUnproved(crypto, publicKey, changed, alpha, 'gamma not canonical')
      assertEqual(crypto.vrfHash(changed) === undefined, true, 'gamma not canonical: no output')
      assertUnproved(crypto, encoding, proof, alpha, 'key not canonical')
    }
  })

  test('ECVRF: keys of small order are refused whatever the proof, gammas of small order are no proof', async () => {
    const crypto = await make()
    const { publicKey, alpha, proof } = sample(crypto)
    const zeros = new Uint8Array(80)
    for (const encoding of SMALL_ORDER) {
      for (const pi of [proof, zeros, concatBytes(encoding, zeros.subarray(32))]) {
        assertUnproved(crypto, encoding, pi, alpha, 'key of small order')
      }
      const flat = concatBytes(encoding, proof.subarray(32))
      assertUnproved(crypto, publicKey, flat, alpha, 'gamma of small order')
      assertUnproved(crypto, publicKey, concatBytes(encoding, zeros.subarray(32)), alpha, 'c = s = 0')
      // 8·Γ is zero for all of them, and RFC 9381 hashes it like any other point.
      assertBytes(crypto.vrfHash(flat), crypto.vrfHash(concatBytes(SMALL_ORDER[0]!, proof.subarray(32)))!, 'output')
    }
  })

  test('ECVRF: nothing a peer sends makes a verdict throw', async () => {
    const crypto = await make()
    const random = seededRandom('vrf garbage')
    const { publicKey, alpha, proof } = sample(crypto)
    for (let round = 0; round < 20; round++) {
      assertUnproved(crypto, random(32), concatBytes(random(79), Uint8Array.of(0)), random(9), `round ${round}`)
      assertUnproved(crypto, publicKey, concatBytes(random(79), Uint8Array.of(0)), alpha, `round ${round}, our key`)
    }
    for (const length of [0, 31, 33, 64]) assertUnproved(crypto, random(length), proof, alpha, `a key of ${length}`)
    for (const length of [0, 79, 81, 160]) {
      assertUnproved(crypto, publicKey, random(length), alpha, `a proof of ${length}`)
      assertEqual(crypto.vrfHash(random(length)) === undefined, true, `the output of ${length}`)
    }
  })
}

const checkProver: CryptoChecks = (make, { test }) => {
  test('ECVRF: every proof holds, is the same again, and has one output', async () => {
    const crypto = await make()
    const random = seededRandom('prover')
    for (let round = 0; round < 6; round++) {
      const prover = crypto.vrfProver(random(32))
      const alpha = random(20 * round)
      const proof = prover.prove(alpha)
      const output = crypto.vrfVerify(prover.publicKey, proof, alpha)
      assertEqual(output?.length, 64, 'output')
      assertBytes(crypto.vrfHash(proof), output!, 'output of the proof')
      assertBytes(prover.prove(alpha), proof, 'again')
    }
  })

  test('ECVRF: a prover copies its seed, and is of no use once wiped', async () => {
    const crypto = await make()
    const seed = new Uint8Array(32).fill(7)
    const prover = crypto.vrfProver(seed)
    const proof = prover.prove(seed)
    const alpha = seed.slice()
    seed.fill(0)
    assertBytes(prover.prove(alpha), proof, 'after the seed went')
    prover.wipe()
    assertRefused('crypto/wiped', () => prover.prove(alpha), 'wiped')
    assertMisuse(() => crypto.vrfProver(new Uint8Array(31)), 'a short seed')
  })
}

function sample(crypto: Crypto): { publicKey: Uint8Array; alpha: Uint8Array; proof: Uint8Array } {
  const prover = crypto.vrfProver(new Uint8Array(32).fill(9))
  const alpha = new Uint8Array(12).fill(3)
  return { publicKey: prover.publicKey, alpha, proof: prover.prove(alpha) }
}

function assertUnproved(crypto: Crypto, key: Uint8Array, proof: Uint8Array, alpha: Uint8Array, what: string): void {
  assertEqual(crypto.vrfVerify(key, proof, alpha) === undefined, true, what)
}

/** Adds a little-endian number to the one of as many bytes at `at`. */
function addTo(bytes: Uint8Array, at: number, addend: Uint8Array): void {
  let carry = 0
  for (let index = 0; index < addend.length; index++) {
    carry += bytes[at + index]! + addend[index]!
    bytes[at + index] = carry
    carry >>= 8
  }
}
