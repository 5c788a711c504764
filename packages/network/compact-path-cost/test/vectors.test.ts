import { readdirSync, readFileSync } from 'node:fs'
import { fromHex, toHex } from '@nexus/codec'
import { describe, expect, test } from 'vitest'
import {
  addCost,
  decodeBandwidth,
  decodeCost,
  decodePathCost,
  encodeBandwidth,
  encodeCost,
  encodePathCost,
  PathCostError,
  relay,
} from '../src/index.ts'
import { plainDecodeBandwidth, plainEncodeBandwidth, plainEncodeCost, plainTable } from './plain.ts'

const folder = new URL('../../../../conformance-vectors/compact-path-cost/', import.meta.url)

interface VectorFile {
  readonly schema: string
  readonly op: string
  // biome-ignore lint/suspicious/noExplicitAny: each operation has its own fields
  readonly cases: readonly { readonly id: string; readonly in: any; readonly out?: any; readonly error?: string }[]
}

/** What each operation does with the fields of a case. */
// biome-ignore lint/suspicious/noExplicitAny: each operation has its own fields
const operations: Record<string, (given: any) => unknown> = {
  'pathCost.decodeCost': ({ cost }) => ({ valueQ16: `${decodeCost(cost)}` }),
  'pathCost.encodeCost': ({ valueQ16 }) => ({ cost: encodeCost(BigInt(valueQ16)) }),
  'pathCost.decodeBandwidth': ({ bandwidth }) => ({ bps: decodeBandwidth(bandwidth) }),
  'pathCost.encodeBandwidth': ({ bps }) => ({ bandwidth: encodeBandwidth(bps) }),
  'pathCost.add': ({ a, b }) => ({ cost: addCost(a, b) }),
  'pathCost.relay': ({ path, own }) => relay(path, own),
  'pathCost.encode': (path) => ({ bytes: toHex(encodePathCost(path)) }),
  'pathCost.decode': ({ bytes }) => decodePathCost(fromHex(bytes)),
}

const files = readdirSync(folder).filter((name) => name.endsWith('.json'))
const read = (name: string): VectorFile => JSON.parse(readFileSync(new URL(name, folder), 'utf8'))

test('there is a file for each operation', () => {
  expect(files.map((name) => read(name).op).sort()).toEqual(Object.keys(operations).sort())
})

describe.each(files)('%s', (name) => {
  const { schema, op, cases } = read(name)

  test('every case holds', () => {
    expect(schema).toBe('nexus-vectors/1')
    expect(name).toBe(`${op}.json`)
    expect(new Set(cases.map((each) => each.id)).size).toBe(cases.length)
    for (const each of cases) {
      let outcome: object
      try {
        outcome = { id: each.id, in: each.in, out: operations[op]!(each.in) }
      } catch (error) {
        if (!(error instanceof PathCostError)) throw error
        outcome = { id: each.id, in: each.in, error: error.detail.code }
      }
      expect(outcome).toEqual(each)
    }
  })
})

test('the scales in the files agree with plain bigint roots, not only with the package', () => {
  for (const { in: given, out } of read('pathCost.decodeCost.json').cases) {
    expect(BigInt(out.valueQ16)).toBe(plainTable[given.cost])
  }
  for (const { in: given, out } of read('pathCost.encodeCost.json').cases) {
    expect(out.cost).toBe(plainEncodeCost(BigInt(given.valueQ16)))
  }
  for (const { in: given, out } of read('pathCost.encodeBandwidth.json').cases) {
    expect(out.bandwidth).toBe(plainEncodeBandwidth(BigInt(given.bps)))
  }
  for (const { in: given, out } of read('pathCost.decodeBandwidth.json').cases) {
    expect(BigInt(out.bps)).toBe(plainDecodeBandwidth(given.bandwidth))
  }
})
