import { fromHex, toHex } from '@nexus/codec'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { emptyRoot, Frontier, isConsistent, isIncluded, leafHash, nodeHash } from '../src/index.ts'
import { consistencyPlan, inclusionPlan, type ProofPlan } from '../src/log/proof.ts'
import { foldPerfect, foldSubtrees, type Subtree } from '../src/log/tree.ts'
import { crypto } from './kit.ts'

/** The tree of RFC 9162 §2.1.1, word for word: split at the largest power of two below the count. */
function plainRoot(leaves: readonly Uint8Array[]): Uint8Array {
  if (leaves.length === 0) return emptyRoot(crypto)
  if (leaves.length === 1) return leaves[0]!
  let split = 1
  while (split * 2 < leaves.length) split *= 2
  return nodeHash(crypto, plainRoot(leaves.slice(0, split)), plainRoot(leaves.slice(split)))
}

const leavesOf = (count: number): Uint8Array[] =>
  Array.from({ length: count }, (_, at) => leafHash(crypto, Uint8Array.of(at, at >> 8)))

function prove(plan: ProofPlan, leaves: readonly Uint8Array[]): Uint8Array[] {
  const hash = ({ level, index }: Subtree): Uint8Array =>
    foldPerfect(crypto, leaves.slice(index * 2 ** level, (index + 1) * 2 ** level))
  return plan.map((group) => foldSubtrees(crypto, group.map(hash)))
}

describe('known trees', () => {
  const inputs = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f']
  const roots = [
    'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
    '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
    'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
    'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
    'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
    '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
    '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
    'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
    '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
  ]

  test('the roots of the test tree of certificate transparency, size by size', () => {
    const frontier = new Frontier()
    expect(toHex(frontier.root(crypto))).toBe(roots[0])
    inputs.forEach((input, at) => {
      frontier.append(crypto, leafHash(crypto, fromHex(input)))
      expect(toHex(frontier.root(crypto))).toBe(roots[at + 1])
    })
  })
})

describe('against the plain definition', () => {
  const leaves = leavesOf(70)

  test('the frontier has the root of every size, and tells of each complete subtree once', () => {
    const frontier = new Frontier()
    const told = new Map<string, Uint8Array>()
    for (const [at, leaf] of leaves.entries()) {
      frontier.append(crypto, leaf, ({ level, index }, hash) => told.set(`${level}/${index}`, hash))
      expect(frontier.root(crypto)).toEqual(plainRoot(leaves.slice(0, at + 1)))
      expect(new Frontier(frontier.size, frontier.hashes).root(crypto)).toEqual(frontier.root(crypto))
    }
    expect(told.size).toBe(70 + 35 + 17 + 8 + 4 + 2 + 1)
    for (const [name, hash] of told) {
      const [level, index] = name.split('/').map(Number) as [number, number]
      expect(hash).toEqual(plainRoot(leaves.slice(index * 2 ** level, (index + 1) * 2 ** level)))
    }
  })

  test('every leaf of every size is proved, at its own place only', () => {
    for (let size = 1; size <= 40; size++) {
      const held = leaves.slice(0, size)
      const root = plainRoot(held)
      for (let index = 0; index < size; index++) {
        const proof = prove(inclusionPlan(index, size), held)
        expect(isIncluded(crypto, held[index]!, index, size, proof, root)).toBe(true)
        for (let other = 0; other < size; other++) {
          if (other !== index) expect(isIncluded(crypto, held[index]!, other, size, proof, root)).toBe(false)
        }
      }
    }
  })

  test('every pair of sizes is consistent, and with nothing else', () => {
    for (let size = 1; size <= 40; size++) {
      const root = plainRoot(leaves.slice(0, size))
      for (let first = 1; first <= size; first++) {
        const firstRoot = plainRoot(leaves.slice(0, first))
        const proof = prove(consistencyPlan(first, size), leaves)
        expect(isConsistent(crypto, first, firstRoot, size, root, proof)).toBe(true)
        const other = plainRoot([...leaves.slice(0, first - 1), leaves[69]!])
        expect(isConsistent(crypto, first, other, size, root, proof)).toBe(false)
        if (first < size) expect(isConsistent(crypto, first + 1, firstRoot, size, root, proof)).toBe(false)
      }
    }
  })

  test('a proof that was changed anywhere is refused, whatever its length', () => {
    const place = fc.record({
      size: fc.integer({ min: 2, max: 70 }),
      at: fc.nat(),
      flip: fc.nat(),
      bit: fc.integer({ min: 1, max: 255 }),
    })
    fc.assert(
      fc.property(place, ({ size, at, flip, bit }) => {
        const held = leaves.slice(0, size)
        const root = plainRoot(held)
        const index = at % size
        const proof = prove(inclusionPlan(index, size), held)
        const bent = proof.map((hash) => hash.slice())
        bent[flip % bent.length]![flip % 32]! ^= bit
        expect(isIncluded(crypto, held[index]!, index, size, bent, root)).toBe(false)
        expect(isIncluded(crypto, held[index]!, index, size, proof.slice(1), root)).toBe(false)
        expect(isIncluded(crypto, held[index]!, index, size, [...proof, proof[0]!], root)).toBe(false)
        const first = (flip % size) + 1
        const step = prove(consistencyPlan(first, size), leaves)
        if (step.length === 0) return
        const firstRoot = plainRoot(leaves.slice(0, first))
        const twisted = step.map((hash) => hash.slice())
        twisted[flip % twisted.length]![flip % 32]! ^= bit
        expect(isConsistent(crypto, first, firstRoot, size, root, twisted)).toBe(false)
        expect(isConsistent(crypto, first, firstRoot, size, root, step.slice(1))).toBe(false)
        expect(isConsistent(crypto, first, firstRoot, size, root, [...step, step[0]!])).toBe(false)
      }),
    )
  })
})

describe('places that are not there', () => {
  test.each([
    [-1, 3],
    [3, 3],
    [0, 0],
    [0.5, 3],
    [Number.NaN, 3],
  ])('leaf %d of %d', (index, size) => {
    expect(() => inclusionPlan(index, size)).toThrow(
      expect.objectContaining({ detail: { code: 'vault/range', size, wanted: index } }),
    )
    expect(isIncluded(crypto, leavesOf(1)[0]!, index, size, [], leavesOf(1)[0]!)).toBe(false)
  })

  test.each([
    [0, 3],
    [4, 3],
    [1.5, 3],
    [-1, 3],
  ])('consistency from %d to %d', (first, size) => {
    expect(() => consistencyPlan(first, size)).toThrow(
      expect.objectContaining({ detail: { code: 'vault/range', size, wanted: first } }),
    )
    expect(isConsistent(crypto, first, leavesOf(1)[0]!, size, leavesOf(1)[0]!, [])).toBe(false)
  })

  test('the empty log begins every other', () => {
    const root = plainRoot(leavesOf(5))
    expect(isConsistent(crypto, 0, emptyRoot(crypto), 5, root, [])).toBe(true)
    expect(isConsistent(crypto, 0, root, 5, root, [])).toBe(false)
  })
})
