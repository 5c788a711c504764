import { toHex } from '@nexus/codec'
import { describe, expect, test } from 'vitest'
import {
  announceEmitted,
  announcePacket,
  announceSignedBytes,
  decodeAnnounce,
  verifyAnnounce,
} from '../src/announce.ts'
import { hkdf } from '../src/crypto.ts'
import { ReticulumError } from '../src/errors.ts'
import { Identity, RemoteIdentity, ratchetId } from '../src/identity.ts'
import { destinationHash, fullName, nameHash } from '../src/name.ts'
import { checkPacket, decodePacket, encodePacket, hashablePart, packetHash } from '../src/packet.ts'
import { openToken, padded, sealToken } from '../src/token.ts'
import { type Case, cryptos, hex, hexOrNull, scripted, vectors } from './kit.ts'

/** Reticulum lets these pass; NEXUS verifies strictly, and no honest signer makes them. */
const SMALL_ORDER = /^(identity point|order-2 point|zero y)/

describe.each(cryptos.map((crypto) => [crypto.name, crypto] as const))('with %s', (_, crypto) => {
  const identity = vectors('identity')

  test.each(identity.cases as Case[])('identity: $name', (c) => {
    const made = new Identity(crypto, hex(c.private_key))
    expect(toHex(made.publicKey)).toBe(c.public_key)
    expect(toHex(made.encryptionKey)).toBe(c.encryption_public_key)
    expect(toHex(made.signingKey)).toBe(c.signing_public_key)
    expect(toHex(made.hash)).toBe(c.hash)
    expect(toHex(made.exportPrivateKey())).toBe(c.private_key)
    expect(toHex(new RemoteIdentity(crypto, hex(c.public_key)).hash)).toBe(c.hash)
  })

  test.each(identity.invalid_private_keys as Case[])('no identity: $name', (c) => {
    expect(() => new Identity(crypto, hex(c.private_key))).toThrow(ReticulumError)
  })

  test.each(identity.signatures as Case[])('signature: $name', (c) => {
    const valid = c.valid && !SMALL_ORDER.test(c.name)
    const verified = new RemoteIdentity(crypto, hex(c.public_key)).verify(hex(c.signature), hex(c.message))
    expect(verified).toBe(valid)
    if (c.private_key && valid) {
      expect(toHex(new Identity(crypto, hex(c.private_key)).sign(hex(c.message)))).toBe(c.signature)
    }
  })

  test.each(identity.ratchets as Case[])('ratchet $ratchet_id', (c) => {
    const publicKey = crypto.x25519PublicKey(hex(c.private_key))
    expect(toHex(publicKey)).toBe(c.public_key)
    expect(toHex(ratchetId(crypto, publicKey))).toBe(c.ratchet_id)
  })

  const destination = vectors('destination')
  test.each(destination.cases as Case[])('destination: $name', (c) => {
    expect(fullName(c.app_name, ...c.aspects)).toBe(c.full_name)
    const name = nameHash(crypto, c.full_name)
    expect(toHex(name)).toBe(c.name_hash)
    const hash =
      c.identity_hash === null ? destinationHash(crypto, name) : destinationHash(crypto, name, hex(c.identity_hash))
    expect(toHex(hash)).toBe(c.hash)
  })

  test.each(destination.from_full_name as Case[])('destination from $full_name', (c) => {
    expect(fullName(c.app_name, ...c.aspects)).toBe(c.full_name)
    const name = nameHash(crypto, c.full_name)
    expect(toHex(destinationHash(crypto, name, hex(c.identity_hash)))).toBe(c.hash)
    expect(toHex(destinationHash(crypto, name))).toBe(c.hash_without_identity)
  })

  test('destination: aspects made on demand are the identity in hexadecimal', () => {
    for (const c of destination.identity_made_on_demand as Case[]) {
      expect(c.resulting_aspects).toEqual([...c.given_aspects, c.identity_hash])
      const name = nameHash(crypto, fullName(c.app_name, ...c.resulting_aspects))
      expect(toHex(name)).toBe(c.name_hash)
      expect(toHex(destinationHash(crypto, name, hex(c.identity_hash)))).toBe(c.hash)
    }
  })

  test('destination: dots are refused', () => {
    expect(() => fullName('a.b', 'c')).toThrow(TypeError)
    expect(() => fullName('a', 'b.c')).toThrow(TypeError)
  })

  const packet = vectors('packet')
  test.each(packet.cases as Case[])('packet: $name', (c) => {
    const raw = hex(c.raw)
    const decoded = decodePacket(raw)
    expect([decoded.hops, decoded.contextFlag ? 1 : 0, decoded.transport ? 1 : 0]).toEqual([
      c.hops,
      c.context_flag,
      c.transport_type,
    ])
    expect([decoded.destinationType, decoded.packetType, decoded.context]).toEqual([
      c.destination_type,
      c.packet_type,
      c.context,
    ])
    expect(hexOrNull(decoded.transportId)).toBe(c.transport_id)
    expect(toHex(decoded.destination)).toBe(c.destination_hash)
    expect(toHex(decoded.data)).toBe(c.data)
    expect(toHex(hashablePart(raw))).toBe(c.hashable_part)
    expect(toHex(packetHash(crypto, raw))).toBe(c.packet_hash)
    expect(toHex(encodePacket(decoded))).toBe(c.raw)
    if (c.recipient_private_key) {
      const opened = new Identity(crypto, hex(c.recipient_private_key)).decrypt(decoded.data)
      expect(hexOrNull(opened?.plaintext)).toBe(c.plaintext)
    } else if (c.group_key || (c.link_derived_key && c.plaintext !== null)) {
      expect(hexOrNull(openToken(crypto, hex(c.group_key ?? c.link_derived_key), decoded.data))).toBe(c.plaintext)
    }
  })

  test.each(packet.malformed as Case[])('packet: $name', (c) => {
    const parse = () => checkPacket(hex(c.raw))
    if (c.unpack) expect(parse).not.toThrow()
    else expect(parse).toThrow(ReticulumError)
  })

  const announce = vectors('announce')
  test.each(announce.cases as Case[])('announce: $name', (c) => {
    const decoded = decodePacket(hex(c.raw))
    let valid = false
    let signed = false
    try {
      const read = decodeAnnounce(decoded)
      valid = verifyAnnounce(crypto, read)
      signed = crypto.verify(read.publicKey.subarray(32), read.signature, announceSignedBytes(read))
      if (valid) {
        expect(toHex(announceSignedBytes(read))).toBe(c.signed_data)
        expect(hexOrNull(read.ratchet)).toBe(c.ratchet)
        expect(announceEmitted(read)).toBe(c.emitted)
      }
    } catch (error) {
      if (!(error instanceof ReticulumError)) throw error
    }
    expect(signed).toBe(c.signature_valid)
    // That another key is already known is for the table of destinations to find.
    expect(valid).toBe(c.valid || c.known_before !== null)
    if (c.tampered === null && c.hops === 0 && c.transport_type === 0 && c.identity_private_key) {
      const fields = {
        destination: hex(c.destination_hash),
        nameHash: hex(c.name_hash),
        randomHash: hex(c.random_hash),
        ratchet: c.ratchet === null ? undefined : hex(c.ratchet),
        appData: c.app_data === null ? undefined : hex(c.app_data),
      }
      const identity = new Identity(crypto, hex(c.identity_private_key))
      expect(toHex(encodePacket(announcePacket(identity, fields, c.context)))).toBe(c.raw)
    }
  })

  const token = vectors('token')
  test.each(token.cases as Case[])('token: $name', (c) => {
    expect(toHex(sealToken(crypto, hex(c.key), hex(c.plaintext), scripted(c.iv)))).toBe(c.token)
    expect(hexOrNull(openToken(crypto, hex(c.key), hex(c.token)))).toBe(c.plaintext)
  })

  test.each(token.verdicts as Case[])('token verdict: $name', (c) => {
    expect(hexOrNull(openToken(crypto, hex(c.key), hex(c.token)))).toBe(c.plaintext)
  })

  test('token: keys of other lengths are refused', () => {
    for (const c of token.key_lengths as Case[]) {
      expect(c.accepted).toBe(false)
      expect(() => openToken(crypto, new Uint8Array(c.key_length), new Uint8Array(64))).toThrow(RangeError)
    }
  })

  test('HKDF and padding', () => {
    for (const c of token.hkdf as Case[]) {
      const salt = c.salt === null ? undefined : hex(c.salt)
      const context = c.context === null ? undefined : hex(c.context)
      expect(toHex(hkdf(crypto, c.length, hex(c.derive_from), salt, context))).toBe(c.output)
    }
    for (const c of token.pkcs7 as Case[]) expect(toHex(padded(hex(c.data)))).toBe(c.padded)
  })

  test.each(token.identity_encrypt as Case[])('encrypted to an identity: $name', (c) => {
    const recipient = new RemoteIdentity(crypto, hex(c.recipient_public_key))
    const ratchet = c.ratchet_public_key === null ? undefined : hex(c.ratchet_public_key)
    const sealed = recipient.encrypt(hex(c.plaintext), scripted(c.ephemeral_private_key, c.iv), ratchet)
    expect(toHex(sealed)).toBe(c.ciphertext)
  })

  test.each(token.identity_decrypt as Case[])('decrypted by an identity: $name', (c) => {
    const opened = new Identity(crypto, hex(c.private_key)).decrypt(
      hex(c.ciphertext),
      c.ratchets.map(hex),
      c.enforce_ratchets,
    )
    expect(hexOrNull(opened?.plaintext)).toBe(c.plaintext)
    expect(hexOrNull(opened?.ratchetId)).toBe(c.ratchet_id)
  })

  test('group tokens', () => {
    for (const c of token.group as Case[]) {
      expect(toHex(sealToken(crypto, hex(c.key), hex(c.plaintext), scripted(c.iv)))).toBe(c.ciphertext)
    }
  })
})
