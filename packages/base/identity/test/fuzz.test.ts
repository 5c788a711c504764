import { encodeUtf8 } from '@nexus/codec'
import { fuzzCases, fuzzDecoder } from '@nexus/codec/testing'
import { seededRandom } from '@nexus/crypto/testing'
import { describe, expect, test } from 'vitest'
import {
  decodeAdvisory,
  decodeShare,
  encodeAdvisory,
  encodeShare,
  IdentityError,
  openIdentityFile,
  plainIdentityFile,
  type Scrypt,
  sealIdentityFile,
  shareFromText,
  shareToText,
  signAdvisory,
  splitSeed,
} from '../src/index.ts'
import { crypto, identityOf, seedOf } from './fixtures.ts'

const isTyped = (error: unknown) => error instanceof IdentityError
const cases = fuzzCases(process.env)
const shares = splitSeed(crypto, seededRandom('fuzz'), seedOf(1), { threshold: 2, shares: 3 })

describe('decoders give a value or their error for any bytes', () => {
  test('advisory', () => {
    const [old, next] = [identityOf(1), identityOf(2)]
    const corpus = [undefined, next, next.publicKey].map((replacement) =>
      encodeAdvisory(signAdvisory(old, replacement === undefined ? { sequence: 1n } : { sequence: 1n, replacement })),
    )
    const outcome = fuzzDecoder({
      decode: decodeAdvisory,
      encode: encodeAdvisory,
      isTyped,
      corpus,
      cases,
      seed: 0x1f83,
    })
    expect(Math.min(outcome.accepted, outcome.refused)).toBeGreaterThan(cases / 20)
  })

  test('share, its checksum repaired after each mutation', () => {
    const repair = (bytes: Uint8Array) => {
      if (bytes.length === 59) bytes.set(crypto.blake2b(bytes.subarray(0, 55)).subarray(0, 4), 55)
      return bytes
    }
    const outcome = fuzzDecoder({
      decode: (bytes) => {
        const repaired = repair(bytes)
        expect(encodeShare(crypto, decodeShare(crypto, repaired))).toEqual(repaired)
      },
      isTyped,
      corpus: shares.map((share) => encodeShare(crypto, share)),
      cases,
      seed: 0x5be0,
    })
    expect(Math.min(outcome.accepted, outcome.refused)).toBeGreaterThan(cases / 20)
  })

  test('written share', () => {
    const outcome = fuzzDecoder({
      decode: (bytes) => shareFromText(crypto, String.fromCharCode(...bytes)),
      isTyped,
      corpus: shares.map((share) => encodeUtf8(shareToText(crypto, share))),
      cases,
      seed: 0xcd19,
    })
    expect(outcome.accepted).toBeGreaterThan(0)
  })

  test('identity file', () => {
    const passphrase = 'fuzz'
    // The real scrypt is measured elsewhere; here only the parsing around it is under attack.
    const scrypt: Scrypt = (_passphrase, salt, cost) =>
      crypto.blake2b(Uint8Array.of(...salt, cost.log2N, cost.r, cost.p))
    const outcome = fuzzDecoder({
      decode: (bytes) => openIdentityFile(crypto, bytes, { passphrase, plainAllowed: true, scrypt }),
      isTyped,
      corpus: [
        sealIdentityFile(crypto, seededRandom(1), seedOf(1), { passphrase, scrypt, cost: { log2N: 10, r: 1, p: 1 } }),
        plainIdentityFile(crypto, seedOf(1)),
      ],
      cases,
      seed: 0x9b05,
    })
    expect(outcome.accepted).toBeGreaterThan(0)
  })
})
