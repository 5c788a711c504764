import { HASH_BYTES } from './limits.ts'

export type Hash = (bytes: Uint8Array) => Uint8Array

const NODE = 0x01

/** Top of the tree over some leaf hashes; 32 zero bytes where there are none. An odd node rises as it is. */
export function merkleTop(hash: Hash, leaves: readonly Uint8Array[]): Uint8Array {
  let level = leaves
  while (level.length > 1) level = parents(hash, level)
  return level[0] ?? new Uint8Array(HASH_BYTES)
}

/** What leads from a leaf to the top, from below. */
export function merkleSiblings(hash: Hash, leaves: readonly Uint8Array[], index: number): Uint8Array[] {
  const siblings: Uint8Array[] = []
  let at = index
  for (let level = leaves; level.length > 1; level = parents(hash, level)) {
    const sibling = level[at ^ 1]
    if (sibling !== undefined) siblings.push(sibling)
    at >>>= 1
  }
  return siblings
}

/** Number of siblings of a leaf: one for each level where it does not rise alone. */
export function merkleDepth(index: number, count: number): number {
  let depth = 0
  for (let at = index, width = count; width > 1; at = Math.floor(at / 2), width = Math.ceil(width / 2)) {
    if (at % 2 === 1 || at + 1 < width) depth++
  }
  return depth
}

/** The top that a leaf and its siblings lead to. There must be as many as {@link merkleDepth} says. */
export function merkleTopFrom(
  hash: Hash,
  leaf: Uint8Array,
  siblings: readonly Uint8Array[],
  index: number,
  count: number,
): Uint8Array {
  let top = leaf
  let next = 0
  for (let at = index, width = count; width > 1; at = Math.floor(at / 2), width = Math.ceil(width / 2)) {
    if (at % 2 === 1) top = node(hash, siblings[next++]!, top)
    else if (at + 1 < width) top = node(hash, top, siblings[next++]!)
  }
  return top
}

function parents(hash: Hash, level: readonly Uint8Array[]): Uint8Array[] {
  const above: Uint8Array[] = []
  for (let at = 0; at < level.length; at += 2) {
    const right = level[at + 1]
    above.push(right === undefined ? level[at]! : node(hash, level[at]!, right))
  }
  return above
}

function node(hash: Hash, left: Uint8Array, right: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(1 + 2 * HASH_BYTES)
  bytes[0] = NODE
  bytes.set(left, 1)
  bytes.set(right, 1 + HASH_BYTES)
  return hash(bytes)
}
