import { readFileSync } from 'node:fs'
import { fromHex, toHex } from '@nexus/codec'
import { portable } from '@nexus/crypto'
import { nodeCrypto } from '@nexus/crypto/node'
import { describe, expect, test } from 'vitest'
import { gossipVectors } from '../../../../conformance-vectors/gossip/generate.ts'
import { decodeGossipFrame, encodeGossipFrame, GossipError, IdFilter, recordId } from '../src/index.ts'

interface Case {
  readonly id: string
  readonly in: {
    readonly type?: number
    readonly namedPart?: string
    readonly salt?: number
    readonly ids?: readonly string[]
    readonly frame?: string
  }
  readonly out?: Record<string, unknown>
  readonly error?: string
}

const load = (name: string): Case[] =>
  JSON.parse(readFileSync(new URL(`../../../../conformance-vectors/gossip/${name}`, import.meta.url), 'utf8')).cases

describe.each([portable(), await nodeCrypto()])('gossip vectors on $name', (crypto) => {
  test.each(load('record-id.json'))('id $id', ({ in: { type, namedPart }, out }) => {
    expect(toHex(recordId(crypto, type!, fromHex(namedPart!)))).toBe(out?.['id'])
  })

  test.each(load('filter.json'))('filter $id', ({ in: { salt, ids }, out }) => {
    const filter = IdFilter.of(crypto, salt!, ids!.map(fromHex))
    expect(toHex(filter.bits)).toBe(out?.['bits'])
  })
})

test.each(load('decode.json'))('frame $id', ({ in: { frame }, out, error }) => {
  const bytes = fromHex(frame!)
  if (error !== undefined) {
    expect(() => decodeGossipFrame(bytes)).toThrow(GossipError)
    return
  }
  const decoded = decodeGossipFrame(bytes)
  const plain = JSON.parse(
    JSON.stringify(decoded, (_key, value) =>
      value instanceof Uint8Array ? toHex(value) : typeof value === 'bigint' ? `${value}` : value,
    ),
  )
  expect(plain).toEqual(out)
  expect(toHex(encodeGossipFrame(decoded))).toBe(frame)
})

test('the files are what the generator makes', () => {
  for (const [name, content] of Object.entries(gossipVectors())) {
    const file = readFileSync(new URL(`../../../../conformance-vectors/gossip/${name}`, import.meta.url), 'utf8')
    expect(JSON.parse(file), name).toEqual(content)
  }
})
