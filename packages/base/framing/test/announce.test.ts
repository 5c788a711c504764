import { nodeIdOf } from '@nexus/identity'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  ANNOUNCE_BYTES_MIN,
  ANNOUNCE_TLVS_BYTES_MAX,
  type Announce,
  announceCost,
  announceHash,
  announceLamport,
  announceMaxHops,
  announceVerifyJob,
  DATA_BYTES_MAX,
  decodeAnnounce,
  decodeExtension,
  decodePacket,
  EXTENSION_TLV,
  encodeAnnounce,
  encodeAnnouncePacket,
  encodeExtension,
  HOP_LIMIT,
  PACKET_BYTES_MAX,
  packetData,
  packetDestination,
  packetFault,
  packetHash,
  packetHops,
  relayAnnounce,
  setPacketHops,
  signAnnounce,
  verifyAnnounce,
} from '../src/index.ts'
import { anyAnnounce, codeOf, cost, crypto, identity } from './fixtures.ts'

const tlvs = [
  { type: EXTENSION_TLV.CAPABILITIES, data: Uint8Array.of(3, 0) },
  { type: 200, data: Uint8Array.of(9, 9, 9) },
]
const signed = signAnnounce(identity, { lamport: 77n, cost, tlvs })
const verdict = (announce: Announce) => verifyAnnounce(crypto, identity.nodeId, announce)

test('the sizes are those of the specification', () => {
  expect([ANNOUNCE_BYTES_MIN, ANNOUNCE_TLVS_BYTES_MAX]).toEqual([113, 352])
})

describe('announce codec', () => {
  test('round trip', () => {
    fc.assert(
      fc.property(anyAnnounce, (announce) => {
        const data = encodeAnnounce(announce)
        expect(decodeAnnounce(data)).toEqual(announce)
        expect(encodeAnnounce(decodeAnnounce(data))).toEqual(data)
        expect(data.length).toBeLessThanOrEqual(DATA_BYTES_MAX)
        const extension = encodeExtension(announce.extension)
        expect(decodeExtension(extension)).toEqual(announce.extension)
        expect(data.subarray(105)).toEqual(extension)
      }),
    )
  })

  test('refuses what is cut, too long or no extension', () => {
    const data = encodeAnnounce(signed)
    for (let length = 0; length < ANNOUNCE_BYTES_MIN; length++) {
      expect(codeOf(() => decodeAnnounce(data.subarray(0, length)))).toBe('framing/short')
    }
    for (const length of [114, 115, 116, 118, 121]) {
      expect(codeOf(() => decodeAnnounce(data.subarray(0, length)))).toBe('framing/tlv')
    }
    expect(codeOf(() => decodeAnnounce(new Uint8Array(466)))).toBe('framing/long')
    expect(codeOf(() => decodeAnnounce(data.with(105, 0x4f)))).toBe('framing/magic')
    expect(codeOf(() => decodeAnnounce(data.with(106, 0)))).toBe('framing/version')
    expect(codeOf(() => decodeExtension(data.subarray(105, 112)))).toBe('framing/short')
    expect(codeOf(() => decodeExtension(new Uint8Array(361)))).toBe('framing/long')
  })

  test('TLVs fill a packet to the last byte and no further', () => {
    const filling = [
      { type: 128, data: new Uint8Array(255) },
      { type: 129, data: new Uint8Array(ANNOUNCE_TLVS_BYTES_MAX - 257 - 2) },
    ]
    const announce = signAnnounce(identity, { lamport: 1n, cost, tlvs: filling })
    expect(encodeAnnouncePacket(identity.nodeId, announce).length).toBe(PACKET_BYTES_MAX)
    expect(verdict(announce)).toBe(true)
    const over = {
      ...announce,
      extension: { version: 1, cost, tlvs: [...filling, { type: 1, data: new Uint8Array() }] },
    }
    expect(() => encodeAnnounce(over)).toThrow(RangeError)
  })

  test('misuse is a RangeError', () => {
    for (const bad of [{ maxHops: 129 }, { lamport: 1n << 64n }, { lamport: -1n }]) {
      expect(() => signAnnounce(identity, { lamport: 1n, cost, ...bad })).toThrow(RangeError)
    }
    expect(() => encodeAnnounce({ ...signed, publicKey: new Uint8Array(31) })).toThrow(RangeError)
    expect(() => encodeExtension({ version: 0, cost, tlvs })).toThrow(RangeError)
    expect(() => encodeExtension({ version: 1, cost: new Uint8Array(5), tlvs })).toThrow(RangeError)
  })
})

describe('announce signature', () => {
  test('holds, also after relays have rewritten what is theirs', () => {
    expect(verdict(signed)).toBe(true)
    const rewritten = { ...signed, maxHops: 3, extension: { ...signed.extension, cost: new Uint8Array(6) } }
    expect(verdict(rewritten)).toBe(true)
  })

  test('covers key, lamport, version and every TLV byte', () => {
    const data = encodeAnnounce(signed)
    const free = new Set([40, 105, 107, 108, 109, 110, 111, 112])
    for (let at = 0; at < data.length; at++) {
      const changed = data.slice()
      changed[at]! ^= 2
      let holds = false
      const code = codeOf(() => {
        holds = verdict(decodeAnnounce(changed))
      })
      if (code === undefined) expect([at, holds]).toEqual([at, free.has(at)])
      else expect(code).toBe(at === 105 ? 'framing/magic' : 'framing/tlv')
    }
  })

  test('the hash covers what is signed, and only that', () => {
    const hash = announceHash(crypto, identity.nodeId, signed)
    const rewritten = { ...signed, maxHops: 3, extension: { ...signed.extension, cost: new Uint8Array(6) } }
    expect(announceHash(crypto, identity.nodeId, rewritten)).toEqual(hash)
    expect(announceHash(crypto, identity.nodeId, { ...signed, lamport: 78n })).not.toEqual(hash)
    const twin = signAnnounce(identity, { lamport: signed.lamport, cost, tlvs: tlvs.slice(1) })
    expect(announceHash(crypto, identity.nodeId, twin)).not.toEqual(hash)
  })

  test('does not hold for another destination', () => {
    const other = nodeIdOf(crypto, new Uint8Array(32))
    expect(verifyAnnounce(crypto, other, signed)).toBe(false)
    expect(codeOf(() => announceVerifyJob(crypto, other, signed))).toBe('framing/destination')
  })

  test('a batch gives the same verdicts', async () => {
    const forged = { ...signed, lamport: signed.lamport + 1n }
    const jobs = [signed, forged].map((announce) => announceVerifyJob(crypto, identity.nodeId, announce))
    expect(await crypto.verifyBatch(jobs)).toEqual([true, false])
  })

  test('an announce of a later version is verified and kept', () => {
    const relabelled = { ...signed, extension: { ...signed.extension, version: 2 } }
    expect(verdict(relabelled)).toBe(false)
    const job = announceVerifyJob(crypto, identity.nodeId, relabelled)
    const later = { ...relabelled, signature: identity.sign(job.tag, ...job.parts) }
    expect(decodeAnnounce(encodeAnnounce(later))).toEqual(later)
    expect(verdict(later)).toBe(true)
  })
})

describe('relaying an announce', () => {
  const packet = encodeAnnouncePacket(identity.nodeId, signed)
  const dearer = Uint8Array.of(6, 5, 4, 3, 2, 1)

  test('changes hops, max hops and cost, and nothing else', () => {
    const before = packet.slice()
    const relayed = relayAnnounce(packet, dearer)!
    expect(packet).toEqual(before)
    expect(packetFault(relayed)).toBeUndefined()
    expect([packetHops(relayed), announceMaxHops(relayed), announceLamport(relayed)]).toEqual([1, 127, 77n])
    expect(announceCost(relayed)).toEqual(dearer)
    const announce = decodeAnnounce(packetData(relayed))
    expect(announce).toEqual({ ...signed, maxHops: 127, extension: { ...signed.extension, cost: dearer } })
    expect(verifyAnnounce(crypto, packetDestination(relayed), announce)).toBe(true)
  })

  test('in place', () => {
    const copy = packet.slice()
    expect(relayAnnounce(copy, dearer, copy)).toBe(copy)
    expect(copy).toEqual(relayAnnounce(packet, dearer))
  })

  test('received max hops are clamped', () => {
    const greedy = encodeAnnouncePacket(identity.nodeId, { ...signed, maxHops: 255 })
    expect(announceMaxHops(greedy)).toBe(HOP_LIMIT)
    expect(announceMaxHops(relayAnnounce(greedy, dearer)!)).toBe(127)
  })

  test('stops at max hops 0 and at the hop limit, and writes nothing then', () => {
    const local = encodeAnnouncePacket(identity.nodeId, { ...signed, maxHops: 0 })
    const far = packet.slice()
    setPacketHops(far, 127)
    for (const stopped of [local, far]) {
      const before = stopped.slice()
      expect(relayAnnounce(stopped, dearer, stopped)).toBeUndefined()
      expect(stopped).toEqual(before)
    }
  })

  test('goes from relay to relay until it stops, 127 relays at most', () => {
    let current: Uint8Array | undefined = packet
    let relays = 0
    for (let step = 0; step < 200 && current !== undefined; step++) {
      current = relayAnnounce(current, dearer)
      if (current !== undefined) relays++
    }
    expect(relays).toBe(127)
  })

  test('the packet hash tells relayed copies apart; the lamport says that they are one', () => {
    const relayed = relayAnnounce(packet, dearer)!
    expect(packetHash(crypto, relayed)).not.toEqual(packetHash(crypto, packet))
    expect(announceLamport(relayed)).toBe(announceLamport(packet))
    expect(decodePacket(relayed).destination).toEqual(identity.nodeId)
  })

  test('misuse is a RangeError', () => {
    const data = packet.slice()
    data[0] = 0
    for (const act of [
      () => relayAnnounce(data, dearer),
      () => relayAnnounce(packet.subarray(0, 131), dearer),
      () => relayAnnounce(packet.with(124, 0), dearer),
      () => relayAnnounce(packet, new Uint8Array(5)),
      () => relayAnnounce(packet, dearer, new Uint8Array(10)),
      () => announceLamport(data),
      () => announceCost(data),
    ]) {
      expect(act).toThrow(RangeError)
    }
  })
})
