import { DESTINATION_BYTES, DESTINATION_WORDS } from './limits.ts'

// Addresses form a ring of 2^128 points, most significant byte first. Tables hold an address as four 32-bit words in
// that order, so that neither a lookup nor a greedy step makes an object.

/** min(|a − b|, 2^128 − |a − b|) of two addresses of 16 bytes. @throws {RangeError} for another length */
export function ringDistance(a: Uint8Array, b: Uint8Array): bigint {
  const words = new Uint32Array(3 * DESTINATION_WORDS)
  readWords(a, words, 0)
  readWords(b, words, DESTINATION_WORDS)
  writeDistance(words, 0, words, DESTINATION_WORDS, words, 2 * DESTINATION_WORDS)
  let distance = 0n
  for (let word = 0; word < DESTINATION_WORDS; word++) distance = (distance << 32n) | BigInt(words[8 + word]!)
  return distance
}

/**
 * The greedy step: which of `neighbours` is nearest to the target on the ring, if nearer than we are. Each step makes the
 * distance strictly smaller, so that a walk never returns; of two at the same distance the lower address.
 * @param ids addresses, four words each
 * @param self our own address: an index into `ids`
 * @param neighbours indices into `ids`, of which the first `count` are looked at
 * @param target the destination, four words at `targetAt` of `targetWords`
 * @returns an element of `neighbours`, or -1 where no neighbour is nearer than we are
 */
export function greedyStep(
  ids: Uint32Array,
  self: number,
  neighbours: ArrayLike<number>,
  count: number,
  targetWords: Uint32Array,
  targetAt: number,
): number {
  let best = -1
  writeDistance(ids, self * DESTINATION_WORDS, targetWords, targetAt, nearest, 0)
  for (let index = 0; index < count; index++) {
    const neighbour = neighbours[index]!
    writeDistance(ids, neighbour * DESTINATION_WORDS, targetWords, targetAt, tried, 0)
    let order = compareWords(tried, 0, nearest, 0)
    if (order === 0 && best >= 0) {
      order = compareWords(ids, neighbour * DESTINATION_WORDS, ids, best * DESTINATION_WORDS)
    }
    if (order >= 0) continue
    best = neighbour
    nearest.set(tried)
  }
  return best
}

/** Writes the four words of an address at `at`. @throws {RangeError} unless it has 16 bytes */
export function readWords(id: Uint8Array, into: Uint32Array, at: number): void {
  if (id.length !== DESTINATION_BYTES) throw new RangeError(`an address has 16 bytes, not ${id.length}`)
  for (let word = 0; word < DESTINATION_WORDS; word++) {
    const byte = 4 * word
    into[at + word] = (id[byte]! << 24) | (id[byte + 1]! << 16) | (id[byte + 2]! << 8) | id[byte + 3]!
  }
}

/** The 16 bytes of the address at `at`. */
export function wordsToBytes(words: Uint32Array, at: number): Uint8Array {
  const bytes = new Uint8Array(DESTINATION_BYTES)
  const view = new DataView(bytes.buffer)
  for (let word = 0; word < DESTINATION_WORDS; word++) view.setUint32(4 * word, words[at + word]!)
  return bytes
}

/** Order of two addresses as numbers. */
export function compareWords(a: Uint32Array, aAt: number, b: Uint32Array, bAt: number): number {
  for (let word = 0; word < DESTINATION_WORDS; word++) {
    const difference = a[aAt + word]! - b[bAt + word]!
    if (difference !== 0) return difference
  }
  return 0
}

// Scratch of one greedy step; nothing in it outlives the call.
const nearest = new Uint32Array(DESTINATION_WORDS)
const tried = new Uint32Array(DESTINATION_WORDS)

/** a − b modulo 2^128, and its negative where that is the shorter way round. */
function writeDistance(
  a: Uint32Array,
  aAt: number,
  b: Uint32Array,
  bAt: number,
  into: Uint32Array,
  intoAt: number,
): void {
  let borrow = 0
  for (let word = DESTINATION_WORDS - 1; word >= 0; word--) {
    const difference = a[aAt + word]! - b[bAt + word]! - borrow
    borrow = difference < 0 ? 1 : 0
    into[intoAt + word] = difference
  }
  if (into[intoAt]! < 0x8000_0000) return
  let carry = 1
  for (let word = DESTINATION_WORDS - 1; word >= 0; word--) {
    const sum = (~into[intoAt + word]! >>> 0) + carry
    carry = sum > 0xffff_ffff ? 1 : 0
    into[intoAt + word] = sum
  }
}
