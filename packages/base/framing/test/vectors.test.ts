import { readdirSync, readFileSync } from 'node:fs'
import { fromHex, type Tlv, toHex } from '@nexus/codec'
import { vectorsOf } from '@nexus/codec/testing'
import { type Crypto, portable } from '@nexus/crypto'
import { nodeCrypto } from '@nexus/crypto/node'
import { createIdentity } from '@nexus/identity'
import { describe, expect, test } from 'vitest'
import {
  type Announce,
  announceHash,
  decodeAnnounce,
  decodePacket,
  encodeAnnounce,
  encodePacket,
  FramingError,
  type FramingErrorDetail,
  type Packet,
  packetFault,
  packetHash,
  relayAnnounce,
  signAnnounce,
  verifyAnnounce,
} from '../src/index.ts'

const folder = new URL('../../../../conformance-vectors/framing/', import.meta.url)

interface TlvJson {
  readonly type: number
  readonly data: string
}

const tlvsIn = (tlvs: readonly TlvJson[]): Tlv[] => tlvs.map(({ type, data }) => ({ type, data: fromHex(data) }))
const tlvsOut = (tlvs: readonly Tlv[]): TlvJson[] => tlvs.map(({ type, data }) => ({ type, data: toHex(data) }))

const packetOut = ({ transportId, destination, data, ...rest }: Packet) => ({
  ...rest,
  transportId: transportId === undefined ? null : toHex(transportId),
  destination: toHex(destination),
  data: toHex(data),
})

const announceOut = ({ publicKey, lamport, maxHops, signature, extension }: Announce) => ({
  publicKey: toHex(publicKey),
  lamport: `${lamport}`,
  maxHops,
  signature: toHex(signature),
  version: extension.version,
  cost: toHex(extension.cost),
  tlvs: tlvsOut(extension.tlvs),
})

/** What each operation does with the fields of a case: an output, or the code of an error. */
// biome-ignore lint/suspicious/noExplicitAny: each operation has its own fields
const operationsOf = (crypto: Crypto): Record<string, (given: any) => object | FramingErrorDetail['code']> => ({
  'packet.encode': ({ transportId, destination, data, ...rest }) => {
    const form = transportId === null ? {} : { transportId: fromHex(transportId) }
    return { bytes: toHex(encodePacket({ ...rest, ...form, destination: fromHex(destination), data: fromHex(data) })) }
  },
  'packet.decode': ({ bytes }) => packetOut(decodePacket(fromHex(bytes))),
  'packet.hash': ({ bytes }) => ({ hash: toHex(packetHash(crypto, fromHex(bytes))) }),
  'packet.checkNative': ({ bytes }) => packetFault(fromHex(bytes)) ?? {},
  'announce.sign': ({ seed, lamport, maxHops, cost, tlvs }) => {
    const identity = createIdentity(crypto, fromHex(seed))
    const fields = { lamport: BigInt(lamport), maxHops, cost: fromHex(cost), tlvs: tlvsIn(tlvs) }
    return { destination: toHex(identity.nodeId), data: toHex(encodeAnnounce(signAnnounce(identity, fields))) }
  },
  'announce.encode': ({ publicKey, lamport, maxHops, signature, version, cost, tlvs }) => {
    const extension = { version, cost: fromHex(cost), tlvs: tlvsIn(tlvs) }
    const keys = { publicKey: fromHex(publicKey), signature: fromHex(signature) }
    return { data: toHex(encodeAnnounce({ ...keys, lamport: BigInt(lamport), maxHops, extension })) }
  },
  'announce.decode': ({ data }) => announceOut(decodeAnnounce(fromHex(data))),
  'announce.verify': ({ destination, data }) => ({
    valid: verifyAnnounce(crypto, fromHex(destination), decodeAnnounce(fromHex(data))),
  }),
  'announce.hash': ({ destination, data }) => ({
    hash: toHex(announceHash(crypto, fromHex(destination), decodeAnnounce(fromHex(data)))),
  }),
  'announce.relay': ({ packet, cost }) => {
    const relayed = relayAnnounce(fromHex(packet), fromHex(cost))
    return { packet: relayed === undefined ? null : toHex(relayed) }
  },
})

const providers = [portable(), await nodeCrypto()]
const ops = readdirSync(folder)
  .filter((name) => name.endsWith('.json'))
  .map((name) => name.slice(0, -'.json'.length))
// biome-ignore lint/suspicious/noExplicitAny: each operation has its own fields
const casesOf = (op: string) => vectorsOf<any, any>(readFileSync(new URL(`${op}.json`, folder), 'utf8'), op)

test('there is a file for each operation, and a case for each error', () => {
  expect(ops.toSorted()).toEqual(Object.keys(operationsOf(portable())).sort())
  const codes = {
    'framing/short': true,
    'framing/long': true,
    'framing/hops': true,
    'framing/flags': true,
    'framing/context': true,
    'framing/magic': true,
    'framing/version': true,
    'framing/tlv': true,
    // Not of a decoder: announce.verify says `valid: false` there.
    'framing/destination': false,
  } satisfies Record<FramingErrorDetail['code'], boolean>
  const seen = new Set(ops.flatMap((op) => casesOf(op).map((each) => each.error)))
  for (const [code, expected] of Object.entries(codes)) expect([code, seen.has(code)]).toEqual([code, expected])
})

describe.each(ops)('%s', (op) => {
  test.each(providers)('every case holds with $name', (crypto) => {
    for (const each of casesOf(op)) expect({ id: each.id, in: each.in, ...run(crypto, op, each.in) }).toEqual(each)
  })
})

test('some announces are valid and some are not', () => {
  const verdicts = casesOf('announce.verify').map(({ out }) => out.valid)
  expect([verdicts.filter(Boolean).length, verdicts.filter((valid) => !valid).length]).toEqual([7, 9])
})

function run(crypto: Crypto, op: string, given: unknown): object {
  try {
    const outcome = operationsOf(crypto)[op]!(given)
    return typeof outcome === 'string' ? { error: outcome } : { out: outcome }
  } catch (error) {
    if (!(error instanceof FramingError)) throw error
    return { error: error.detail.code }
  }
}
