import { readFileSync } from 'node:fs'
import { fromHex, toHex } from '@nexus/codec'
import { fuzzCases, fuzzDecoder } from '@nexus/codec/testing'
import { seededRandom } from '@nexus/crypto/testing'
import { Gossip, type GossipRecord, type Verdict } from '@nexus/gossip'
import { describe, expect, test } from 'vitest'
import { trustVectors } from '../../../../conformance-vectors/trust/generate.ts'
import {
  decodeTrust,
  encodeTrust,
  PEERS_MAX,
  STATEMENTS_PER_TRUSTER_MAX,
  signTrust,
  TRUST_RECORD,
  TrustError,
  TrustedPeers,
  type VerifyPort,
  verifyTrust,
} from '../src/index.ts'
import { crypto, identityOf, NETWORK, plainCrypto, says, view } from './kit.ts'

const [ann, ben] = ['ann', 'ben'].map(identityOf)

describe('peers', () => {
  test('a trusted neighbour relays for free, wherever its packets go; any other pays', () => {
    const peers = new TrustedPeers(300)
    peers.trust(ann!.nodeId, { creditLineMicro: 0n, community: 'hill' })
    expect(peers.isFree(ann!.nodeId)).toBe(true)
    expect(peers.ownCost(ann!.nodeId)).toBe(0)
    expect(peers.isFree(ben!.nodeId)).toBe(false)
    expect(peers.ownCost(ben!.nodeId)).toBe(300)
    peers.setCost(ben!.nodeId, 120)
    expect([peers.ownCost(ben!.nodeId), peers.costFor(ben!.nodeId)]).toEqual([120, 120])
    peers.setCost(ann!.nodeId, 50)
    expect([peers.ownCost(ann!.nodeId), peers.costFor(ann!.nodeId)]).toEqual([0, undefined])
    peers.setCost(ben!.nodeId, undefined)
    expect(peers.ownCost(ben!.nodeId)).toBe(300)
    peers.distrust(ann!.nodeId)
    expect(peers.isFree(ann!.nodeId)).toBe(false)
    expect([...peers.entries()]).toEqual([])
  })

  test('misuse and too many', () => {
    expect(() => new TrustedPeers(641)).toThrow(RangeError)
    const peers = new TrustedPeers(0)
    expect(() => peers.setCost(ann!.nodeId, 0.5)).toThrow(RangeError)
    expect(() => peers.trust(new Uint8Array(15), { creditLineMicro: 0n })).toThrow(RangeError)
    expect(() => peers.trust(ann!.nodeId, { creditLineMicro: -1n })).toThrow(RangeError)
    const node = (at: number) => Uint8Array.from({ length: 16 }, (_, byte) => (byte < 2 ? (at >> (8 * byte)) & 255 : 0))
    for (let at = 0; at < PEERS_MAX; at++) peers.trust(node(at), { creditLineMicro: 0n })
    expect(() => peers.trust(node(PEERS_MAX), { creditLineMicro: 0n })).toThrow(RangeError)
    peers.trust(node(3), { creditLineMicro: 7n })
  })
})

describe('statements', () => {
  test('hold for their network, truster and words', () => {
    const statement = says(ann!, ben!.nodeId, 7n)
    for (const one of [crypto, plainCrypto]) {
      expect(verifyTrust(one, NETWORK, statement)).toBe(true)
      expect(verifyTrust(one, new Uint8Array(16), statement)).toBe(false)
      expect(verifyTrust(one, NETWORK, { ...statement, trusted: false })).toBe(false)
      expect(verifyTrust(one, NETWORK, { ...statement, truster: ben!.publicKey })).toBe(false)
    }
    expect(() => signTrust(ann!, new Uint8Array(15), statement)).toThrow(RangeError)
  })

  test('the highest sequence counts, in whatever order they come', () => {
    for (const order of [
      [1, 2, 3],
      [3, 2, 1],
      [2, 3, 1],
    ]) {
      const { peers, statements } = view()
      peers.trust(ann!.nodeId, { creditLineMicro: 1n })
      for (const sequence of order) statements.add(says(ann!, ben!.nodeId, BigInt(sequence), sequence !== 3))
      expect(statements.trusts(ann!.nodeId, ben!.nodeId)).toBe(false)
      expect(statements.add(says(ann!, ben!.nodeId, 4n))).toBe(true)
      expect(statements.trusts(ann!.nodeId, ben!.nodeId)).toBe(true)
    }
  })

  test('those of nobody followed are not kept, and of one truster a bounded number', () => {
    const { peers, statements } = view()
    expect(statements.add(says(ann!, ben!.nodeId, 1n))).toBe(false)
    peers.trust(ann!.nodeId, { creditLineMicro: 1n })
    const random = seededRandom('trustees')
    const added = Array.from({ length: STATEMENTS_PER_TRUSTER_MAX + 5 }, () =>
      statements.add(says(ann!, random(16), 1n)),
    )
    expect(added.filter(Boolean).length).toBe(STATEMENTS_PER_TRUSTER_MAX)
    statements.forget(ann!.nodeId)
    expect(statements.add(says(ann!, ben!.nodeId, 1n))).toBe(true)
  })

  test('travel as gossip records of tier 4: valid ones are taken, forged and malformed ones are invalid', () => {
    const { peers, statements } = view()
    peers.trust(ann!.nodeId, { creditLineMicro: 1n })
    const verify: VerifyPort = (jobs, answer) => {
      answer(jobs.map(({ publicKey, signature, tag, parts }) => crypto.verify(publicKey, signature, tag, ...parts)))
    }
    const heard: string[] = []
    const handler = statements.handler(verify, ({ trustee }) => heard.push(toHex(trustee)))
    const gossip = new Gossip({ crypto, random: seededRandom('gossip') }, { want() {} })
    gossip.register(handler)
    const verdictOf = (body: Uint8Array): Verdict | undefined => {
      let verdict: Verdict | undefined
      const record: GossipRecord = { type: TRUST_RECORD, body }
      handler.validate(record, (one) => {
        verdict = one
      })
      if (verdict === 'valid') handler.accepted?.(record)
      return verdict
    }
    const body = encodeTrust(says(ann!, ben!.nodeId, 1n))
    const forged = body.slice()
    forged[40]! ^= 1
    expect([verdictOf(body), verdictOf(forged), verdictOf(body.subarray(1))]).toEqual(['valid', 'invalid', 'invalid'])
    expect(heard).toEqual([toHex(ben!.nodeId)])
    expect(handler.namedPart?.(body).length).toBe(57)
  })

  test('any bytes give a statement or the typed error', () => {
    const outcome = fuzzDecoder({
      decode: decodeTrust,
      encode: encodeTrust,
      isTyped: (error) => error instanceof TrustError,
      corpus: [encodeTrust(says(ann!, ben!.nodeId, 1n)), encodeTrust(says(ann!, ben!.nodeId, 2n ** 64n - 1n, false))],
      cases: fuzzCases(process.env),
      seed: 3,
    })
    expect(Math.min(outcome.accepted, outcome.refused)).toBeGreaterThan(100)
  })
})

interface Case {
  readonly id: string
  readonly in: Readonly<Record<string, string>>
  readonly out?: Readonly<Record<string, unknown>>
  readonly error?: string
}
const load = (name: string): { cases: Case[] } =>
  JSON.parse(readFileSync(new URL(`../../../../conformance-vectors/trust/${name}`, import.meta.url), 'utf8'))

describe('vectors', () => {
  test('are what generate.ts makes', () => {
    for (const [name, content] of Object.entries(trustVectors())) expect(load(name)).toEqual(content)
  })

  test.each(load('trust.decode.json').cases)('decode $id', ({ in: { bytes }, out, error }) => {
    if (error !== undefined) {
      expect(() => decodeTrust(fromHex(bytes!))).toThrow(
        expect.objectContaining({ detail: expect.objectContaining({ code: error }) }),
      )
      return
    }
    const statement = decodeTrust(fromHex(bytes!))
    const { truster, trustee, sequence, trusted, signature } = statement
    expect({
      truster: toHex(truster),
      trustee: toHex(trustee),
      sequence: `${sequence}`,
      trusted,
      signature: toHex(signature),
    }).toEqual(out)
    expect(toHex(encodeTrust(statement))).toBe(bytes)
  })

  test.each(load('trust.verify.json').cases)('verify $id', ({ in: { networkId, bytes }, out }) => {
    for (const one of [crypto, plainCrypto]) {
      expect({ valid: verifyTrust(one, fromHex(networkId!), decodeTrust(fromHex(bytes!))) }).toEqual(out)
    }
  })
})
