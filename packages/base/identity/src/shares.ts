import { ByteReader, ByteWriter, CodecError, compareBytes, equalBytes, fromBase32, toBase32 } from '@nexus/codec'
import { type Crypto, type Random, wipe } from '@nexus/crypto'
import { IdentityError } from './errors.ts'
import { invert, multiply } from './gf256.ts'
import { nodeIdOf } from './identity.ts'
import { NODE_ID_BYTES, SEED_BYTES, SHARE_BYTES, SHARE_TEXT_LENGTH, SHARE_THRESHOLD_MIN, SHARES_MAX } from './limits.ts'

const SHARE_VERSION = 1
const SPLIT_ID_BYTES = 4
const CHECKSUM_BYTES = 4

/** One of N pieces of a seed, of which any K give it back and K − 1 tell nothing. */
export interface Share {
  /** K: how many shares give the seed, 2…16. */
  readonly threshold: number
  /** Where the polynomials were evaluated, 1…255. */
  readonly x: number
  /** Tells the shares of one splitting from those of another, 4 bytes. */
  readonly splitId: Uint8Array
  /** The node whose seed it is, 16 bytes. */
  readonly nodeId: Uint8Array
  /** The values of the 32 polynomials at x. */
  readonly y: Uint8Array
}

export interface Splitting {
  /** K, 2…N. */
  readonly threshold: number
  /** N, K…16. */
  readonly shares: number
}

/**
 * Splits a seed into N shares at x = 1…N; any K of them give it back (docs/spec/identity.md).
 * @throws {RangeError} unless 2 ≤ K ≤ N ≤ 16 and the seed has 32 bytes
 */
export function splitSeed(crypto: Crypto, random: Random, seed: Uint8Array, splitting: Splitting): Share[] {
  const { threshold, shares } = splitting
  if (seed.length !== SEED_BYTES) throw new RangeError(`a seed has ${SEED_BYTES} bytes, not ${seed.length}`)
  if (!isThreshold(threshold) || !Number.isInteger(shares) || shares < threshold || shares > SHARES_MAX) {
    throw new RangeError(`a seed is not split ${threshold} of ${shares}`)
  }
  const nodeId = nodeIdOf(crypto, crypto.publicKey(seed))
  const splitId = random(SPLIT_ID_BYTES)
  const coefficients = Array.from({ length: threshold - 1 }, () => random(SEED_BYTES))
  const split = Array.from({ length: shares }, (_, index) => {
    const x = index + 1
    return { threshold, x, splitId, nodeId, y: evaluate(seed, coefficients, x) }
  })
  wipe(...coefficients)
  return split
}

/**
 * The seed that the shares were made from. Of more than K shares the K with the smallest x are used, so that their order
 * does not matter; all must be of one splitting.
 * @throws {IdentityError} `identity/shares-mixed`, `identity/shares-repeated`, `identity/shares-missing`,
 * `identity/shares-seed`
 */
export function combineShares(crypto: Crypto, shares: readonly Share[]): Uint8Array {
  const sorted = [...shares].sort((a, b) => a.x - b.x)
  const first = sorted[0]
  if (first === undefined) {
    throw new IdentityError({ code: 'identity/shares-missing', wanted: SHARE_THRESHOLD_MIN, got: 0 })
  }
  for (const [index, share] of sorted.entries()) {
    if (!isOfOneSplitting(share, first)) throw new IdentityError({ code: 'identity/shares-mixed' })
    if (share.x === sorted[index - 1]?.x) throw new IdentityError({ code: 'identity/shares-repeated', x: share.x })
  }
  if (sorted.length < first.threshold) {
    throw new IdentityError({ code: 'identity/shares-missing', wanted: first.threshold, got: sorted.length })
  }
  const seed = interpolateAtZero(sorted.slice(0, first.threshold))
  if (!equalBytes(nodeIdOf(crypto, crypto.publicKey(seed)), first.nodeId)) {
    wipe(seed)
    throw new IdentityError({ code: 'identity/shares-seed' })
  }
  return seed
}

/**
 * Writes a share (docs/spec/identity.md).
 *
 * | at | bytes | field     | values                                   |
 * | -: | ----: | --------- | ---------------------------------------- |
 * |  0 |     1 | version   | 1                                        |
 * |  1 |     1 | threshold | 2…16                                     |
 * |  2 |     1 | x         | 1…255                                    |
 * |  3 |     4 | split id  | random                                   |
 * |  7 |    16 | NodeID    |                                          |
 * | 23 |    32 | y         |                                          |
 * | 55 |     4 | checksum  | BLAKE2b-256 of all before, first 4 bytes |
 *
 * @throws {RangeError} for a field outside its range
 */
export function encodeShare(crypto: Crypto, share: Share): Uint8Array {
  if (!isThreshold(share.threshold)) throw new RangeError(`no threshold: ${share.threshold}`)
  if (share.x === 0) throw new RangeError('a share cannot lie at 0')
  const bytes = new Uint8Array(SHARE_BYTES)
  const at = new ByteWriter(SHARE_BYTES - CHECKSUM_BYTES, bytes)
    .u8(SHARE_VERSION)
    .u8(share.threshold)
    .u8(share.x)
    .bytes(share.splitId, SPLIT_ID_BYTES)
    .bytes(share.nodeId, NODE_ID_BYTES)
    .bytes(share.y, SEED_BYTES).at
  bytes.set(checksum(crypto, bytes), at)
  return bytes
}

/**
 * Reads what {@link encodeShare} wrote; the result holds copies.
 * @throws {IdentityError} `identity/length`, `identity/share-checksum`, `identity/share-version`,
 * `identity/share-threshold`, `identity/share-x`
 */
export function decodeShare(crypto: Crypto, bytes: Uint8Array): Share {
  if (bytes.length !== SHARE_BYTES) {
    throw new IdentityError({ code: 'identity/length', wantBytes: SHARE_BYTES, gotBytes: bytes.length })
  }
  // First of all: a typing error must not be reported as a share of another kind.
  if (!equalBytes(checksum(crypto, bytes), bytes.subarray(SHARE_BYTES - CHECKSUM_BYTES))) {
    throw new IdentityError({ code: 'identity/share-checksum' })
  }
  const reader = new ByteReader(bytes)
  const version = reader.u8()
  if (version !== SHARE_VERSION) throw new IdentityError({ code: 'identity/share-version', version })
  const threshold = reader.u8()
  if (!isThreshold(threshold)) throw new IdentityError({ code: 'identity/share-threshold', threshold })
  const x = reader.u8()
  if (x === 0) throw new IdentityError({ code: 'identity/share-x' })
  return {
    threshold,
    x,
    splitId: reader.bytes(SPLIT_ID_BYTES),
    nodeId: reader.bytes(NODE_ID_BYTES),
    y: reader.bytes(SEED_BYTES),
  }
}

/** A share for people: 95 characters of lower-case base32. @throws {RangeError} for a field outside its range */
export function shareToText(crypto: Crypto, share: Share): string {
  return toBase32(encodeShare(crypto, share))
}

/**
 * Reads a share that was written down: either case, spaces, line ends and hyphens anywhere.
 * @throws {IdentityError} `identity/share-text` and what {@link decodeShare} throws
 */
export function shareFromText(crypto: Crypto, text: string): Share {
  return decodeShare(crypto, shareBytes(text))
}

function shareBytes(text: string): Uint8Array {
  const letters = text.replace(/[\s-]/g, '')
  if (letters.length !== SHARE_TEXT_LENGTH) {
    const gotBytes = Math.floor((letters.length * 5) / 8)
    throw new IdentityError({ code: 'identity/length', wantBytes: SHARE_BYTES, gotBytes })
  }
  try {
    return fromBase32(letters)
  } catch (error) {
    if (error instanceof CodecError) throw new IdentityError({ code: 'identity/share-text' })
    throw error
  }
}

function isThreshold(value: number): boolean {
  return Number.isInteger(value) && value >= SHARE_THRESHOLD_MIN && value <= SHARES_MAX
}

function isOfOneSplitting(share: Share, first: Share): boolean {
  return (
    share.threshold === first.threshold &&
    compareBytes(share.splitId, first.splitId) === 0 &&
    compareBytes(share.nodeId, first.nodeId) === 0
  )
}

function checksum(crypto: Crypto, share: Uint8Array): Uint8Array {
  return crypto.blake2b(share.subarray(0, SHARE_BYTES - CHECKSUM_BYTES)).subarray(0, CHECKSUM_BYTES)
}

/** For each byte, seed + c1·x + c2·x² + …, by Horner's rule. */
function evaluate(seed: Uint8Array, coefficients: readonly Uint8Array[], x: number): Uint8Array {
  const y = new Uint8Array(SEED_BYTES)
  for (let at = 0; at < SEED_BYTES; at++) {
    let value = 0
    for (let degree = coefficients.length - 1; degree >= 0; degree--) {
      value = multiply(value ^ coefficients[degree]![at]!, x)
    }
    y[at] = value ^ seed[at]!
  }
  return y
}

/** Lagrange: the sum of y_i times the product over j ≠ i of x_j / (x_i + x_j). */
function interpolateAtZero(shares: readonly Share[]): Uint8Array {
  const seed = new Uint8Array(SEED_BYTES)
  for (const share of shares) {
    let weight = 1
    for (const other of shares) {
      if (other !== share) weight = multiply(weight, multiply(other.x, invert(share.x ^ other.x)))
    }
    for (let at = 0; at < SEED_BYTES; at++) seed[at]! ^= multiply(share.y[at]!, weight)
  }
  return seed
}
