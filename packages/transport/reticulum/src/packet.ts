import type { ReticulumCrypto } from './crypto.ts'
import { ReticulumError } from './errors.ts'
import { ADDRESS_BYTES, HEADER_BYTES, HEADER_TWO_ADDRESS_BYTES, HOPS_MAX } from './limits.ts'

export const PACKET_TYPE = { data: 0, announce: 1, linkRequest: 2, proof: 3 } as const
export const DESTINATION_TYPE = { single: 0, group: 1, plain: 2, link: 3 } as const
export const CONTEXT = {
  none: 0x00,
  resource: 0x01,
  resourceAdvertisement: 0x02,
  resourceRequest: 0x03,
  resourceHashmapUpdate: 0x04,
  resourceProof: 0x05,
  resourceCancelledBySender: 0x06,
  resourceCancelledByReceiver: 0x07,
  cacheRequest: 0x08,
  request: 0x09,
  response: 0x0a,
  pathResponse: 0x0b,
  command: 0x0c,
  commandStatus: 0x0d,
  channel: 0x0e,
  keepalive: 0xfa,
  linkIdentify: 0xfb,
  linkClose: 0xfc,
  linkProof: 0xfd,
  linkRoundTrip: 0xfe,
  linkRequestProof: 0xff,
} as const

export const FLAG = { accessCode: 0x80, twoAddresses: 0x40, context: 0x20, transport: 0x10 } as const

/** A packet, taken apart. Its arrays may be views of the frame it came in. */
export interface Packet {
  readonly accessCode?: boolean
  readonly contextFlag?: boolean
  /** The transport bit: the packet is on its way through a transport node. */
  readonly transport?: boolean
  readonly destinationType: number
  readonly packetType: number
  readonly hops: number
  /** Only in a packet with two addresses. */
  readonly transportId?: Uint8Array | undefined
  readonly destination: Uint8Array
  readonly context: number
  readonly data: Uint8Array
}

/**
 * Reads a packet (docs/spec/reticulum.md): `flags u8 | hops u8 | [transport id 16] | destination 16 | context u8 | data`.
 * All but lengths and hops means something; what makes no sense is for those to refuse who act on it.
 *
 * @throws {ReticulumError} `reticulum/length`, `reticulum/hops`
 */
export function decodePacket(bytes: Uint8Array): Packet {
  checkPacket(bytes)
  const flags = bytes[0]!
  const at = (flags & FLAG.twoAddresses) === 0 ? 2 : 2 + ADDRESS_BYTES
  return {
    accessCode: (flags & FLAG.accessCode) !== 0,
    contextFlag: (flags & FLAG.context) !== 0,
    transport: (flags & FLAG.transport) !== 0,
    destinationType: (flags >> 2) & 3,
    packetType: flags & 3,
    hops: bytes[1]!,
    transportId: at === 2 ? undefined : bytes.subarray(2, at),
    destination: bytes.subarray(at, at + ADDRESS_BYTES),
    context: bytes[at + ADDRESS_BYTES]!,
    data: bytes.subarray(at + ADDRESS_BYTES + 1),
  }
}

/** @throws {ReticulumError} as {@link decodePacket} does */
export function checkPacket(bytes: Uint8Array): void {
  const headerBytes =
    bytes.length > 0 && (bytes[0]! & FLAG.twoAddresses) !== 0 ? HEADER_TWO_ADDRESS_BYTES : HEADER_BYTES
  if (bytes.length < headerBytes) {
    throw new ReticulumError({ code: 'reticulum/length', what: 'a packet', gotBytes: bytes.length })
  }
  if (bytes[1]! > HOPS_MAX) throw new ReticulumError({ code: 'reticulum/hops', hops: bytes[1]! })
}

/** Writes a packet. @throws {RangeError} for fields that no packet has */
export function encodePacket(packet: Packet): Uint8Array {
  const {
    accessCode,
    contextFlag,
    transport,
    destinationType,
    packetType,
    hops,
    transportId,
    destination,
    context,
    data,
  } = packet
  if (destination.length !== ADDRESS_BYTES || (transportId !== undefined && transportId.length !== ADDRESS_BYTES)) {
    throw new RangeError('an address has 16 bytes')
  }
  if (!(hops >= 0 && hops <= HOPS_MAX)) throw new RangeError(`${hops} hops`)
  const at = transportId === undefined ? 2 : 2 + ADDRESS_BYTES
  const bytes = new Uint8Array(at + ADDRESS_BYTES + 1 + data.length)
  bytes[0] =
    (accessCode ? FLAG.accessCode : 0) |
    (transportId === undefined ? 0 : FLAG.twoAddresses) |
    (contextFlag ? FLAG.context : 0) |
    (transport ? FLAG.transport : 0) |
    (destinationType << 2) |
    packetType
  bytes[1] = hops
  if (transportId !== undefined) bytes.set(transportId, 2)
  bytes.set(destination, at)
  bytes[at + ADDRESS_BYTES] = context
  bytes.set(data, at + ADDRESS_BYTES + 1)
  return bytes
}

/** What a packet's hash is over: the low four flag bits, and all from the destination on; so it survives transport. */
export function hashablePart(bytes: Uint8Array): Uint8Array {
  const from = (bytes[0]! & FLAG.twoAddresses) === 0 ? 2 : 2 + ADDRESS_BYTES
  const part = new Uint8Array(bytes.length - from + 1)
  part[0] = bytes[0]! & 0x0f
  part.set(bytes.subarray(from), 1)
  return part
}

/** 32 bytes; its first 16 address the packet's proof. */
export function packetHash(crypto: ReticulumCrypto, bytes: Uint8Array): Uint8Array {
  return crypto.sha256(hashablePart(bytes))
}
