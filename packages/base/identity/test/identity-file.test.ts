import { seededRandom } from '@nexus/crypto/testing'
import { describe, expect, test } from 'vitest'
import {
  FILE_PLAIN_BYTES,
  FILE_SEALED_BYTES,
  identityFileKind,
  openIdentityFile,
  plainIdentityFile,
  portableScrypt,
  SCRYPT_COST,
  sealIdentityFile,
} from '../src/index.ts'
import { nodeScrypt } from '../src/node.ts'
import { isAcceptableCost } from '../src/scrypt.ts'
import { codeOf, crypto, seedOf } from './fixtures.ts'

const cost = { log2N: 10, r: 1, p: 1 }
const passphrase = 'correct horse battery staple'
const seed = seedOf(42)
const seal = (number: number) => sealIdentityFile(crypto, seededRandom(number), seed, { passphrase, cost })
const sealed = seal(1)
const plain = plainIdentityFile(crypto, seed)

describe('encrypted file', () => {
  test('opens with its passphrase, and only with that', () => {
    expect(sealed.length).toBe(FILE_SEALED_BYTES)
    expect(identityFileKind(sealed)).toBe('sealed')
    expect(openIdentityFile(crypto, sealed, { passphrase })).toEqual(seed)
    for (const wrong of [`${passphrase} `, 'Correct horse battery staple', 'x']) {
      expect(codeOf(() => openIdentityFile(crypto, sealed, { passphrase: wrong }))).toBe('identity/unlock')
    }
    expect(codeOf(() => openIdentityFile(crypto, sealed, {}))).toBe('identity/file-locked')
  })

  test('neither the seed nor the public key is in it, and the salt is fresh', () => {
    const text = Buffer.from(sealed).toString('hex')
    expect(text).not.toContain(Buffer.from(seed).toString('hex'))
    expect(text).not.toContain(Buffer.from(crypto.publicKey(seed)).toString('hex'))
    expect(seal(2).subarray(13)).not.toEqual(sealed.subarray(13))
  })

  test('damage anywhere behind the header reads like a wrong passphrase, unless the cost is refused', () => {
    for (let at = 10; at < sealed.length; at++) {
      const damaged = sealed.slice()
      damaged[at]! ^= at === 10 ? 1 : 2
      expect([at, codeOf(() => openIdentityFile(crypto, damaged, { passphrase }))]).toEqual([at, 'identity/unlock'])
    }
  })

  test('a passphrase is the same however its accents are composed', () => {
    const composed = sealIdentityFile(crypto, seededRandom(3), seed, { passphrase: 'é', cost })
    expect(openIdentityFile(crypto, composed, { passphrase: 'e\u0301' })).toEqual(seed)
  })

  test('both scrypts give one key', () => {
    const salt = new Uint8Array(16).fill(1)
    const bytes = new TextEncoder().encode(passphrase)
    for (const some of [cost, { log2N: 11, r: 8, p: 3 }]) {
      expect(nodeScrypt(bytes, salt, some)).toEqual(portableScrypt(bytes, salt, some))
    }
  })
})

describe('what scrypt may cost', () => {
  test('the default is well within the limits, and the limits are within reach of OpenSSL', () => {
    expect(isAcceptableCost(SCRYPT_COST)).toBe(true)
    expect(isAcceptableCost({ log2N: 18, r: 8, p: 2 })).toBe(true)
    expect(nodeScrypt(new Uint8Array(1), new Uint8Array(16), { log2N: 18, r: 8, p: 1 }).length).toBe(32)
  })

  test('a hostile file cannot ask for more, nor for next to nothing', () => {
    const costs = [
      [19, 8, 1],
      [18, 9, 1],
      [18, 8, 3],
      [255, 255, 255],
      [31, 1, 1],
      [32, 1, 1],
      [64, 1, 1],
      [17, 8, 5],
      [9, 8, 1],
      [0, 0, 0],
      [17, 0, 1],
      [17, 8, 0],
    ]
    const start = performance.now()
    for (const bytes of costs) {
      const hostile = sealed.slice()
      hostile.set(bytes, 10)
      expect(codeOf(() => openIdentityFile(crypto, hostile, { passphrase }))).toBe('identity/file-cost')
    }
    expect(performance.now() - start).toBeLessThan(200)
  })

  test('misuse is a RangeError', () => {
    const sealing = { passphrase, cost }
    const sealWith = (bad: object) => () => sealIdentityFile(crypto, seededRandom(1), seed, { ...sealing, ...bad })
    expect(sealWith({ cost: { log2N: 30, r: 8, p: 1 } })).toThrow(RangeError)
    expect(sealWith({ cost: { log2N: 12.5, r: 8, p: 1 } })).toThrow(RangeError)
    expect(sealWith({ passphrase: '' })).toThrow(RangeError)
    expect(sealWith({ passphrase: 'x'.repeat(1_025) })).toThrow(RangeError)
    expect(() => sealIdentityFile(crypto, seededRandom(1), new Uint8Array(31), sealing)).toThrow(RangeError)
    expect(() => plainIdentityFile(crypto, new Uint8Array(33))).toThrow(RangeError)
  })
})

describe('unencrypted file', () => {
  test('is taken only where that was asked for', () => {
    expect(plain.length).toBe(FILE_PLAIN_BYTES)
    expect(identityFileKind(plain)).toBe('plain')
    expect(openIdentityFile(crypto, plain, { plainAllowed: true })).toEqual(seed)
    expect(codeOf(() => openIdentityFile(crypto, plain, {}))).toBe('identity/file-plain')
    expect(codeOf(() => openIdentityFile(crypto, plain, { passphrase }))).toBe('identity/file-plain')
  })

  test('damage is noticed', () => {
    for (let at = 10; at < plain.length; at++) {
      const damaged = plain.slice()
      damaged[at]! ^= 1
      expect(codeOf(() => openIdentityFile(crypto, damaged, { plainAllowed: true }))).toBe('identity/unlock')
    }
  })

  test('what is no identity file says so', () => {
    for (const file of [sealed, plain]) {
      for (let at = 0; at < 10; at++) {
        const damaged = file.slice()
        damaged[at]! ^= 4
        expect(codeOf(() => openIdentityFile(crypto, damaged, { plainAllowed: true }))).toBe('identity/file-format')
      }
      for (const other of [file.subarray(1), file.subarray(0, file.length - 1), Uint8Array.of(...file, 0)]) {
        expect(codeOf(() => identityFileKind(other))).toBe('identity/file-format')
      }
      expect(codeOf(() => identityFileKind(file.with(9, file[9]! ^ 1)))).toBe('identity/file-format')
    }
    expect(codeOf(() => identityFileKind(new Uint8Array(0)))).toBe('identity/file-format')
  })
})
