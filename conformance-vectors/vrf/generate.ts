/** Writes the vectors of the VRF: `node --conditions=nexus-source conformance-vectors/vrf/generate.ts`. */
import { writeFileSync } from 'node:fs'
import { concatBytes, fromHex, toHex } from '@nexus/codec'
import { portable } from '@nexus/crypto'
import { seededRandom } from '@nexus/crypto/testing'

const crypto = portable()
const GROUP_ORDER = fromHex('edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010')
const NEUTRAL = fromHex('0100000000000000000000000000000000000000000000000000000000000000')
const ORDER_EIGHT = fromHex('26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05')
/** y = 1 spelt as p + 1. */
const NON_CANONICAL = fromHex('eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f')

export function vrfVectors(): Record<string, unknown> {
  return {
    'vrf.prove.json': vectors('vrf.prove', proveCases()),
    'vrf.verify.json': vectors('vrf.verify', verifyCases()),
    'vrf.proofToHash.json': vectors('vrf.proofToHash', hashCases()),
  }
}

function vectors(op: string, cases: unknown[]): unknown {
  return { schema: 'nexus-vectors/1', op, cases }
}

const random = (name: string) => seededRandom(`vrf vectors ${name}`)

interface Sample {
  readonly seed: Uint8Array
  readonly publicKey: Uint8Array
  readonly alpha: Uint8Array
  readonly proof: Uint8Array
}

function sample(name: string, alphaBytes: number): Sample {
  const bytes = random(name)
  const seed = bytes(32)
  const alpha = bytes(alphaBytes)
  const prover = crypto.vrfProver(seed)
  return { seed, publicKey: prover.publicKey, alpha, proof: prover.prove(alpha) }
}

function proveCases(): unknown[] {
  return [0, 1, 32, 60, 64, 200, 1_000].map((length) => {
    const { seed, publicKey, alpha, proof } = sample(`prove ${length}`, length)
    return {
      id: `alpha-of-${length}`,
      in: { seed: toHex(seed), alpha: toHex(alpha) },
      out: { publicKey: toHex(publicKey), proof: toHex(proof), hash: toHex(crypto.vrfHash(proof)!) },
    }
  })
}

function verifyCases(): unknown[] {
  const { publicKey, alpha, proof } = sample('verify', 60)
  const flipped = (bit: number): Uint8Array => {
    const bytes = proof.slice()
    bytes[bit >> 3]! ^= 1 << (bit & 7)
    return bytes
  }
  const cases: [string, Uint8Array, Uint8Array, Uint8Array][] = [
    ['valid', publicKey, alpha, proof],
    ['bit-of-gamma', publicKey, alpha, flipped(5)],
    ['sign-of-gamma', publicKey, alpha, flipped(255)],
    ['bit-of-c', publicKey, alpha, flipped(260)],
    ['bit-of-s', publicKey, alpha, flipped(390)],
    ['s-plus-order', publicKey, alpha, plusOrder(proof)],
    ['s-is-order', publicKey, alpha, concatBytes(proof.subarray(0, 48), GROUP_ORDER)],
    ['gamma-not-canonical', publicKey, alpha, concatBytes(NON_CANONICAL, proof.subarray(32))],
    ['gamma-neutral', publicKey, alpha, concatBytes(NEUTRAL, proof.subarray(32))],
    ['gamma-of-order-8', publicKey, alpha, concatBytes(ORDER_EIGHT, proof.subarray(32))],
    ['key-neutral', NEUTRAL, alpha, proof],
    ['key-of-order-8', ORDER_EIGHT, alpha, proof],
    ['key-neutral-and-all-zero', NEUTRAL, alpha, concatBytes(NEUTRAL, new Uint8Array(48))],
    ['key-not-canonical', NON_CANONICAL, alpha, proof],
    ['another-key', sample('another', 1).publicKey, alpha, proof],
    ['another-alpha', publicKey, concatBytes(alpha, Uint8Array.of(0)), proof],
    ['short', publicKey, alpha, proof.subarray(0, 79)],
    ['long', publicKey, alpha, concatBytes(proof, Uint8Array.of(0))],
  ]
  return cases.map(([id, key, input, pi]) => {
    const hash = crypto.vrfVerify(key, pi, input)
    return {
      id,
      in: { publicKey: toHex(key), alpha: toHex(input), proof: toHex(pi) },
      out: hash === undefined ? { valid: false } : { valid: true, hash: toHex(hash) },
    }
  })
}

function hashCases(): unknown[] {
  const { proof } = sample('hash', 60)
  const cases: [string, Uint8Array][] = [
    ['of-a-proof', proof],
    ['of-no-proof-with-the-same-gamma', concatBytes(proof.subarray(0, 32), new Uint8Array(48))],
    ['gamma-neutral', concatBytes(NEUTRAL, proof.subarray(32))],
    ['gamma-of-order-8', concatBytes(ORDER_EIGHT, proof.subarray(32))],
    ['gamma-not-canonical', concatBytes(NON_CANONICAL, proof.subarray(32))],
    ['gamma-not-on-the-curve', concatBytes(Uint8Array.of(2), new Uint8Array(79))],
    ['s-is-order', concatBytes(proof.subarray(0, 48), GROUP_ORDER)],
    ['short', proof.subarray(0, 79)],
  ]
  return cases.map(([id, pi]) => {
    const hash = crypto.vrfHash(pi)
    return {
      id,
      in: { proof: toHex(pi) },
      out: hash === undefined ? { valid: false } : { valid: true, hash: toHex(hash) },
    }
  })
}

/** The same proof with s + L. */
function plusOrder(proof: Uint8Array): Uint8Array {
  const bytes = proof.slice()
  let carry = 0
  for (let at = 0; at < 32; at++) {
    carry += bytes[48 + at]! + GROUP_ORDER[at]!
    bytes[48 + at] = carry
    carry >>= 8
  }
  return bytes
}

if (import.meta.main) {
  for (const [name, content] of Object.entries(vrfVectors())) {
    writeFileSync(new URL(name, import.meta.url), `${JSON.stringify(content, null, 2)}\n`)
    console.log(name)
  }
}
