import { concatBytes, encodeUtf8, fromHex } from '@nexus/codec'
import type { Crypto } from '../provider.ts'
import { assertBytes, assertMisuse } from './assertions.ts'
import type { CryptoChecks } from './kit.ts'

interface Blake2bVectors {
  readonly rfc7693_selftest: {
    readonly digest_sizes: readonly number[]
    readonly input_lengths: readonly number[]
    readonly grand_hash_256: string
  }
  readonly tests: readonly {
    readonly id: string
    readonly digest_size: number
    readonly key: string
    readonly input: string
    readonly digest: string
    readonly salt?: string
  }[]
}

interface Blake3Vectors {
  readonly key: string
  readonly cases: readonly { readonly input_len: number; readonly hash: string; readonly keyed_hash: string }[]
}

interface HkdfVectors {
  readonly tests: readonly {
    readonly id: string
    readonly hash: string
    readonly ikm: string
    readonly salt: string
    readonly info: string
    readonly length: number
    readonly prk: string
    readonly okm: string
  }[]
}

interface WycheproofHkdf {
  readonly testGroups: readonly {
    readonly tests: readonly {
      readonly tcId: number
      readonly ikm: string
      readonly salt: string
      readonly info: string
      readonly size: number
      readonly okm: string
      readonly result: 'valid' | 'invalid'
    }[]
  }[]
}

/** Hashes, HMAC and HKDF. */
export const checkHashes: CryptoChecks = (make, kit) => {
  for (const check of [checkHashVectors, checkKeyDerivation, checkHashRules]) check(make, kit)
}

const checkHashVectors: CryptoChecks = (make, { test, vectors }) => {
  test('SHA-256 and SHA-512 of "abc" (FIPS 180-4)', async () => {
    const crypto = await make()
    const abc = encodeUtf8('abc')
    assertBytes(crypto.sha256(abc), SHA256_ABC, 'SHA-256')
    assertBytes(crypto.sha512(abc), SHA512_ABC, 'SHA-512')
  })

  test('BLAKE2b: RFC 7693, official and computed answers', async () => {
    const crypto = await make()
    const { tests, rfc7693_selftest } = vectors('blake2b.json') as Blake2bVectors
    // Salt and personalisation are no part of the interface.
    for (const { id, digest_size: length, key, input, digest, salt } of tests) {
      if (salt !== undefined) continue
      const options = key === '' ? { length } : { length, key: fromHex(key) }
      assertBytes(crypto.blake2b(fromHex(input), options), digest, id)
    }
    const grandHash = blake2bSelfTest(crypto, rfc7693_selftest)
    assertBytes(grandHash, rfc7693_selftest.grand_hash_256, 'the self-test of RFC 7693 E')
  })

  test('BLAKE3: official answers, plain and keyed', async () => {
    const crypto = await make()
    const { cases, key } = vectors('blake3.json') as Blake3Vectors
    for (const { input_len: length, hash, keyed_hash } of cases) {
      const input = Uint8Array.from({ length }, (_, at) => at % 251)
      assertBytes(crypto.blake3(input), hash.slice(0, 64), `${length} bytes`)
      assertBytes(crypto.blake3(input, encodeUtf8(key)), keyed_hash.slice(0, 64), `${length} bytes, keyed`)
    }
  })
}

const checkKeyDerivation: CryptoChecks = (make, { test, vectors }) => {
  test('HKDF-SHA256 and the HMAC within: RFC 5869', async () => {
    const crypto = await make()
    const { tests } = vectors('rfc5869-hkdf.json') as HkdfVectors
    for (const { id, hash, ikm, salt, info, length, prk, okm } of tests) {
      if (hash.replace('-', '').toUpperCase() !== 'SHA256') continue
      assertBytes(crypto.hmacSha256(fromHex(salt), fromHex(ikm)), prk, `${id}, PRK`)
      assertBytes(crypto.hkdfSha256(fromHex(ikm), fromHex(salt), fromHex(info), length), okm, id)
    }
  })

  test('HKDF-SHA256: Wycheproof', async () => {
    const crypto = await make()
    for (const { tests } of (vectors('wycheproof/hkdf_sha256.json') as WycheproofHkdf).testGroups) {
      for (const { tcId, ikm, salt, info, size, okm, result } of tests) {
        const derive = () => crypto.hkdfSha256(fromHex(ikm), fromHex(salt), fromHex(info), size)
        if (result === 'valid') assertBytes(derive(), okm, `tcId ${tcId}`)
        else assertMisuse(derive, `tcId ${tcId}`)
      }
    }
  })

  test('HMAC-SHA256 with keys shorter than, as long as and longer than a block', async () => {
    const crypto = await make()
    for (const { keyBytes, mac } of HMAC_BY_DEFINITION(crypto)) {
      assertBytes(crypto.hmacSha256(new Uint8Array(keyBytes).fill(0xa5), encodeUtf8('text')), mac, `${keyBytes}`)
    }
  })
}

const checkHashRules: CryptoChecks = (make, { test }) => {
  test('hashes do not depend on what was hashed before, and results are the caller’s own', async () => {
    const crypto = await make()
    const key = new Uint8Array(32).fill(7)
    const hashes = [
      (data: Uint8Array) => crypto.sha256(data),
      (data: Uint8Array) => crypto.blake2b(data),
      (data: Uint8Array) => crypto.blake2b(data, { key }),
      (data: Uint8Array) => crypto.blake3(data),
      (data: Uint8Array) => crypto.blake3(data, key),
    ]
    const inputs = [0, 1, 64, 1023, 1024, 1025, 16_384, 16_385, 70_000].map((length) => new Uint8Array(length).fill(9))
    for (const [index, hash] of hashes.entries()) {
      const first = inputs.map((input) => hash(input))
      const copies = first.map((digest) => digest.slice())
      for (const other of hashes) other(inputs[3]!).fill(0xff)
      for (const [at, input] of inputs.entries()) assertBytes(hash(input), copies[at]!, `hash ${index}, input ${at}`)
      for (const [at, digest] of first.entries()) assertBytes(digest, copies[at]!, `hash ${index}, result ${at}`)
    }
  })

  test('lengths that the algorithms do not have are the caller’s mistake', async () => {
    const crypto = await make()
    const data = new Uint8Array(8)
    assertMisuse(() => crypto.blake2b(data, { length: 0 }), 'BLAKE2b of 0 bytes')
    assertMisuse(() => crypto.blake2b(data, { length: 65 }), 'BLAKE2b of 65 bytes')
    assertMisuse(() => crypto.blake2b(data, { key: new Uint8Array(0) }), 'an empty BLAKE2b key')
    assertMisuse(() => crypto.blake2b(data, { key: new Uint8Array(65) }), 'a BLAKE2b key of 65 bytes')
    assertMisuse(() => crypto.blake3(data, new Uint8Array(31)), 'a BLAKE3 key of 31 bytes')
    assertMisuse(() => crypto.hkdfSha256(data, data, data, 8161), 'HKDF beyond 255 blocks')
    assertMisuse(() => crypto.hkdfSha256(data, data, data, 1.5), 'HKDF of a broken length')
  })
}

const SHA256_ABC = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'
const SHA512_ABC =
  'ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a' +
  '2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f'

/** RFC 2104, written out over the provider's own SHA-256. */
function* HMAC_BY_DEFINITION(crypto: Crypto): Generator<{ keyBytes: number; mac: Uint8Array }> {
  for (const keyBytes of [0, 1, 32, 63, 64, 65, 200]) {
    const key = new Uint8Array(keyBytes).fill(0xa5)
    const block = new Uint8Array(64)
    block.set(keyBytes > 64 ? crypto.sha256(key) : key)
    const inner = crypto.sha256(
      concatBytes(
        block.map((byte) => byte ^ 0x36),
        encodeUtf8('text'),
      ),
    )
    yield {
      keyBytes,
      mac: crypto.sha256(
        concatBytes(
          block.map((byte) => byte ^ 0x5c),
          inner,
        ),
      ),
    }
  }
}

function blake2bSelfTest(crypto: Crypto, selfTest: Blake2bVectors['rfc7693_selftest']): Uint8Array {
  const digests: Uint8Array[] = []
  for (const length of selfTest.digest_sizes) {
    for (const inputLength of selfTest.input_lengths) {
      const input = selfTestSequence(inputLength)
      digests.push(crypto.blake2b(input, { length }), crypto.blake2b(input, { length, key: selfTestSequence(length) }))
    }
  }
  return crypto.blake2b(concatBytes(...digests))
}

/** The deterministic bytes of RFC 7693 appendix E, with their length as seed. */
function selfTestSequence(length: number): Uint8Array {
  let a = Math.imul(0xdead4bad, length)
  let b = 1
  return Uint8Array.from({ length }, () => {
    const sum = (a + b) | 0
    a = b
    b = sum
    return sum >>> 24
  })
}
