import { inspect } from 'node:util'
import { fromHex, toHex } from '@nexus/codec'
import { describe, expect, test } from 'vitest'
import { createIdentity, nodeIdOf } from '../src/index.ts'
import { crypto, identityOf, seedOf } from './fixtures.ts'

describe('identity', () => {
  test('keys of RFC 8032’s first seed', () => {
    const seed = fromHex('9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60')
    const identity = createIdentity(crypto, seed)
    expect(toHex(identity.publicKey)).toBe('d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a')
    expect(identity.nodeId).toEqual(crypto.blake2b(identity.publicKey).slice(0, 16))
    expect(crypto.x25519PublicKey(identity.agreementSecret)).toEqual(identity.agreementKey)
    expect(crypto.toX25519Public(identity.publicKey)).toEqual(identity.agreementKey)
  })

  test('two identities agree on a secret, and signatures hold for their tag and parts', () => {
    const [ann, ben] = [identityOf(1), identityOf(2)]
    expect(ann.agree(ben.agreementKey)).toEqual(ben.agree(ann.agreementKey))
    const parts = [Uint8Array.of(1, 2), Uint8Array.of(3)]
    const signature = ann.sign('nxs-test', ...parts)
    expect(crypto.verify(ann.publicKey, signature, 'nxs-test', ...parts)).toBe(true)
    expect(crypto.verify(ann.publicKey, signature, 'nxs-tesu', ...parts)).toBe(false)
    expect(crypto.verify(ben.publicKey, signature, 'nxs-test', ...parts)).toBe(false)
  })

  test('proofs hold for the public key and their input, and are the same again', () => {
    const [ann, ben] = [identityOf(1), identityOf(2)]
    const alpha = Uint8Array.of(1, 2, 3)
    const proof = ann.prove(alpha)
    expect(crypto.vrfVerify(ann.publicKey, proof, alpha)).toEqual(crypto.vrfHash(proof))
    expect(crypto.vrfVerify(ben.publicKey, proof, alpha)).toBeUndefined()
    expect(ann.prove(alpha)).toEqual(proof)
  })

  test('the seed is copied, and neither printing nor JSON shows a secret', () => {
    const seed = seedOf(5)
    const identity = createIdentity(crypto, seed)
    seed.fill(0)
    expect(identity.sign('nxs-test')).toEqual(identityOf(5).sign('nxs-test'))
    expect(Object.keys(identity).sort()).toEqual(['agreementKey', 'nodeId', 'publicKey'])
    const numbers = (bytes: Uint8Array) => [...bytes].join()
    const shown = inspect(identity, { maxArrayLength: null, showHidden: true }).replace(/\s/g, '')
    expect(shown).toContain(numbers(identity.publicKey))
    expect(shown).not.toContain(numbers(identity.agreementSecret))
    expect(shown).not.toContain(numbers(seedOf(5)))
  })

  test('lengths are checked', () => {
    for (const length of [0, 31, 33]) {
      expect(() => createIdentity(crypto, new Uint8Array(length))).toThrow(RangeError)
      expect(() => nodeIdOf(crypto, new Uint8Array(length))).toThrow(RangeError)
    }
  })
})
