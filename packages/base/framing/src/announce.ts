import {
  ByteReader,
  ByteWriter,
  concatBytes,
  equalBytes,
  readTlvs,
  type Tlv,
  tlvsLength,
  writeTlvs,
} from '@nexus/codec'
import { type Crypto, PUBLIC_KEY_BYTES, SIGNATURE_BYTES, type VerifyJob } from '@nexus/crypto'
import { type Identity, nodeIdOf } from '@nexus/identity'
import { FramingError } from './errors.ts'
import { ANNOUNCE_BYTES_MIN, ANNOUNCE_TLVS_BYTES_MAX, COST_BYTES, EXTENSION_BYTES_MIN, HOP_LIMIT } from './limits.ts'
import { CONTEXT, encodePacket, nativePacket, PACKET_TYPE } from './packet.ts'

/** First byte of a NexusExtension. */
export const EXTENSION_MAGIC = 0x4e
/** The version that {@link signAnnounce} writes. */
export const EXTENSION_VERSION = 1

/** TLV types of a NexusExtension; 128–255 are for private use. Of a repeated type the first counts. */
export const EXTENSION_TLV = {
  /** Capability bits, u16. */
  CAPABILITIES: 1,
  /** Community label, UTF-8. */
  COMMUNITY: 2,
  /** Reticulum destination hash, 16 bytes. */
  RETICULUM_DESTINATION: 3,
  /** Addresses for reconnecting. */
  ADDRESSES: 4,
  /** X25519 key for onion packets, 32 bytes. */
  ONION_KEY: 5,
} as const

/** What NEXUS adds to an announce; as app data it also rides on Reticulum's. */
export interface Extension {
  /** 1…255. A version above {@link EXTENSION_VERSION} may give its TLVs other meanings, never another layout. */
  readonly version: number
  /** Six bytes of path cost, opaque here; each relay rewrites them. */
  readonly cost: Uint8Array
  /** In wire order; unknown types are kept. */
  readonly tlvs: readonly Tlv[]
}

/** The data of an announce packet. */
export interface Announce {
  /** Ed25519, 32 bytes; its NodeID is the packet's destination. */
  readonly publicKey: Uint8Array
  /** Rises with every announce of this key. */
  readonly lamport: bigint
  /** Relays that may still hand it on, as received, 0…255; above {@link HOP_LIMIT} it counts as that. */
  readonly maxHops: number
  readonly signature: Uint8Array
  readonly extension: Extension
}

export interface AnnounceFields {
  readonly lamport: bigint
  /** 0…128; 0 reaches neighbours only. */
  readonly maxHops?: number
  /** Six bytes. */
  readonly cost: Uint8Array
  readonly tlvs?: readonly Tlv[]
}

/** Signs an announce of `identity`'s NodeID. @throws {RangeError} for a field outside its range */
export function signAnnounce(identity: Identity, fields: AnnounceFields): Announce {
  const { lamport, maxHops = HOP_LIMIT, cost, tlvs = [] } = fields
  if (maxHops > HOP_LIMIT) throw new RangeError(`an announce goes ${HOP_LIMIT} hops at most, not ${maxHops}`)
  const extension: Extension = { version: EXTENSION_VERSION, cost, tlvs }
  const parts = signedParts(identity.nodeId, identity.publicKey, lamport, extension)
  return {
    publicKey: identity.publicKey,
    lamport,
    maxHops,
    signature: identity.sign(ANNOUNCE_TAG, ...parts),
    extension,
  }
}

/**
 * The signature check of an announce to `destination`, for a batch.
 * @throws {FramingError} `framing/destination` where the destination is not the key's NodeID: no signature mends that
 */
export function announceVerifyJob(crypto: Crypto, destination: Uint8Array, announce: Announce): VerifyJob {
  const { publicKey, lamport, signature, extension } = announce
  if (!equalBytes(nodeIdOf(crypto, publicKey), destination)) throw new FramingError({ code: 'framing/destination' })
  return { publicKey, signature, tag: ANNOUNCE_TAG, parts: signedParts(destination, publicKey, lamport, extension) }
}

/** Whether the destination is the key's NodeID and the signature holds. */
export function verifyAnnounce(crypto: Crypto, destination: Uint8Array, announce: Announce): boolean {
  if (!equalBytes(nodeIdOf(crypto, announce.publicKey), destination)) return false
  const job = announceVerifyJob(crypto, destination, announce)
  return crypto.verify(job.publicKey, job.signature, job.tag, ...job.parts)
}

/**
 * BLAKE3-256 of what is signed, without the tag. Of two valid announces of one key and lamport that differ in it the one
 * with the smaller hash wins, bytewise: a key is in use twice (docs/spec/announce.md).
 */
export function announceHash(crypto: Crypto, destination: Uint8Array, announce: Announce): Uint8Array {
  const { publicKey, lamport, extension } = announce
  return crypto.blake3(concatBytes(...signedParts(destination, publicKey, lamport, extension)))
}

/**
 * Writes the data of an announce packet (docs/spec/announce.md). Little-endian.
 *
 * |  at | bytes | field      | signed                         |
 * | --: | ----: | ---------- | ------------------------------ |
 * |   0 |    32 | public key | yes                            |
 * |  32 |     8 | lamport    | yes                            |
 * |  40 |     1 | max hops   | no: relays count it down       |
 * |  41 |    64 | signature  |                                |
 * | 105 |     1 | magic 0x4E | no: it has one value           |
 * | 106 |     1 | version    | yes                            |
 * | 107 |     6 | path cost  | no: relays rewrite it          |
 * | 113 |     … | TLVs       | yes, to the end                |
 *
 * @throws {RangeError} for a field outside its range, or TLVs above {@link ANNOUNCE_TLVS_BYTES_MAX} bytes
 */
export function encodeAnnounce(announce: Announce): Uint8Array {
  const tlvsBytes = tlvsLength(announce.extension.tlvs)
  const writer = new ByteWriter(ANNOUNCE_BYTES_MIN + withinTlvs(tlvsBytes))
    .bytes(announce.publicKey, PUBLIC_KEY_BYTES)
    .u64(announce.lamport)
    .u8(announce.maxHops)
    .bytes(announce.signature, SIGNATURE_BYTES)
  writeExtension(writer, announce.extension)
  return writer.finish()
}

/**
 * Reads what {@link encodeAnnounce} wrote; the result holds copies. The signature is for {@link verifyAnnounce}.
 * @throws {FramingError} `framing/short`, `framing/long`, `framing/magic`, `framing/version`, `framing/tlv`
 */
export function decodeAnnounce(data: Uint8Array): Announce {
  const tlvsBytes = data.length - ANNOUNCE_BYTES_MIN
  if (tlvsBytes < 0) {
    throw new FramingError({ code: 'framing/short', wantBytes: ANNOUNCE_BYTES_MIN, gotBytes: data.length })
  }
  if (tlvsBytes > ANNOUNCE_TLVS_BYTES_MAX) {
    const bytesMax = ANNOUNCE_BYTES_MIN + ANNOUNCE_TLVS_BYTES_MAX
    throw new FramingError({ code: 'framing/long', bytesMax, gotBytes: data.length })
  }
  const reader = new ByteReader(data, (detail) => new FramingError({ code: 'framing/tlv', at: detail.at }))
  return {
    publicKey: reader.bytes(PUBLIC_KEY_BYTES),
    lamport: reader.u64(),
    maxHops: reader.u8(),
    signature: reader.bytes(SIGNATURE_BYTES),
    extension: readExtension(reader),
  }
}

/** The packet that carries an announce, no hops yet. @throws {RangeError} for a field outside its range */
export function encodeAnnouncePacket(destination: Uint8Array, announce: Announce): Uint8Array {
  const data = encodeAnnounce(announce)
  return encodePacket(nativePacket({ type: PACKET_TYPE.ANNOUNCE, destination, context: CONTEXT.NONE, data }))
}

/** `0x4E | version | cost 6 | TLVs`. @throws {RangeError} for a field outside its range or too many TLVs */
export function encodeExtension(extension: Extension): Uint8Array {
  const writer = new ByteWriter(EXTENSION_BYTES_MIN + withinTlvs(tlvsLength(extension.tlvs)))
  writeExtension(writer, extension)
  return writer.finish()
}

/**
 * Reads what {@link encodeExtension} wrote.
 * @throws {FramingError} `framing/short`, `framing/long`, `framing/magic`, `framing/version`, `framing/tlv`
 */
export function decodeExtension(bytes: Uint8Array): Extension {
  const bytesMax = EXTENSION_BYTES_MIN + ANNOUNCE_TLVS_BYTES_MAX
  if (bytes.length < EXTENSION_BYTES_MIN) {
    throw new FramingError({ code: 'framing/short', wantBytes: EXTENSION_BYTES_MIN, gotBytes: bytes.length })
  }
  if (bytes.length > bytesMax) throw new FramingError({ code: 'framing/long', bytesMax, gotBytes: bytes.length })
  return readExtension(new ByteReader(bytes, (detail) => new FramingError({ code: 'framing/tlv', at: detail.at })))
}

const ANNOUNCE_TAG = 'nxs-annc'

function signedParts(
  destination: Uint8Array,
  publicKey: Uint8Array,
  lamport: bigint,
  extension: Extension,
): Uint8Array[] {
  const tail = new ByteWriter(9 + tlvsLength(extension.tlvs)).u64(lamport).u8(extension.version)
  writeTlvs(tail, extension.tlvs)
  return [destination, publicKey, tail.finish()]
}

function writeExtension(writer: ByteWriter, extension: Extension): void {
  if (extension.version < 1) throw new RangeError('versions begin at 1')
  writer.u8(EXTENSION_MAGIC).u8(extension.version).bytes(extension.cost, COST_BYTES)
  writeTlvs(writer, extension.tlvs)
}

function readExtension(reader: ByteReader): Extension {
  const magic = reader.u8()
  if (magic !== EXTENSION_MAGIC) throw new FramingError({ code: 'framing/magic', magic })
  const version = reader.u8()
  if (version < 1) throw new FramingError({ code: 'framing/version', version })
  return { version, cost: reader.bytes(COST_BYTES), tlvs: readTlvs(reader) }
}

function withinTlvs(bytes: number): number {
  if (bytes > ANNOUNCE_TLVS_BYTES_MAX) throw new RangeError(`${bytes} bytes of TLVs do not fit`)
  return bytes
}
