import { concatBytes } from '@nexus/codec'
import type { Crypto } from '@nexus/crypto'

/** What the tree is made with. */
export type Sha256 = Pick<Crypto, 'sha256'>

const LEAF = Uint8Array.of(0)
const NODE = Uint8Array.of(1)

/** Hash of a leaf (RFC 9162 §2.1.1). */
export function leafHash(crypto: Sha256, data: Uint8Array): Uint8Array {
  return crypto.sha256(concatBytes(LEAF, data))
}

/** Hash of an inner node (RFC 9162 §2.1.1). */
export function nodeHash(crypto: Sha256, left: Uint8Array, right: Uint8Array): Uint8Array {
  return crypto.sha256(concatBytes(NODE, left, right))
}

/** Root of a tree without leaves. */
export function emptyRoot(crypto: Sha256): Uint8Array {
  return crypto.sha256(new Uint8Array(0))
}

/** A complete subtree: leaves `index · 2^level` up to, without, `(index + 1) · 2^level`. */
export interface Subtree {
  readonly level: number
  readonly index: number
}

/** The complete subtrees that cover the leaves `from…to − 1`, left to right, where `from` is a multiple of each size. */
export function subtreesOf(from: number, to: number): Subtree[] {
  const subtrees: Subtree[] = []
  let at = from
  while (at < to) {
    const level = Math.floor(Math.log2(to - at))
    const size = 2 ** level
    // log2 of a number just below a power of two may round up to it.
    const fits = size > to - at ? level - 1 : level
    subtrees.push({ level: fits, index: at / 2 ** fits })
    at += 2 ** fits
  }
  return subtrees
}

/** Root over what the hashes of {@link subtreesOf} cover. */
export function foldSubtrees(crypto: Sha256, hashes: readonly Uint8Array[]): Uint8Array {
  let root = hashes.at(-1)
  if (root === undefined) return emptyRoot(crypto)
  for (let at = hashes.length - 2; at >= 0; at--) root = nodeHash(crypto, hashes[at]!, root)
  return root
}

/** Root of the complete tree over `hashes`, whose number is a power of two. */
export function foldPerfect(crypto: Sha256, hashes: readonly Uint8Array[]): Uint8Array {
  let row = hashes
  while (row.length > 1) {
    const above: Uint8Array[] = []
    for (let at = 0; at < row.length; at += 2) above.push(nodeHash(crypto, row[at]!, row[at + 1]!))
    row = above
  }
  return row[0]!
}

/**
 * The right edge of a growing tree: the roots of its complete subtrees, largest first. All that appending needs, 32
 * bytes for each bit that is set in the size.
 */
export class Frontier {
  #size: number
  readonly #hashes: Uint8Array[]

  constructor(size = 0, hashes: readonly Uint8Array[] = []) {
    this.#size = size
    this.#hashes = [...hashes]
  }

  get size(): number {
    return this.#size
  }

  /** As it is stored, beside the size. */
  get hashes(): readonly Uint8Array[] {
    return this.#hashes
  }

  /** Adds a leaf hash; tells of each subtree that this completes, leaves upwards. */
  append(crypto: Sha256, hash: Uint8Array, completed?: (subtree: Subtree, hash: Uint8Array) => void): void {
    let subtree = { level: 0, index: this.#size }
    let top = hash
    completed?.(subtree, top)
    while (subtree.index % 2 === 1) {
      top = nodeHash(crypto, this.#hashes.pop()!, top)
      subtree = { level: subtree.level + 1, index: (subtree.index - 1) / 2 }
      completed?.(subtree, top)
    }
    this.#hashes.push(top)
    this.#size++
  }

  root(crypto: Sha256): Uint8Array {
    return foldSubtrees(crypto, this.#hashes)
  }
}
