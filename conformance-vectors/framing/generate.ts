// Writes the vectors of this folder: node --conditions=nexus-source conformance-vectors/framing/generate.ts
import { writeFileSync } from 'node:fs'
import { fromHex, type Tlv, toHex } from '@nexus/codec'
import { vectorsText } from '@nexus/codec/testing'
import { portable } from '@nexus/crypto'
import {
  type Announce,
  announceHash,
  CONTEXT,
  decodeAnnounce,
  encodeAnnounce,
  encodeAnnouncePacket,
  encodePacket,
  nativePacket,
  PACKET_TYPE,
  type Packet,
  packetHash,
  relayAnnounce,
  setPacketHops,
  signAnnounce,
  verifyAnnounce,
} from '@nexus/framing'
import { createIdentity } from '@nexus/identity'

type Case = { readonly id: string; readonly in: object } & ({ readonly out: object } | { readonly error: string })

function write(op: string, cases: readonly Case[]): void {
  writeFileSync(new URL(`${op}.json`, import.meta.url), vectorsText(op, cases))
}

const crypto = portable()
const count = (length: number, from = 0) => Uint8Array.from({ length }, (_, at) => (from + at) & 0xff)
const destination = count(16, 0x10)
const transportId = count(16, 0xa0)

// Packets

const plainFields = nativePacket({ type: PACKET_TYPE.DATA, destination, context: CONTEXT.SEALED, data: count(5) })
const packets: Record<string, Packet> = {
  'no data': { ...plainFields, data: new Uint8Array(0) },
  'five bytes': plainFields,
  'as much data as fits': { ...plainFields, data: count(465) },
  'two addresses, as much data as fits': { ...plainFields, transportId, data: count(449) },
  'two addresses, transport, no data': { ...plainFields, transportId, propagation: 1, data: new Uint8Array(0) },
  'access code flag': { ...plainFields, accessCode: true },
  'context flag': { ...plainFields, contextFlag: true },
  'all flags': {
    ...plainFields,
    accessCode: true,
    contextFlag: true,
    propagation: 1,
    destinationType: 3,
    type: 3,
    transportId,
  },
  '127 hops': { ...plainFields, hops: 127 },
}
for (const [name, context] of Object.entries(CONTEXT)) packets[`context ${name}`] = { ...plainFields, context }
for (let type = 0; type < 4; type++) {
  for (let destinationType = 0; destinationType < 4; destinationType++) {
    packets[`type ${type}, destination type ${destinationType}`] = { ...plainFields, type, destinationType, context: 0 }
  }
}

const packetFields = (packet: Packet) => ({
  accessCode: packet.accessCode,
  contextFlag: packet.contextFlag,
  propagation: packet.propagation,
  destinationType: packet.destinationType,
  type: packet.type,
  hops: packet.hops,
  transportId: packet.transportId === undefined ? null : toHex(packet.transportId),
  destination: toHex(packet.destination),
  context: packet.context,
  data: toHex(packet.data),
})
const encoded = Object.entries(packets).map(([id, packet]) => ({ id, packet, bytes: encodePacket(packet) }))
const five = encodePacket(plainFields)
const long = encodePacket({ ...plainFields, data: count(466) }, 485)
const twoAddresses = encodePacket({ ...plainFields, transportId })
const dying = five.with(1, 128)

write(
  'packet.encode',
  encoded.map(({ id, packet, bytes }) => ({ id, in: packetFields(packet), out: { bytes: toHex(bytes) } })),
)
write('packet.decode', [
  ...encoded.map(({ id, packet, bytes }) => ({ id, in: { bytes: toHex(bytes) }, out: packetFields(packet) })),
  { id: 'no bytes', in: { bytes: '' }, error: 'framing/short' },
  { id: 'no context', in: { bytes: toHex(five.subarray(0, 18)) }, error: 'framing/short' },
  { id: 'two addresses, no context', in: { bytes: toHex(twoAddresses.subarray(0, 34)) }, error: 'framing/short' },
  { id: '485 bytes', in: { bytes: toHex(long) }, error: 'framing/long' },
  { id: '128 hops', in: { bytes: toHex(dying) }, error: 'framing/hops' },
  { id: '255 hops', in: { bytes: toHex(five.with(1, 255)) }, error: 'framing/hops' },
])
write(
  'packet.hash',
  encoded.map(({ id, bytes }) => ({
    id,
    in: { bytes: toHex(bytes) },
    out: { hash: toHex(packetHash(crypto, bytes)) },
  })),
)
const announceContext = encodePacket({ ...plainFields, type: PACKET_TYPE.ANNOUNCE, context: 0x0b })
write('packet.checkNative', [
  { id: 'five bytes', in: { bytes: toHex(five) }, out: {} },
  { id: 'no data', in: { bytes: toHex(five.subarray(0, 19)) }, out: {} },
  { id: '484 bytes', in: { bytes: toHex(long.subarray(0, 484)) }, out: {} },
  { id: '127 hops', in: { bytes: toHex(five.with(1, 127)) }, out: {} },
  { id: 'any low flags', in: { bytes: toHex(five.with(0, 0x0e)) }, out: {} },
  { id: 'an announce', in: { bytes: toHex(announceContext.with(18, 0)) }, out: {} },
  { id: 'no context', in: { bytes: toHex(five.subarray(0, 18)) }, error: 'framing/short' },
  { id: '485 bytes', in: { bytes: toHex(long) }, error: 'framing/long' },
  { id: '128 hops', in: { bytes: toHex(dying) }, error: 'framing/hops' },
  { id: 'access code flag', in: { bytes: toHex(five.with(0, 0x80)) }, error: 'framing/flags' },
  { id: 'two addresses', in: { bytes: toHex(twoAddresses) }, error: 'framing/flags' },
  { id: 'context flag', in: { bytes: toHex(five.with(0, 0x20)) }, error: 'framing/flags' },
  { id: 'transport propagation', in: { bytes: toHex(five.with(0, 0x10)) }, error: 'framing/flags' },
  { id: 'an announce with a context', in: { bytes: toHex(announceContext) }, error: 'framing/context' },
])

// Announces

const seed = count(32, 1)
const identity = createIdentity(crypto, seed)
const cost = fromHex('d90028006303')
const tlvSets: Record<string, Tlv[]> = {
  'no TLVs': [],
  capabilities: [{ type: 1, data: fromHex('0300') }],
  'every known TLV': [
    { type: 1, data: fromHex('ff01') },
    { type: 2, data: new TextEncoder().encode('Kreuzberg') },
    { type: 3, data: count(16, 0x30) },
    { type: 4, data: count(7, 0x40) },
    { type: 5, data: count(32, 0x50) },
  ],
  'unknown, repeated and empty TLVs': [
    { type: 200, data: count(3) },
    { type: 0, data: new Uint8Array(0) },
    { type: 200, data: new Uint8Array(0) },
  ],
  'TLVs to the last byte': [
    { type: 128, data: count(255) },
    { type: 129, data: count(93) },
  ],
}
const lamports = [0n, 1n, 77n, 2n ** 53n + 1n, 2n ** 64n - 1n]
const signed = Object.entries(tlvSets).map(([id, tlvs], index) => {
  const fields = { lamport: lamports[index]!, maxHops: index === 1 ? 0 : 128, cost, tlvs }
  return { id, fields, announce: signAnnounce(identity, fields) }
})

const tlvsOut = (tlvs: readonly Tlv[]) => tlvs.map(({ type, data }) => ({ type, data: toHex(data) }))
const announceFields = (announce: Announce) => ({
  publicKey: toHex(announce.publicKey),
  lamport: `${announce.lamport}`,
  maxHops: announce.maxHops,
  signature: toHex(announce.signature),
  version: announce.extension.version,
  cost: toHex(announce.extension.cost),
  tlvs: tlvsOut(announce.extension.tlvs),
})

write(
  'announce.sign',
  signed.map(({ id, fields, announce }) => ({
    id,
    in: {
      seed: toHex(seed),
      lamport: `${fields.lamport}`,
      maxHops: fields.maxHops,
      cost: toHex(cost),
      tlvs: tlvsOut(fields.tlvs),
    },
    out: { destination: toHex(identity.nodeId), data: toHex(encodeAnnounce(announce)) },
  })),
)

const base = signed[2]!.announce
const later = { ...base, extension: { ...base.extension, version: 2 } }
const forms: [string, Announce][] = [
  ...signed.map(({ id, announce }): [string, Announce] => [id, announce]),
  ['max hops above the limit are kept', { ...base, maxHops: 255 }],
  ['a later version', later],
]
write(
  'announce.encode',
  forms.map(([id, announce]) => ({ id, in: announceFields(announce), out: { data: toHex(encodeAnnounce(announce)) } })),
)
const data = encodeAnnounce(base)
write('announce.decode', [
  ...forms.map(([id, announce]) => ({
    id,
    in: { data: toHex(encodeAnnounce(announce)) },
    out: announceFields(announce),
  })),
  { id: 'no bytes', in: { data: '' }, error: 'framing/short' },
  { id: 'no whole cost', in: { data: toHex(data.subarray(0, 112)) }, error: 'framing/short' },
  { id: 'another magic', in: { data: toHex(data.with(105, 0x4f)) }, error: 'framing/magic' },
  { id: 'version 0', in: { data: toHex(data.with(106, 0)) }, error: 'framing/version' },
  { id: 'a TLV without length', in: { data: toHex(data.subarray(0, 114)) }, error: 'framing/tlv' },
  { id: 'a cut TLV', in: { data: toHex(data.subarray(0, 116)) }, error: 'framing/tlv' },
  { id: '466 bytes', in: { data: `${toHex(encodeAnnounce(signed[4]!.announce))}00` }, error: 'framing/long' },
])

const other = createIdentity(crypto, count(32, 2))
const flipped = (at: number) => Uint8Array.from(data, (byte, index) => (index === at ? byte ^ 1 : byte))
const verdicts: [string, Uint8Array, Uint8Array][] = [
  ...signed.map(({ id, announce }): [string, Uint8Array, Uint8Array] => [
    id,
    identity.nodeId,
    encodeAnnounce(announce),
  ]),
  ['max hops changed', identity.nodeId, data.with(40, 3)],
  ['cost changed', identity.nodeId, data.with(107, 0xff).with(112, 9)],
  ['another destination', other.nodeId, data],
  ['another key', identity.nodeId, encodeAnnounce({ ...base, publicKey: other.publicKey })],
  ['the other node’s key and destination', other.nodeId, encodeAnnounce({ ...base, publicKey: other.publicKey })],
  ['lamport changed', identity.nodeId, flipped(32)],
  ['signature changed', identity.nodeId, flipped(41)],
  ['version changed', identity.nodeId, encodeAnnounce(later)],
  ['TLV type changed', identity.nodeId, flipped(113)],
  ['TLV data changed', identity.nodeId, flipped(115)],
  ['TLVs dropped', identity.nodeId, data.subarray(0, 113)],
]
write(
  'announce.verify',
  verdicts.map(([id, to, bytes]) => ({
    id,
    in: { destination: toHex(to), data: toHex(bytes) },
    out: { valid: verifyAnnounce(crypto, to, decodeAnnounce(bytes)) },
  })),
)

write(
  'announce.hash',
  [...signed, { id: 'max hops and cost do not count', announce: { ...base, maxHops: 1 } }].map(({ id, announce }) => ({
    id,
    in: { destination: toHex(identity.nodeId), data: toHex(encodeAnnounce(announce)) },
    out: { hash: toHex(announceHash(crypto, identity.nodeId, announce)) },
  })),
)

const packet = encodeAnnouncePacket(identity.nodeId, base)
const far = packet.slice()
setPacketHops(far, 127)
const almost = packet.slice()
setPacketHops(almost, 126)
const newCost = fromHex('e7005e016304')
const relayed: [string, Uint8Array][] = [
  ['the first relay', packet],
  ['max hops above the limit', encodeAnnouncePacket(identity.nodeId, { ...base, maxHops: 255 })],
  ['max hops 1', encodeAnnouncePacket(identity.nodeId, { ...base, maxHops: 1 })],
  ['max hops 0: it stops', encodeAnnouncePacket(identity.nodeId, { ...base, maxHops: 0 })],
  ['126 hops', almost],
  ['127 hops: it stops', far],
]
write(
  'announce.relay',
  relayed.map(([id, bytes]) => {
    const onward = relayAnnounce(bytes, newCost)
    return {
      id,
      in: { packet: toHex(bytes), cost: toHex(newCost) },
      out: { packet: onward === undefined ? null : toHex(onward) },
    }
  }),
)
