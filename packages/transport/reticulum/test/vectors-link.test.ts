import { toHex } from '@nexus/codec'
import { describe, expect, test } from 'vitest'
import { AccessCode } from '../src/access-code.ts'
import { bz2Decompress } from '../src/bz2-decode.ts'
import { bz2Compress } from '../src/bz2-encode.ts'
import {
  decodeEnvelope,
  decodeStreamMessage,
  encodeEnvelope,
  encodeStreamMessage,
  streamBytes,
} from '../src/channel-codec.ts'
import { ReticulumError } from '../src/errors.ts'
import { Identity, RemoteIdentity } from '../src/identity.ts'
import {
  decodeLinkProof,
  decodeLinkRequest,
  decodeRoundTrip,
  decodeSignalling,
  encodeLinkRequest,
  encodeRoundTrip,
  encodeSignalling,
  keepaliveMs,
  LINK_MODE,
  linkIdOf,
  linkKey,
  linkMduBytes,
  makeIdentify,
  makeLinkProof,
  openIdentify,
  verifyLinkProof,
} from '../src/link-codec.ts'
import { decodeMsgPack, encodeMsgPack } from '../src/msgpack.ts'
import { decodePacket, packetHash } from '../src/packet.ts'
import { makeProof, verifyProof } from '../src/proof.ts'
import { decodeRequest, decodeResponse, encodeRequest, encodeResponse, pathHash } from '../src/request-codec.ts'
import {
  decodeAdvertisement,
  decodeHashmapUpdate,
  decodePartRequest,
  encodeAdvertisement,
  encodeHashmapUpdate,
  encodeMetadata,
  encodePartRequest,
  mapHash,
  resourceHash,
  resourceProof,
  splitMetadata,
} from '../src/resource-codec.ts'
import { openToken, sealToken } from '../src/token.ts'
import { type Case, cryptos, hex, plain, scripted, typed, vectors } from './kit.ts'

describe.each(cryptos.map((crypto) => [crypto.name, crypto] as const))('with %s', (_, crypto) => {
  const link = vectors('link')

  test.each(link.transcripts as Case[])('link: $name', (c) => {
    const [request, proof] = c.steps
    const { ephemeral } = c.initiator
    const responder = new Identity(crypto, hex(c.responder.private_key))
    const asked = decodeLinkRequest(decodePacket(hex(request.raw)).data)
    if (request.data.length === 2 * 67) expect(toHex(encodeLinkRequest(asked))).toBe(request.data)
    expect(toHex(asked.encryptionKey)).toBe(ephemeral.encryption_public_key)
    const linkId = linkIdOf(crypto, hex(request.raw))
    expect(toHex(linkId)).toBe(c.link_id)
    const key = linkKey(crypto, hex(c.responder.ephemeral.encryption_private_key), asked.encryptionKey, linkId)!
    expect(toHex(key)).toBe(c.derived_key)
    const answered = decodeLinkProof(hex(proof.data))
    expect(verifyLinkProof(responder, linkId, answered)).toBe(true)
    expect(toHex(linkKey(crypto, hex(ephemeral.encryption_private_key), answered.encryptionKey, linkId)!)).toBe(
      c.derived_key,
    )
    const made = makeLinkProof(responder, linkId, answered.encryptionKey, { mtuBytes: c.mtu, mode: c.mode })
    expect(toHex(made)).toBe(proof.data)
    expect(linkMduBytes(c.mtu)).toBe(c.mdu)
    const timing = keepaliveMs(1000 * c.timing.initiator_rtt)
    expect(timing.intervalMs / 1000).toBeCloseTo(c.timing.keepalive_interval, 9)
    expect(timing.staleMs / 1000).toBeCloseTo(c.timing.stale_time, 9)
    for (const step of c.steps as Case[]) checkStep(c, step, key, linkId)
  })

  function checkStep(c: Case, step: Case, key: Uint8Array, linkId: Uint8Array): void {
    expect(toHex(packetHash(crypto, hex(step.raw)))).toBe(step.packet_hash)
    if (step.plaintext !== undefined) {
      expect(toHex(openToken(crypto, key, hex(step.data))!)).toBe(step.plaintext)
      expect(toHex(sealToken(crypto, key, hex(step.plaintext), scripted(step.iv)))).toBe(step.data)
    }
    if (step.context === 'LRRTT') {
      expect(decodeRoundTrip(hex(step.plaintext))).toBe(1000 * step.rtt)
      expect(toHex(encodeRoundTrip(1000 * step.rtt))).toBe(step.plaintext)
    }
    if (step.context === 'LINKIDENTIFY') {
      const identity = new Identity(crypto, hex(step.identity_private_key))
      expect(toHex(makeIdentify(identity, linkId))).toBe(step.plaintext)
      expect(openIdentify(crypto, linkId, hex(step.plaintext))).toEqual(identity.publicKey)
      const tampered = hex(step.plaintext)
      tampered[70]! ^= 1
      expect(openIdentify(crypto, linkId, tampered)).toBeUndefined()
    }
    if (step.context === 'CHANNEL') {
      expect(toHex(encodeEnvelope(decodeEnvelope(hex(step.plaintext))))).toBe(step.plaintext)
    }
    if (step.context === 'LINKCLOSE') expect(step.plaintext).toBe(c.link_id)
  }

  test.each(link.request_verdicts as Case[])('link request of $name', (c) => {
    const data = decodePacket(hex(c.raw)).data
    if (!c.accepted) {
      expect(() => decodeLinkRequest(data)).toThrow(ReticulumError)
      return
    }
    const responder = new Identity(crypto, hex(c.responder_private_key))
    const linkId = linkIdOf(crypto, hex(c.raw))
    expect(toHex(linkId)).toBe(c.link_id)
    const asked = decodeLinkRequest(data)
    expect(asked.mtuBytes).toBe(c.mtu)
    const ephemeral = crypto.x25519PublicKey(hex(c.responder_ephemeral_private_key))
    expect(toHex(makeLinkProof(responder, linkId, ephemeral, asked))).toBe(toHex(decodePacket(hex(c.proof)).data))
  })

  test.each(link.proof_verdicts as Case[])('link proof: $name', (c) => {
    const linkId = linkIdOf(crypto, hex(c.request))
    const packet = decodePacket(hex(c.proof))
    const responder = new RemoteIdentity(crypto, hex(c.responder_public_key))
    const verdict = () => {
      if (toHex(packet.destination) !== toHex(linkId)) return false
      const proof = decodeLinkProof(packet.data)
      return proof.mode === LINK_MODE && verifyLinkProof(responder, linkId, proof) && proof.mtuBytes === c.mtu
    }
    let accepted = false
    try {
      accepted = verdict()
    } catch (error) {
      if (!(error instanceof ReticulumError)) throw error
    }
    expect(accepted).toBe(c.accepted)
  })

  test('link ids and signalling', () => {
    for (const c of link.link_ids as Case[]) expect(toHex(linkIdOf(crypto, hex(c.raw)))).toBe(c.link_id)
    for (const c of link.signalling as Case[]) {
      expect(decodeSignalling(hex(c.bytes))).toEqual({ mtuBytes: c.parsed_mtu, mode: c.parsed_mode })
      expect(toHex(encodeSignalling({ mtuBytes: c.mtu, mode: c.mode }))).toBe(c.bytes)
    }
    for (const c of link.keepalive_timing as Case[]) {
      expect(keepaliveMs(1000 * c.rtt).intervalMs / 1000).toBeCloseTo(c.keepalive_interval, 9)
    }
  })

  test('channel envelopes and stream messages', () => {
    for (const c of link.channel_envelopes as Case[]) {
      const envelope = { messageType: c.message_type, sequence: c.sequence, data: hex(c.data) }
      expect(toHex(encodeEnvelope(envelope))).toBe(c.packed)
      expect(decodeEnvelope(hex(c.packed))).toEqual(envelope)
    }
    for (const c of link.stream_messages as Case[]) {
      const message = decodeStreamMessage(hex(c.packed))
      expect([message.streamId, message.endOfStream, message.compressed]).toEqual([c.stream_id, c.eof, c.compressed])
      expect(toHex(streamBytes(message, c.bytes_taken))).toBe(c.written.slice(0, 2 * c.bytes_taken))
      expect(toHex(encodeStreamMessage(message))).toBe(c.packed)
    }
  })

  test.each(vectors('proof').cases as Case[])('packet proof: $name', (c) => {
    const hash = packetHash(crypto, hex(c.packet))
    expect(toHex(hash)).toBe(c.packet_hash)
    expect(verifyProof(new RemoteIdentity(crypto, hex(c.public_key)), hash, hex(c.proof))).toBe(c.valid)
    if (c.private_key) {
      expect(toHex(makeProof(new Identity(crypto, hex(c.private_key)), hash, c.form === 'explicit'))).toBe(c.proof)
    }
  })

  test.each(vectors('proof').link_cases as Case[])('link packet proof of $sender: $name', (c) => {
    const hash = packetHash(crypto, hex(c.packet))
    const verify = (signature: Uint8Array, message: Uint8Array) =>
      crypto.verify(hex(c.signing_public_key), signature, message)
    expect(hex(c.proof).length === 96 && verifyProof({ verify }, hash, hex(c.proof))).toBe(c.valid)
    if (c.signing_private_key) {
      const sign = (message: Uint8Array) => crypto.sign(hex(c.signing_private_key), message)
      expect(toHex(makeProof({ sign }, hash, true))).toBe(c.proof)
    }
  })

  const request = vectors('request')
  test.each(request.cases as Case[])('request: $name', (c) => {
    const fields = { requestedAt: c.requested_at, pathHash: pathHash(crypto, c.path), data: typed(c.data) }
    expect(toHex(encodeRequest(fields))).toBe(c.packed_request)
    expect(decodeRequest(hex(c.packed_request))).toEqual({ ...fields, data: plain(c.data) })
    const [first] = c.steps
    const id = c.sent_as === 'packet' ? packetHash(crypto, hex(first.raw)) : crypto.sha256(hex(c.packed_request))
    expect(toHex(id.subarray(0, 16))).toBe(c.request_id)
    if (c.packed_response === null) return
    const answer = { requestId: hex(c.request_id), value: typed(c.response) }
    expect(toHex(encodeResponse(answer))).toBe(c.packed_response)
    expect(decodeResponse(hex(c.packed_response))).toEqual({ ...answer, value: plain(c.response) })
  })

  test('request paths', () => {
    for (const c of request.path_hashes as Case[]) expect(toHex(pathHash(crypto, c.path))).toBe(c.path_hash)
  })

  const resource = vectors('resource')
  test.each(resource.transfers as Case[])('resource: $name', (c) => {
    const data = c.data === null ? new Uint8Array(c.data_spec.count).fill(hex(c.data_spec.repeat)[0]!) : hex(c.data)
    const metadata = c.metadata === null ? new Uint8Array(0) : encodeMetadata(typed(c.metadata))
    const whole = new Uint8Array([...metadata, ...data])
    let at = 0
    for (const s of c.segments as Case[]) {
      const segment = whole.subarray(at, at + s.uncompressed_size)
      at += s.uncompressed_size
      const hash = resourceHash(crypto, segment, hex(s.random_hash))
      expect(toHex(hash)).toBe(s.hash)
      expect(toHex(resourceProof(crypto, segment, hash).subarray(32))).toBe(s.expected_proof)
      const parts = (c.steps as Case[])
        .filter((step) => step.context === 'RESOURCE')
        .map((step) => decodePacket(hex(step.raw)).data)
        .filter((part) => s.hashmap.includes(toHex(mapHash(crypto, part, hex(s.random_hash)))))
      const stream = openToken(crypto, hex(c.link.derived_key), Uint8Array.from(parts.flatMap((part) => [...part])))!
      expect(toHex(stream.subarray(0, 4))).toBe(s.stream_prefix)
      const payload = stream.subarray(4)
      expect(s.compressed ? bz2Decompress(payload, s.uncompressed_size) : payload).toEqual(segment)
    }
    expect(at).toBe(whole.length)
    if (c.metadata !== null) expect(splitMetadata(whole)).toEqual({ metadata: plain(c.metadata), data })
    for (const step of c.steps as Case[]) {
      if (step.context === 'RESOURCE_ADV')
        expect(toHex(encodeAdvertisement(decodeAdvertisement(hex(step.plaintext))))).toBe(step.plaintext)
      if (step.context === 'RESOURCE_REQ')
        expect(toHex(encodePartRequest(decodePartRequest(hex(step.plaintext))))).toBe(step.plaintext)
      if (step.context === 'RESOURCE_HMU')
        expect(toHex(encodeHashmapUpdate(decodeHashmapUpdate(hex(step.plaintext))))).toBe(step.plaintext)
    }
  })

  test('advertisements', () => {
    for (const c of resource.advertisements as Case[]) {
      const read = decodeAdvertisement(hex(c.packed))
      expect(toHex(encodeAdvertisement(read))).toBe(c.packed)
      expect([read.transferBytes, read.totalBytes, read.parts, read.segmentIndex, read.segments]).toEqual([
        c.transfer_size,
        c.data_size,
        c.parts,
        c.segment_index,
        c.total_segments,
      ])
      expect([read.encrypted, read.compressed, read.split, read.isRequest, read.isResponse, read.hasMetadata]).toEqual([
        c.encrypted,
        c.compressed,
        c.split,
        c.is_request,
        c.is_response,
        c.has_metadata,
      ])
      expect(toHex(read.hashmap)).toBe(c.hashmap_part)
    }
  })

  const interfaces = vectors('interfaces')
  test.each(interfaces.ifac as Case[])('access code: $name', (c) => {
    const code = new AccessCode(crypto, {
      ...(c.network_name === null ? {} : { networkName: c.network_name }),
      ...(c.passphrase === null ? {} : { passphrase: c.passphrase }),
      sizeBytes: c.size,
    })
    expect(toHex(code.key)).toBe(c.key)
    expect(toHex(code.identity.signingKey)).toBe(c.signing_public_key)
    for (const { packet, on_wire: wire } of c.packets as Case[]) {
      expect(toHex(code.protect(hex(packet)))).toBe(wire)
      expect(toHex(code.open(hex(wire))!)).toBe(packet)
    }
  })

  test.each(interfaces.ifac_verdicts as Case[])('access code verdict: $name', (c) => {
    if (!c.protected_interface) return
    const code = new AccessCode(crypto, { networkName: 'mesh', passphrase: 'secret', sizeBytes: 16 })
    const opened = code.open(hex(c.on_wire))
    expect(opened && toHex(opened)).toBe(c.packet ?? undefined)
  })
})

test('msgpack: what requests carried, byte for byte', () => {
  for (const c of vectors('request').cases as Case[]) {
    if (c.packed_response) expect(decodeMsgPack(hex(c.packed_response))).toBeInstanceOf(Array)
    expect(decodeMsgPack(encodeMsgPack(typed(c.data)))).toEqual(plain(c.data))
  }
})

test('bz2: what is compressed is decompressed, never beyond its bound', () => {
  for (const data of [
    new Uint8Array(0),
    new Uint8Array(70_000).fill(9),
    Uint8Array.from({ length: 5_000 }, (_, i) => (i * i) % 251),
  ]) {
    const packed = bz2Compress(data)
    expect(bz2Decompress(packed, data.length)).toEqual(data)
    if (data.length > 0) expect(() => bz2Decompress(packed, data.length - 1)).toThrow(ReticulumError)
  }
})
