// Writes the vectors of this folder: node --conditions=nexus-source conformance-vectors/anchor-truth/generate.ts
import { writeFileSync } from 'node:fs'
import {
  type AdmissionName,
  type AnchorError,
  type Datagram,
  decodeDatagram,
  epochIdOf,
  passphraseEpochKey,
  type Source,
  sealEpochKey,
  signEpoch,
  signPulse,
  signRequest,
  waitMsOf,
  zoneHashOf,
} from '@nexus/anchor-truth'
import { toHex } from '@nexus/codec'
import { portable } from '@nexus/crypto'
import { createIdentity } from '@nexus/identity'

const crypto = portable()
const anchor = createIdentity(crypto, filled(0x11, 32))
const member = createIdentity(crypto, filled(0x12, 32))
const source: Source = {
  address: Uint8Array.of(0xfe, 0x80, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0xff, 0xfe, 0, 0, 1),
  port: 19_541,
}
const passphraseKey = filled(0x77, 32)
const nonce = filled(0x55, 16)
const name = { publicKey: anchor.publicKey, epoch: 9, salt: filled(0x66, 32) }
const epochKey = passphraseEpochKey(crypto, passphraseKey, name)
const epochId = epochIdOf(crypto, name)
const shared = anchor.agree(member.agreementKey)
const sealedKey = sealEpochKey(crypto, { ...name, shared, memberKey: member.publicKey, nonce }, epochKey)
const zoneHash = zoneHashOf(crypto, 'Medical')

const pulse = signPulse(crypto, anchor, source, epochKey, {
  ...{ epochId, boot: 3, sequence: 70_000, uptimeSeconds: 3_600, ego: 200, isAnchor: true, missed: 0 },
  ...{ type: 'Bridge', zoneHash, name: 'Sonde 1 – Süd' },
})
const quiet = signPulse(crypto, member, source, epochKey, {
  ...{ epochId, boot: 4_294_967_295, sequence: 4_294_967_295, uptimeSeconds: 4_294_967_295, ego: 0, isAnchor: false },
  ...{ missed: 7, type: 'Agent', zoneHash: zoneHashOf(crypto, 'Logistics'), name: '' },
})
const request = signRequest(member, source, { boot: 1, sequence: 1, ego: 10, zoneHash, nonce })

write('anchor.decode', [
  accepted('a pulse of an anchor', pulse),
  accepted('a pulse of a member without name, all numbers at their end', quiet),
  accepted('a request', request),
  accepted(
    'an epoch under a passphrase, two answers',
    epoch('passphrase', [{ nonceHead: nonce.slice(0, 8) }, { nonceHead: filled(1, 8) }]),
  ),
  accepted('an epoch of an allow-list, one answer', epoch('allow-list', [{ nonceHead: nonce.slice(0, 8), sealedKey }])),
  accepted('an open epoch that answers nobody', epoch('open', [])),
  refused('nothing', new Uint8Array(0)),
  refused('a byte short', pulse.slice(0, -1)),
  refused('a byte more', Uint8Array.of(...request, 0)),
  refused('an unknown kind', changed(pulse, 0, 9)),
  refused('an unknown version', changed(request, 1, 2)),
  refused('an unused bit of the role', changed(pulse, 23, 0x84)),
  refused('a name that is no UTF-8', changed(pulse, 30, 0xff)),
  refused('an unknown admission', changed(epoch('open', []), 2, 3)),
  refused('more answers than fit', changed(epoch('open', []), 80, 19)),
])

write('anchor.epoch', [
  {
    id: 'id, key under a passphrase, sealed key',
    in: {
      anchorSeed: toHex(filled(0x11, 32)),
      memberSeed: toHex(filled(0x12, 32)),
      ...{ epoch: 9, salt: toHex(name.salt), passphraseKey: toHex(passphraseKey), nonce: toHex(nonce) },
    },
    out: { epochId: toHex(epochId), epochKey: toHex(epochKey), shared: toHex(shared), sealedKey: toHex(sealedKey) },
  },
])

write('anchor.proof', [
  {
    id: 'from the address it names',
    in: { bytes: toHex(pulse), address: toHex(source.address), port: source.port, epochKey: toHex(epochKey) },
    out: { signature: true, mac: true },
  },
  {
    id: 'sent on from another port',
    in: { bytes: toHex(pulse), address: toHex(source.address), port: 4_242, epochKey: toHex(epochKey) },
    out: { signature: false, mac: false },
  },
])

const candidate = (id: number, ego: number, firstHeardMs: number) => ({ nodeId: filled(id, 16), ego, firstHeardMs })
const self = candidate(5, 10, 20_000)
write(
  'anchor.wait',
  [
    ['alone', []],
    ['one came long before', [candidate(1, 10, 0)]],
    ['one came with it, and has the greater NodeID', [candidate(9, 10, 23_000)]],
    ['one came with it, and has the lesser NodeID', [candidate(1, 10, 17_000)]],
    ['one came long after', [candidate(9, 10, 40_000)]],
    ['one has a greater ego', [candidate(1, 11, 90_000)]],
    [
      'two have a greater ego, one of the own came before',
      [candidate(1, 11, 0), candidate(2, 12, 0), candidate(3, 10, 0)],
    ],
    ['more come before than there are turns', [1, 2, 3, 4, 6, 7].map((id) => candidate(id, 10, 0))],
  ].map(([id, others]) => ({
    id,
    in: { self: shown(self), others: (others as (typeof self)[]).map(shown) },
    out: { waitMs: waitMsOf(self, others as (typeof self)[]) },
  })),
)

function epoch(admission: AdmissionName, answers: { nonceHead: Uint8Array; sealedKey?: Uint8Array }[]): Uint8Array {
  const { epoch: number, salt } = name
  return signEpoch(crypto, anchor, source, epochKey, {
    admission,
    ego: 200,
    boot: 3,
    sequence: 5,
    epoch: number,
    salt,
    answers,
  })
}

function accepted(id: string, bytes: Uint8Array): object {
  return { id, in: { bytes: toHex(bytes) }, out: shown(decodeDatagram(bytes)) }
}

function refused(id: string, bytes: Uint8Array): object {
  try {
    decodeDatagram(bytes)
  } catch (error) {
    return { id, in: { bytes: toHex(bytes) }, error: (error as AnchorError).detail.code }
  }
  throw new Error(`${id}: accepted`)
}

function shown(value: Datagram | object): object {
  return JSON.parse(JSON.stringify(value, (_, part) => (part instanceof Uint8Array ? toHex(part) : part)))
}

function changed(bytes: Uint8Array, at: number, value: number): Uint8Array {
  return bytes.map((byte, index) => (index === at ? value : byte))
}

function filled(byte: number, length: number): Uint8Array {
  return new Uint8Array(length).fill(byte)
}

function write(op: string, cases: readonly object[]): void {
  const lines = cases.map((each) => `    ${JSON.stringify(each)}`).join(',\n')
  const text = `{\n  "schema": "nexus-vectors/1",\n  "op": "${op}",\n  "cases": [\n${lines}\n  ]\n}\n`
  writeFileSync(new URL(`${op}.json`, import.meta.url), text)
}
