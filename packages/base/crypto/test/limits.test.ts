import { describe, expect, test } from 'vitest'
import { portable } from '../src/index.ts'
import {
  AGREEMENT_KEY_CACHE_MAX,
  MAPPED_KEY_CACHE_MAX,
  PUBLIC_KEY_CACHE_MAX,
  SECRET_KEY_CACHE_MAX,
  VERIFY_IN_FLIGHT_MAX,
} from '../src/limits.ts'
import { BatchVerifier, nodeEd25519 } from '../src/node/ed25519.ts'
import { wasmBlake2b } from '../src/node/hashes.ts'
import { exportPublic, KeyCache } from '../src/node/keys.ts'
import { LruMap } from '../src/node/lru.ts'
import { loadSodium } from '../src/node/sodium.ts'
import { nodeCrypto } from '../src/node.ts'
import { seededRandom } from '../src/testing.ts'

const sodium = await loadSodium()
const newCache = () => new KeyCache(wasmBlake2b(sodium))

describe('LruMap', () => {
  test('drops the entry unused for longest', () => {
    const map = new LruMap<number>(3)
    for (const [key, value] of Object.entries({ a: 1, b: 2, c: 3 })) map.set(key, value)
    expect(map.get('a')).toBe(1)
    map.set('d', 4)
    expect(['a', 'b', 'c', 'd'].map((key) => map.get(key))).toEqual([1, undefined, 3, 4])
    map.set('c', 5)
    expect(map.size).toBe(3)
    expect(map.get('d')).toBe(4)
  })
})

describe('the caches of the Node provider', () => {
  test('stay within their limits, and a key that fell out still works', () => {
    const keys = newCache()
    const raw = nodeEd25519(keys, sodium)
    const random = seededRandom('caches')
    const [seed, message] = [random(32), random(50)]
    const signature = raw.sign(seed, message)
    const publicKey = exportPublic(keys.secretKey('Ed25519', seed))
    for (let index = 0; index < PUBLIC_KEY_CACHE_MAX + 200; index++) {
      const other = random(32)
      raw.verify(other, signature, message)
      if (index % 3 === 0) raw.verify(other, signature, message)
      keys.agreementKey(other)
      keys.mapped(other, (key) => key.slice())
      if (index % 4 === 0) for (const curve of ['Ed25519', 'X25519'] as const) keys.secretKey(curve, other)
    }
    expect(keys.sizes).toEqual({
      publicKeys: PUBLIC_KEY_CACHE_MAX,
      agreementKeys: AGREEMENT_KEY_CACHE_MAX,
      mappedKeys: MAPPED_KEY_CACHE_MAX,
      secretKeys: 2 * SECRET_KEY_CACHE_MAX,
    })
    for (let round = 0; round < 3; round++) expect(raw.verify(publicKey, signature, message)).toBe(true)
    expect(raw.sign(seed, message)).toEqual(signature)
  })

  test('forget a secret: its bytes and its imported form', async () => {
    const keys = newCache()
    const secret = new Uint8Array(32).fill(8)
    keys.secretKey('X25519', secret)
    keys.secretKey('Ed25519', secret)
    keys.secretKey('Ed25519', new Uint8Array(32).fill(9))
    keys.forget([secret])
    expect(keys.sizes.secretKeys).toBe(1)
    expect(secret).toEqual(new Uint8Array(32))
    const crypto = await nodeCrypto()
    const before = crypto.publicKey(new Uint8Array(32).fill(8))
    crypto.forget(new Uint8Array(32).fill(8))
    expect(crypto.publicKey(new Uint8Array(32).fill(8))).toEqual(before)
  })

  test('keep the X25519 form of a key, and neither a refusal nor what the caller does to its copy', async () => {
    const crypto = await nodeCrypto()
    const publicKey = crypto.publicKey(new Uint8Array(32).fill(8))
    const mapped = crypto.toX25519Public(publicKey)
    const expected = mapped.slice()
    mapped.fill(0)
    expect(crypto.toX25519Public(publicKey)).toEqual(expected)
    publicKey[0]! ^= 1
    const outcome = () => {
      try {
        return crypto.toX25519Public(publicKey).join()
      } catch (error) {
        return (error as Error).message
      }
    }
    expect(outcome()).toBe(outcome())
    for (let round = 0; round < 2; round++) expect(() => crypto.toX25519Public(new Uint8Array(32))).toThrow()
  })

  test('a secret written over in place is another secret', async () => {
    const crypto = await nodeCrypto()
    const seed = new Uint8Array(32).fill(1)
    const first = crypto.publicKey(seed)
    seed.fill(2)
    expect(crypto.publicKey(seed)).not.toEqual(first)
    expect(crypto.publicKey(new Uint8Array(32).fill(1))).toEqual(first)
  })
})

describe('batches in the thread pool', () => {
  test('share the places there, and all finish', async () => {
    const keys = newCache()
    const batches = new BatchVerifier(keys)
    const raw = nodeEd25519(keys, sodium)
    const seed = new Uint8Array(32).fill(6)
    const publicKey = exportPublic(keys.secretKey('Ed25519', seed))
    const tagged = new TextEncoder().encode('nxs-test')
    const signature = raw.sign(seed, tagged)
    const job = { publicKey, signature, tag: 'nxs-test', parts: [] }
    const running = Array.from({ length: 5 }, () => batches.verify(Array.from({ length: 40 }, () => job)))
    expect(batches.inFlight).toBe(VERIFY_IN_FLIGHT_MAX)
    const verdicts = await Promise.all(running)
    expect(verdicts.flat()).toEqual(Array.from({ length: 200 }, () => true))
    expect(batches.inFlight).toBe(0)
  })
})

describe('wasm memory', () => {
  test('stays as large as it was, however long the inputs', async () => {
    const heapBytes = () => sodium.HEAPU8.length
    const before = heapBytes()
    const blake2b = wasmBlake2b(sodium)
    const long = seededRandom('long')(3 * before + 7)
    expect(blake2b(long, { length: 64 })).toEqual(portable().blake2b(long, { length: 64 }))
    expect(nodeEd25519(newCache(), sodium).verify(long.subarray(0, 32), long.subarray(32, 96), long)).toBe(false)
    expect(heapBytes()).toBe(before)
  })

  test('does not grow with use', async () => {
    const crypto = await nodeCrypto()
    const random = seededRandom('growth')
    const cipher = crypto.cipher(random(32))
    const work = () => {
      for (let round = 0; round < 300; round++) {
        const message = random(9_000 * (round % 3))
        const sealed = new Uint8Array(message.length + 16)
        cipher.seal(round, message.subarray(0, round), message, sealed, 0)
        crypto.blake2b(new Uint8Array(100_000))
        crypto.cipher(random(32)).wipe()
        crypto.verify(random(32), sealed.subarray(0, 64), 'nxs-test', message)
      }
    }
    work()
    const before = process.memoryUsage().external
    for (let repeat = 0; repeat < 5; repeat++) work()
    globalThis.gc?.()
    // Were it kept, the input of each of the 1 500 hashes would make 150 MB.
    expect(process.memoryUsage().external - before).toBeLessThan(80_000_000)
  })
})
