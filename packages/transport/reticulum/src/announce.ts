import { concatBytes, equalBytes } from '@nexus/codec'
import { readBigEndian, truncated, writeBigEndian } from './bytes.ts'
import type { ReticulumCrypto } from './crypto.ts'
import { ReticulumError } from './errors.ts'
import type { Identity } from './identity.ts'
import {
  ANNOUNCE_BYTES_MIN,
  IDENTITY_KEY_BYTES,
  NAME_HASH_BYTES,
  RANDOM_HASH_BYTES,
  RATCHET_BYTES,
  SIGNATURE_BYTES,
} from './limits.ts'
import { destinationHash } from './name.ts'
import { DESTINATION_TYPE, PACKET_TYPE, type Packet } from './packet.ts'

const EMISSION_AT = 5

/** What an announce says. Arrays may be views of the frame it came in. */
export interface Announce {
  readonly destination: Uint8Array
  readonly publicKey: Uint8Array
  readonly nameHash: Uint8Array
  /** 5 random bytes, then the Unix time of the announce in seconds, 5 bytes, high byte first. */
  readonly randomHash: Uint8Array
  /** X25519 public key to encrypt to, in place of the identity's own. */
  readonly ratchet: Uint8Array | undefined
  readonly signature: Uint8Array
  readonly appData: Uint8Array
}

/**
 * Reads the data of an announce packet (docs/spec/reticulum.md):
 * `public key 64 | name hash 10 | random hash 10 | [ratchet 32] | signature 64 | app data`, the ratchet where the context
 * flag is set. Says nothing of the signature: {@link verifyAnnounce} does.
 *
 * @throws {ReticulumError} `reticulum/form`, `reticulum/length`
 */
export function decodeAnnounce(packet: Packet): Announce {
  if (packet.packetType !== PACKET_TYPE.announce) {
    throw new ReticulumError({ code: 'reticulum/form', what: 'an announce', why: 'a packet of another type' })
  }
  const { data } = packet
  const ratchetBytes = packet.contextFlag ? RATCHET_BYTES : 0
  if (data.length < ANNOUNCE_BYTES_MIN + ratchetBytes) {
    throw new ReticulumError({ code: 'reticulum/length', what: 'an announce', gotBytes: data.length })
  }
  let at = 0
  const take = (bytes: number) => {
    at += bytes
    return data.subarray(at - bytes, at)
  }
  return {
    destination: packet.destination,
    publicKey: take(IDENTITY_KEY_BYTES),
    nameHash: take(NAME_HASH_BYTES),
    randomHash: take(RANDOM_HASH_BYTES),
    ratchet: packet.contextFlag ? take(RATCHET_BYTES) : undefined,
    signature: take(SIGNATURE_BYTES),
    appData: data.subarray(at),
  }
}

/** The bytes that an announce's signature is over. */
export function announceSignedBytes(announce: Omit<Announce, 'signature'>): Uint8Array {
  const { destination, publicKey, nameHash, randomHash, ratchet, appData } = announce
  return concatBytes(destination, publicKey, nameHash, randomHash, ratchet ?? new Uint8Array(0), appData)
}

/** Whether the signature holds, and the destination follows from the key and the name. */
export function verifyAnnounce(crypto: ReticulumCrypto, announce: Announce): boolean {
  const identityHash = truncated(crypto.sha256(announce.publicKey))
  return (
    equalBytes(announce.destination, destinationHash(crypto, announce.nameHash, identityHash)) &&
    crypto.verify(announce.publicKey.subarray(32), announce.signature, announceSignedBytes(announce))
  )
}

/** When the announce says it was made, in Unix seconds. */
export function announceEmitted(announce: Pick<Announce, 'randomHash'>): number {
  return readBigEndian(announce.randomHash, EMISSION_AT, RANDOM_HASH_BYTES - EMISSION_AT)
}

/** The random hash of an announce made at `unixSeconds`. @param random 5 bytes */
export function announceRandomHash(random: Uint8Array, unixSeconds: number): Uint8Array {
  const randomHash = new Uint8Array(RANDOM_HASH_BYTES)
  randomHash.set(random.subarray(0, EMISSION_AT))
  writeBigEndian(Math.floor(unixSeconds), randomHash, EMISSION_AT, RANDOM_HASH_BYTES - EMISSION_AT)
  return randomHash
}

export interface AnnounceFields {
  readonly destination: Uint8Array
  readonly nameHash: Uint8Array
  readonly randomHash: Uint8Array
  readonly ratchet?: Uint8Array | undefined
  readonly appData?: Uint8Array | undefined
}

/** The announce packet of a destination, signed, without a hop. */
export function announcePacket(identity: Identity, fields: AnnounceFields, context: number): Packet {
  const { destination, nameHash, randomHash, ratchet, appData = new Uint8Array(0) } = fields
  const unsigned = { destination, publicKey: identity.publicKey, nameHash, randomHash, ratchet, appData }
  const signature = identity.sign(announceSignedBytes(unsigned))
  return {
    contextFlag: ratchet !== undefined,
    destinationType: DESTINATION_TYPE.single,
    packetType: PACKET_TYPE.announce,
    hops: 0,
    destination,
    context,
    data: concatBytes(identity.publicKey, nameHash, randomHash, ratchet ?? new Uint8Array(0), signature, appData),
  }
}
