import { PUBLIC_KEY_BYTES, SIGNATURE_BYTES } from '@nexus/crypto'
import { EXTENSION_MAGIC } from './announce.ts'
import { packetFault, packetHops, packetType, setPacketHops } from './in-place.ts'
import { ANNOUNCE_BYTES_MIN, COST_BYTES, HEADER_BYTES, HOP_LIMIT } from './limits.ts'
import { PACKET_TYPE } from './packet.ts'

// What relays read and rewrite in an announce packet that they have decoded and verified before.

const LAMPORT_AT = HEADER_BYTES + PUBLIC_KEY_BYTES
const MAX_HOPS_AT = LAMPORT_AT + 8
const MAGIC_AT = MAX_HOPS_AT + 1 + SIGNATURE_BYTES
const COST_AT = MAGIC_AT + 2

/** The lamport of an announce packet. @throws {RangeError} for bytes that are no announce packet */
export function announceLamport(packet: Uint8Array): bigint {
  assertAnnounce(packet)
  return new DataView(packet.buffer, packet.byteOffset).getBigUint64(LAMPORT_AT, true)
}

/** How many relays may still hand it on, 0…{@link HOP_LIMIT}. @throws {RangeError} for bytes that are no announce packet */
export function announceMaxHops(packet: Uint8Array): number {
  assertAnnounce(packet)
  return Math.min(packet[MAX_HOPS_AT]!, HOP_LIMIT)
}

/** A view of the six bytes of path cost. @throws {RangeError} for bytes that are no announce packet */
export function announceCost(packet: Uint8Array): Uint8Array {
  assertAnnounce(packet)
  return packet.subarray(COST_AT, COST_AT + COST_BYTES)
}

/**
 * The announce packet as a relay hands it on: one hop more, max hops clamped and counted down, the path cost replaced;
 * all else byte for byte. `undefined`, and nothing written, where it stops here.
 * @param into where it is written: `packet` itself to rewrite in place, by default a copy
 * @throws {RangeError} for bytes that are no announce packet, a cost of another length or an `into` of another length
 */
export function relayAnnounce(
  packet: Uint8Array,
  cost: Uint8Array,
  into: Uint8Array = new Uint8Array(packet.length),
): Uint8Array | undefined {
  if (cost.length !== COST_BYTES) throw new RangeError(`a path cost has ${COST_BYTES} bytes, not ${cost.length}`)
  if (into.length !== packet.length) throw new RangeError(`${packet.length} bytes do not go into ${into.length}`)
  const maxHops = announceMaxHops(packet)
  const hops = packetHops(packet) + 1
  if (maxHops === 0 || hops >= HOP_LIMIT) return undefined
  if (into !== packet) into.set(packet)
  setPacketHops(into, hops)
  into[MAX_HOPS_AT] = maxHops - 1
  into.set(cost, COST_AT)
  return into
}

function assertAnnounce(packet: Uint8Array): void {
  const isAnnounce =
    packet.length >= HEADER_BYTES + ANNOUNCE_BYTES_MIN &&
    packetFault(packet) === undefined &&
    packetType(packet) === PACKET_TYPE.ANNOUNCE &&
    packet[MAGIC_AT] === EXTENSION_MAGIC
  if (!isAnnounce) throw new RangeError('these bytes are no announce packet')
}
