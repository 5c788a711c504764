import { readFileSync } from 'node:fs'
import { fromHex, toHex } from '@nexus/codec'
import { describe, expect, test } from 'vitest'
import { vrfVectors } from '../../../../conformance-vectors/vrf/generate.ts'
import { portable } from '../src/index.ts'
import { nodeCrypto } from '../src/node.ts'

interface Case {
  readonly id: string
  readonly in: Readonly<Record<string, string>>
  readonly out: {
    readonly valid?: boolean
    readonly publicKey?: string
    readonly proof?: string
    readonly hash?: string
  }
}

const load = (name: string): { cases: Case[] } =>
  JSON.parse(readFileSync(new URL(`../../../../conformance-vectors/vrf/${name}`, import.meta.url), 'utf8'))

test('the files are what generate.ts makes', () => {
  for (const [name, content] of Object.entries(vrfVectors())) expect(load(name)).toEqual(content)
})

describe.each([portable(), await nodeCrypto()])('VRF vectors on $name', (crypto) => {
  const hex = (bytes: Uint8Array | undefined) => (bytes === undefined ? undefined : toHex(bytes))
  test.each(load('vrf.prove.json').cases)('prove $id', ({ in: { seed, alpha }, out }) => {
    const prover = crypto.vrfProver(fromHex(seed!))
    const proof = prover.prove(fromHex(alpha!))
    expect({ publicKey: toHex(prover.publicKey), proof: toHex(proof), hash: hex(crypto.vrfHash(proof)) }).toEqual(out)
  })

  test.each(load('vrf.verify.json').cases)('verify $id', ({ in: { publicKey, alpha, proof }, out }) => {
    const hash = crypto.vrfVerify(fromHex(publicKey!), fromHex(proof!), fromHex(alpha!))
    expect(hex(hash)).toBe(out.hash)
    expect(hash !== undefined).toBe(out.valid)
  })

  test.each(load('vrf.proofToHash.json').cases)('proofToHash $id', ({ in: { proof }, out }) => {
    expect(hex(crypto.vrfHash(fromHex(proof!)))).toBe(out.hash)
  })
})
