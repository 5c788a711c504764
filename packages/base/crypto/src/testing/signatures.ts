import { concatBytes, encodeUtf8, fromHex } from '@nexus/codec'
import type { Crypto, VerifyHttpJob, VerifyJob } from '../provider.ts'
import { rawEd25519 } from '../raw.ts'
import { assertBytes, assertEqual, assertMisuse, assertRefused } from './assertions.ts'
import type { CryptoChecks } from './kit.ts'
import { seededRandom } from './random.ts'

interface Rfc8032Vectors {
  readonly tests: readonly {
    readonly id: string
    readonly variant: 'Ed25519' | 'Ed25519ctx' | 'Ed25519ph'
    readonly secret_key: string
    readonly public_key: string
    readonly message: string
    readonly signature: string
  }[]
}

interface WycheproofEd25519 {
  readonly testGroups: readonly {
    readonly publicKey: { readonly pk: string }
    readonly tests: readonly {
      readonly tcId: number
      readonly msg: string
      readonly sig: string
      readonly result: 'valid' | 'invalid'
    }[]
  }[]
}

interface EdgeCases {
  readonly tests: readonly {
    readonly id: string
    readonly what: string
    readonly public_key: string
    readonly message: string
    readonly signature: string
    readonly valid_rfc8032_strict_cofactorless: boolean
  }[]
}

const TAG = 'nxs-test'

/** Ed25519, and the rules of what is signed. */
export const checkSignatures: CryptoChecks = (make, kit) => {
  for (const check of [checkSignatureVectors, checkTags, checkVerdicts, checkBatches]) check(make, kit)
}

const checkSignatureVectors: CryptoChecks = (make, { test, vectors }) => {
  test('Ed25519: RFC 8032', async () => {
    const crypto = await make()
    const raw = rawEd25519(crypto)
    for (const { id, variant, secret_key, public_key, message, signature } of (
      vectors('rfc8032-ed25519.json') as Rfc8032Vectors
    ).tests) {
      if (variant !== 'Ed25519') continue
      assertBytes(crypto.publicKey(fromHex(secret_key)), public_key, id)
      assertBytes(raw.sign(fromHex(secret_key), fromHex(message)), signature, id)
      assertEqual(raw.verify(fromHex(public_key), fromHex(signature), fromHex(message)), true, id)
    }
  })

  test('Ed25519: Wycheproof', async () => {
    const raw = rawEd25519(await make())
    for (const { publicKey, tests } of (vectors('wycheproof/ed25519.json') as WycheproofEd25519).testGroups) {
      for (const { tcId, msg, sig, result } of tests) {
        const verdict = raw.verify(fromHex(publicKey.pk), fromHex(sig), fromHex(msg))
        assertEqual(verdict, result === 'valid', `tcId ${tcId}`)
      }
    }
  })

  test('Ed25519: edge cases, strict, without cofactor, keys and R of small order refused', async () => {
    const raw = rawEd25519(await make())
    for (const { id, what, public_key, message, signature, valid_rfc8032_strict_cofactorless: strict } of (
      vectors('ed25519-edge-cases.json') as EdgeCases
    ).tests) {
      const verdict = raw.verify(fromHex(public_key), fromHex(signature), fromHex(message))
      assertEqual(verdict, strict && !/small-order [AR]/.test(what), `${id}: ${what}`)
    }
  })
}

const checkTags: CryptoChecks = (make, { test }) => {
  test('a signature covers the tag and the parts joined, and nothing else', async () => {
    const crypto = await make()
    const random = seededRandom('signing')
    const [seed, a, b] = [random(32), random(5), random(60)]
    const publicKey = crypto.publicKey(seed)
    const signature = crypto.sign(seed, TAG, a, b)
    assertBytes(signature, rawEd25519(crypto).sign(seed, concatBytes(encodeUtf8(TAG), a, b)), 'the message')
    assertEqual(crypto.verify(publicKey, signature, TAG, a, b), true, 'as signed')
    assertEqual(crypto.verify(publicKey, signature, TAG, concatBytes(a, b)), true, 'in one part')
    assertEqual(crypto.verify(publicKey, signature, TAG, b, a), false, 'in another order')
    assertEqual(crypto.verify(publicKey, signature, 'nxs-tesu', a, b), false, 'another tag')
    assertEqual(crypto.verify(publicKey, signature, TAG, a), false, 'a part less')
    assertEqual(crypto.verify(crypto.publicKey(random(32)), signature, TAG, a, b), false, 'another key')
    assertEqual(crypto.verify(publicKey, crypto.sign(seed, TAG), TAG), true, 'the tag alone')
  })

  test('what must not be signed is not signed', async () => {
    const crypto = await make()
    const seed = new Uint8Array(32).fill(3)
    for (const tag of ['', 'nxs-tes', 'nxs-test1', 'nxs-tést', 'nxs test', 'nxs-tes\n', '"xs-test', 'nxs-tes\u{7f}']) {
      assertRefused('crypto/tag', () => crypto.sign(seed, tag, new Uint8Array(40)), `tag ${tag}`)
      assertRefused('crypto/tag', () => crypto.verify(seed, new Uint8Array(64), tag), `verify, tag ${tag}`)
    }
    assertRefused('crypto/message-length', () => crypto.sign(seed, TAG, new Uint8Array(24)), '32 bytes in one part')
    const parts = [new Uint8Array(20), new Uint8Array(0), new Uint8Array(4)]
    assertRefused('crypto/message-length', () => crypto.sign(seed, TAG, ...parts), '32 bytes in three parts')
    const base = encodeUtf8('"@method": POST, 32 bytes long!!')
    assertEqual(base.length, 32, 'the base')
    assertRefused('crypto/message-length', () => crypto.signHttp(seed, base), 'a base of 32 bytes')
    assertRefused('crypto/http-base', () => crypto.signHttp(seed, new Uint8Array(0)), 'no base')
    assertRefused('crypto/http-base', () => crypto.signHttp(seed, encodeUtf8(`${TAG} in disguise`)), 'a tagged message')
    assertMisuse(() => crypto.sign(new Uint8Array(31), TAG), 'a short seed')
    assertMisuse(() => crypto.signHttp(new Uint8Array(33), encodeUtf8('"@method": GET')), 'a long seed')
  })
}

const checkVerdicts: CryptoChecks = (make, { test }) => {
  test('bytes that nobody may sign do not verify, even where their signature holds', async () => {
    const crypto = await make()
    const seed = new Uint8Array(32).fill(4)
    const publicKey = crypto.publicKey(seed)
    const raw = rawEd25519(crypto)
    const content = new Uint8Array(24)
    const tagged = raw.sign(seed, concatBytes(encodeUtf8(TAG), content))
    const base = encodeUtf8('"@method": POST, 32 bytes long!!')
    const http = raw.sign(seed, base)
    const unquoted = raw.sign(seed, encodeUtf8('@method: GET'))
    assertEqual(crypto.verify(publicKey, tagged, TAG, content), false, 'a tagged message of 32 bytes')
    assertEqual(crypto.verifyHttp(publicKey, http, base), false, 'a base of 32 bytes')
    assertEqual(crypto.verifyHttp(publicKey, unquoted, encodeUtf8('@method: GET')), false, 'no base')
    const verdicts = await crypto.verifyBatch([
      { publicKey, signature: tagged, tag: TAG, parts: [content] },
      { publicKey, signature: http, base },
      { publicKey, signature: unquoted, base: encodeUtf8('@method: GET') },
    ])
    assertEqual(verdicts.join(), 'false,false,false', 'the batch')
  })

  test('an HTTP signature base is signed as it stands', async () => {
    const crypto = await make()
    const seed = new Uint8Array(32).fill(5)
    const base = encodeUtf8('"@method": POST\n"@path": /api/execute_split\n"@signature-params": ("@method" "@path")')
    const signature = crypto.signHttp(seed, base)
    assertBytes(signature, rawEd25519(crypto).sign(seed, base), 'the signature')
    assertEqual(crypto.verifyHttp(crypto.publicKey(seed), signature, base), true, 'as signed')
    assertEqual(crypto.verifyHttp(crypto.publicKey(seed), signature, base.subarray(1)), false, 'cut')
  })

  test('nothing a peer sends makes verification throw', async () => {
    const crypto = await make()
    const random = seededRandom('garbage')
    for (let round = 0; round < 200; round++) {
      assertEqual(crypto.verify(random(32), random(64), TAG, random(9)), false, `round ${round}`)
    }
    const publicKey = crypto.publicKey(random(32))
    for (const length of [0, 31, 33, 64]) {
      assertEqual(crypto.verify(new Uint8Array(length), random(64), TAG), false, `a key of ${length} bytes`)
    }
    for (const length of [0, 32, 63, 65]) {
      assertEqual(crypto.verify(publicKey, new Uint8Array(length), TAG), false, `a signature of ${length} bytes`)
    }
  })
}

const checkBatches: CryptoChecks = (make, { test }) => {
  test('a batch gives the verdicts one by one, in order', async () => {
    const crypto = await make()
    const jobs = mixedJobs(crypto, 150)
    const expected = jobs.map((job) =>
      'base' in job
        ? crypto.verifyHttp(job.publicKey, job.signature, job.base)
        : crypto.verify(job.publicKey, job.signature, job.tag, ...job.parts),
    )
    const [verdicts, none, again] = await Promise.all([
      crypto.verifyBatch(jobs),
      crypto.verifyBatch([]),
      crypto.verifyBatch(jobs.slice(0, 20)),
    ])
    assertEqual(expected.filter(Boolean).length, 75, 'as many true as made so')
    assertEqual(verdicts.join(), expected.join(), 'the batch')
    assertEqual(none.length, 0, 'the empty batch')
    assertEqual(again.join(), expected.slice(0, 20).join(), 'the batch beside it')
  })

  test('a batch with a tag that is none rejects, and the next one works', async () => {
    const crypto = await make()
    const jobs = mixedJobs(crypto, 6)
    const broken = [...jobs.slice(0, 3), { publicKey: PUBLIC, signature: new Uint8Array(64), tag: 'x', parts: [] }]
    let error: unknown
    await crypto.verifyBatch(broken).catch((reason: unknown) => {
      error = reason
    })
    assertRefused(
      'crypto/tag',
      () => {
        throw error
      },
      'the batch',
    )
    assertEqual((await crypto.verifyBatch(jobs)).filter(Boolean).length, 3, 'the next batch')
  })
}

const PUBLIC = new Uint8Array(32).fill(0x66)

/** Jobs of both kinds; every second one has a changed byte in key, signature or content. */
function mixedJobs(crypto: Crypto, count: number): (VerifyJob | VerifyHttpJob)[] {
  const random = seededRandom('batch')
  const seeds = [random(32), random(32), random(32)]
  return Array.from({ length: count }, (_, index) => {
    const seed = seeds[index % 3]!
    const content = random(index % 20)
    const base = concatBytes(encodeUtf8('"@method": '), random(40))
    const http = index % 4 > 1
    const publicKey = crypto.publicKey(seed)
    const signature = http ? crypto.signHttp(seed, base) : crypto.sign(seed, TAG, content)
    if (index % 2 === 1) [publicKey, signature, signature][index % 3]![random(1)[0]! % 32]! ^= 0x40
    return http ? { publicKey, signature, base } : { publicKey, signature, tag: TAG, parts: [content] }
  })
}
