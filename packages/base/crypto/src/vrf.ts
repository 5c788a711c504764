import { concatBytes } from '@nexus/codec'
import { equalConstantTime, wipe } from './bytes.ts'
import { isAcceptableKey, isBelowGroupOrder } from './encoding.ts'
import { CryptoError } from './errors.ts'
import { PUBLIC_KEY_BYTES, VRF_CHALLENGE_BYTES, VRF_PROOF_BYTES } from './limits.ts'
import type { Crypto, VrfProver } from './provider.ts'

/**
 * What ECVRF needs of edwards25519 (RFC 8032 §5.1). Encodings are 32 bytes and canonical: y below p, and no sign bit
 * with x = 0; scalars are 32 bytes little-endian. `Point` is a point of the prime-order group as the provider keeps it.
 */
export interface VrfGroup<Point> {
  /** 8·P for the point that 32 bytes encode; `undefined` where they encode none, or where 8·P is zero. */
  fromHash(encoding: Uint8Array): Point | undefined
  encode(point: Point): Uint8Array
  /** The encodings of x·H, k·B and k·H, in constant time. Both scalars are secret, not zero modulo L. */
  multiples(h: Point, x: Uint8Array, k: Uint8Array): readonly [gamma: Uint8Array, u: Uint8Array, v: Uint8Array]
  /** The encodings of s·B − c·Y and s·H − c·Γ, for s below L; `undefined` where Y or Γ encodes no point. */
  commitments(
    y: Uint8Array,
    h: Point,
    gamma: Uint8Array,
    c: Uint8Array,
    s: Uint8Array,
  ): readonly [u: Uint8Array, v: Uint8Array] | undefined
  /** The encoding of 8·P, zero included; `undefined` where the bytes encode no point. */
  timesCofactor(encoding: Uint8Array): Uint8Array | undefined
  /** 64 bytes modulo L. */
  reduce(digest: Uint8Array): Uint8Array
  /** k + c·x modulo L. */
  respond(k: Uint8Array, c: Uint8Array, x: Uint8Array): Uint8Array
}

type VrfCalls = Pick<Crypto, 'vrfProver' | 'vrfVerify' | 'vrfHash'>

const SUITE = 0x03
const ENCODE_TO_CURVE = Uint8Array.of(SUITE, 0x01)
const CHALLENGE = Uint8Array.of(SUITE, 0x02)
const PROOF_TO_HASH = Uint8Array.of(SUITE, 0x03)
const END = Uint8Array.of(0x00)

/** ECVRF-EDWARDS25519-SHA512-TAI (RFC 9381 §5, suite 0x03), keys validated, over a provider's group and SHA-512. */
export function vrf<Point>(
  group: VrfGroup<Point>,
  sha512: Crypto['sha512'],
  publicKeyOf: Crypto['publicKey'],
): VrfCalls {
  const suite: Suite<Point> = { group, sha512 }
  return {
    vrfProver: (seed) => new SeedProver(suite, seed, publicKeyOf(seed)),
    vrfVerify: (publicKey, proof, alpha) => verify(suite, publicKey, proof, alpha),
    vrfHash(proof) {
      return isProofForm(proof) ? proofToHash(suite, proof) : undefined
    },
  }
}

interface Suite<Point> {
  readonly group: VrfGroup<Point>
  readonly sha512: Crypto['sha512']
}

class SeedProver<Point> implements VrfProver {
  readonly publicKey: Uint8Array
  readonly #suite: Suite<Point>
  /** The clamped scalar, then the prefix of nonces (RFC 8032 §5.1.5). */
  readonly #expanded: Uint8Array
  #wiped = false

  constructor(suite: Suite<Point>, seed: Uint8Array, publicKey: Uint8Array) {
    this.#suite = suite
    this.publicKey = publicKey
    this.#expanded = suite.sha512(seed)
    this.#expanded[0]! &= 0xf8
    this.#expanded[31] = (this.#expanded[31]! & 0x7f) | 0x40
  }

  prove(alpha: Uint8Array): Uint8Array {
    if (this.#wiped) throw new CryptoError({ code: 'crypto/wiped' })
    const { group, sha512 } = this.#suite
    const x = this.#expanded.subarray(0, 32)
    const h = encodeToCurve(this.#suite, this.publicKey, alpha)
    const hBytes = group.encode(h)
    // RFC 8032 §5.1.6, steps 2 and 3, as RFC 9381 §5.4.2.2 takes them: why 32-byte messages are never signed.
    const nonceInput = concatBytes(this.#expanded.subarray(32), hBytes)
    const digest = sha512(nonceInput)
    const k = group.reduce(digest)
    const [gamma, u, v] = group.multiples(h, x, k)
    const c = challenge(this.#suite, this.publicKey, hBytes, gamma, u, v)
    const proof = concatBytes(gamma, c, group.respond(k, c, x))
    wipe(nonceInput, digest, k)
    return proof
  }

  wipe(): void {
    wipe(this.#expanded)
    this.#wiped = true
  }
}

/** RFC 9381 §5.3 with validate_key, checks that need no arithmetic first. */
function verify<Point>(
  suite: Suite<Point>,
  publicKey: Uint8Array,
  proof: Uint8Array,
  alpha: Uint8Array,
): Uint8Array | undefined {
  if (!isAcceptableKey(publicKey) || !isProofForm(proof)) return undefined
  const { group } = suite
  const gamma = proof.subarray(0, 32)
  const c = proof.subarray(32, 48)
  const h = encodeToCurve(suite, publicKey, alpha)
  const commitments = group.commitments(publicKey, h, gamma, c, proof.subarray(48))
  if (commitments === undefined) return undefined
  const expected = challenge(suite, publicKey, group.encode(h), gamma, ...commitments)
  return equalConstantTime(c, expected) ? proofToHash(suite, proof) : undefined
}

/** RFC 9381 §5.2. */
function proofToHash<Point>({ group, sha512 }: Suite<Point>, proof: Uint8Array): Uint8Array | undefined {
  const point = group.timesCofactor(proof.subarray(0, 32))
  return point === undefined ? undefined : sha512(concatBytes(PROOF_TO_HASH, point, END))
}

/** RFC 9381 §5.4.1.1, try and increment, with the public key as salt. */
function encodeToCurve<Point>({ group, sha512 }: Suite<Point>, publicKey: Uint8Array, alpha: Uint8Array): Point {
  const input = concatBytes(ENCODE_TO_CURVE, publicKey, alpha, Uint8Array.of(0, 0))
  for (let attempt = 0; attempt < 256; attempt++) {
    input[input.length - 2] = attempt
    const point = group.fromHash(sha512(input).subarray(0, 32))
    if (point !== undefined) return point
  }
  // Every second hash is a point: 256 misses in a row are a broken hash or group.
  throw new Error('crypto: no hash of the input is a point')
}

/** RFC 9381 §5.4.3: 16 bytes over Y, H, Γ, U, V. */
function challenge<Point>({ sha512 }: Suite<Point>, ...points: readonly Uint8Array[]): Uint8Array {
  return sha512(concatBytes(CHALLENGE, ...points, END)).slice(0, VRF_CHALLENGE_BYTES)
}

/** Γ 32, c 16, s 32 with s below L; whether Γ is a point is for the arithmetic to find. */
function isProofForm(proof: Uint8Array): boolean {
  return proof.length === VRF_PROOF_BYTES && isBelowGroupOrder(proof, PUBLIC_KEY_BYTES + VRF_CHALLENGE_BYTES)
}
