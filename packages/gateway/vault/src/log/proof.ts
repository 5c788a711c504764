import { equalBytes } from '@nexus/codec'
import { VaultError } from '../errors.ts'
import { emptyRoot, nodeHash, type Sha256, type Subtree, subtreesOf } from './tree.ts'

/** The subtrees whose roots, folded group by group, make a proof. */
export type ProofPlan = readonly (readonly Subtree[])[]

/**
 * What an inclusion proof of leaf `index` in the tree of `size` leaves is made of (RFC 9162 §2.1.3.1).
 * @throws {VaultError} `vault/range`
 */
export function inclusionPlan(index: number, size: number): ProofPlan {
  if (!Number.isSafeInteger(index) || index < 0 || index >= size) {
    throw new VaultError({ code: 'vault/range', size, wanted: index })
  }
  const plan: Subtree[][] = []
  let from = 0
  let to = size
  while (to - from > 1) {
    const middle = from + splitOf(to - from)
    if (index < middle) {
      plan.push(subtreesOf(middle, to))
      to = middle
    } else {
      plan.push(subtreesOf(from, middle))
      from = middle
    }
  }
  return plan.reverse()
}

/**
 * What a proof is made of that the tree of `size` leaves begins with that of `first` (RFC 9162 §2.1.4.1).
 * @throws {VaultError} `vault/range` unless 0 < first ≤ size
 */
export function consistencyPlan(first: number, size: number): ProofPlan {
  if (!Number.isSafeInteger(first) || first < 1 || first > size) {
    throw new VaultError({ code: 'vault/range', size, wanted: first })
  }
  const plan: Subtree[][] = []
  let from = 0
  let to = size
  let known = true
  while (first < to) {
    const middle = from + splitOf(to - from)
    if (first <= middle) {
      plan.push(subtreesOf(middle, to))
      to = middle
    } else {
      plan.push(subtreesOf(from, middle))
      from = middle
      known = false
    }
  }
  if (!known) plan.push(subtreesOf(from, to))
  return plan.reverse()
}

/** Whether `leaf` is leaf `index` under the root of `size` leaves (RFC 9162 §2.1.3.2). */
export function isIncluded(
  crypto: Sha256,
  leaf: Uint8Array,
  index: number,
  size: number,
  proof: readonly Uint8Array[],
  root: Uint8Array,
): boolean {
  if (!isCount(index) || !isCount(size) || index >= size) return false
  let node = index
  let last = size - 1
  let hash = leaf
  for (const other of proof) {
    if (last === 0) return false
    if (node % 2 === 1 || node === last) {
      hash = nodeHash(crypto, other, hash)
      while (node % 2 === 0 && node !== 0) {
        node /= 2
        last = half(last)
      }
    } else {
      hash = nodeHash(crypto, hash, other)
    }
    node = half(node)
    last = half(last)
  }
  return last === 0 && equalBytes(hash, root)
}

/** Whether the tree of `size` leaves under `root` begins with the one of `first` under `firstRoot` (RFC 9162 §2.1.4.2). */
export function isConsistent(
  crypto: Sha256,
  first: number,
  firstRoot: Uint8Array,
  size: number,
  root: Uint8Array,
  proof: readonly Uint8Array[],
): boolean {
  if (!isCount(first) || !isCount(size) || first > size) return false
  if (first === size) return proof.length === 0 && equalBytes(firstRoot, root)
  if (first === 0) return proof.length === 0 && equalBytes(firstRoot, emptyRoot(crypto))
  const path = isPowerOfTwo(first) ? [firstRoot, ...proof] : [...proof]
  const start = path.shift()
  if (start === undefined) return false
  let node = first - 1
  let last = size - 1
  while (node % 2 === 1) {
    node = half(node)
    last = half(last)
  }
  let older = start
  let newer = start
  for (const other of path) {
    if (last === 0) return false
    if (node % 2 === 1 || node === last) {
      older = nodeHash(crypto, other, older)
      newer = nodeHash(crypto, other, newer)
      while (node % 2 === 0 && node !== 0) {
        node /= 2
        last = half(last)
      }
    } else {
      newer = nodeHash(crypto, newer, other)
    }
    node = half(node)
    last = half(last)
  }
  return last === 0 && equalBytes(older, firstRoot) && equalBytes(newer, root)
}

/** The largest power of two below `count`, for `count` ≥ 2. */
function splitOf(count: number): number {
  let power = 1
  while (power * 2 < count) power *= 2
  return power
}

function half(value: number): number {
  return Math.floor(value / 2)
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0
}

function isPowerOfTwo(value: number): boolean {
  return Number.isInteger(Math.log2(value)) && 2 ** Math.log2(value) === value
}
