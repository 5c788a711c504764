import { readU32 } from '@nexus/codec'
import type { Crypto } from '@nexus/crypto'
import type { FramingErrorDetail } from './errors.ts'
import { ADDRESS_BYTES, HEADER_BYTES, HOP_LIMIT, PACKET_BYTES_MAX } from './limits.ts'
import { CONTEXT, PACKET_TYPE } from './packet.ts'

// The forwarding path: fields are read and changed where they lie. Check once with packetFault (or decodePacket); the
// other functions trust the length. They take both header forms, and allocate nothing but the views they return.

/** Flags that no native packet has: access code, two addresses, context flag, transport propagation. */
const FOREIGN_FLAGS = 0xf0

/**
 * Why these bytes are no packet that may travel between NEXUS nodes; `undefined` for one that may: one address, at most
 * {@link PACKET_BYTES_MAX} bytes, below the hop limit, upper four flag bits clear, context 0 on announces.
 */
export function packetFault(bytes: Uint8Array): FramingErrorDetail['code'] | undefined {
  if (bytes.length < HEADER_BYTES) return 'framing/short'
  if (bytes.length > PACKET_BYTES_MAX) return 'framing/long'
  const flags = bytes[0]!
  if ((flags & FOREIGN_FLAGS) !== 0) return 'framing/flags'
  if (bytes[1]! >= HOP_LIMIT) return 'framing/hops'
  if ((flags & 3) === PACKET_TYPE.ANNOUNCE && bytes[HEADER_BYTES - 1] !== CONTEXT.NONE) return 'framing/context'
  return undefined
}

/** One of {@link PACKET_TYPE}. */
export function packetType(bytes: Uint8Array): number {
  return bytes[0]! & 3
}

/** One of {@link DESTINATION_TYPE}. */
export function packetDestinationType(bytes: Uint8Array): number {
  return (bytes[0]! >> 2) & 3
}

/** Relays passed so far. */
export function packetHops(bytes: Uint8Array): number {
  return bytes[1]!
}

/** Writes the hop count. @throws {RangeError} unless `hops` is 0…127 */
export function setPacketHops(bytes: Uint8Array, hops: number): void {
  if (!Number.isInteger(hops) || hops < 0 || hops >= HOP_LIMIT) throw new RangeError(`${hops} hops`)
  bytes[1] = hops
}

/** Counts one more relay; false, and nothing changed, where the packet dies here. */
export function incrementPacketHops(bytes: Uint8Array): boolean {
  const hops = bytes[1]! + 1
  if (hops >= HOP_LIMIT) return false
  bytes[1] = hops
  return true
}

/** A view of the 16 bytes of destination. */
export function packetDestination(bytes: Uint8Array): Uint8Array {
  const at = destinationAt(bytes)
  return bytes.subarray(at, at + ADDRESS_BYTES)
}

/** Whether the packet goes to `destination` (16 bytes). */
export function isPacketFor(bytes: Uint8Array, destination: Uint8Array): boolean {
  const at = destinationAt(bytes)
  for (let index = 0; index < ADDRESS_BYTES; index++) if (bytes[at + index] !== destination[index]) return false
  return true
}

/** Word 0…3 of the destination, little-endian: NodeIDs are hashes, so a table can take a word as its hash. */
export function packetDestinationWord(bytes: Uint8Array, index: number): number {
  const at = destinationAt(bytes) + 4 * index
  return readU32(bytes, at)
}

/** One of {@link CONTEXT}, or another. */
export function packetContext(bytes: Uint8Array): number {
  return bytes[destinationAt(bytes) + ADDRESS_BYTES]!
}

/** A view of the data. */
export function packetData(bytes: Uint8Array): Uint8Array {
  return bytes.subarray(destinationAt(bytes) + ADDRESS_BYTES + 1)
}

/**
 * SHA-256 over what no relay changes: the low four flag bits, destination, context and data. With `scratch`, at least as
 * long as the packet, nothing but the digest is allocated.
 */
export function packetHash(crypto: Crypto, bytes: Uint8Array, scratch?: Uint8Array): Uint8Array {
  const into = scratch ?? new Uint8Array(bytes.length)
  return crypto.sha256(into.subarray(0, writePacketHashRegion(bytes, into)))
}

/** Writes the bytes that {@link packetHash} covers at the start of `into`, and returns how many they are. */
export function writePacketHashRegion(bytes: Uint8Array, into: Uint8Array): number {
  into.set(bytes.subarray(destinationAt(bytes)), 1)
  into[0] = bytes[0]! & 0x0f
  return 1 + bytes.length - destinationAt(bytes)
}

/** 2, or 18 where flag bit 6 says that a transport id comes first. */
function destinationAt(bytes: Uint8Array): number {
  return 2 + ((bytes[0]! & 0x40) >> 2)
}
