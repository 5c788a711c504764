import { FramingError } from './errors.ts'
import { ADDRESS_BYTES, HEADER_BYTES, HEADER_TWO_ADDRESS_BYTES, HOP_LIMIT, PACKET_BYTES_MAX } from './limits.ts'

/** Bits 1–0 of the flags. Native packets are data or announces; links and proofs are Reticulum's. */
export const PACKET_TYPE = { DATA: 0, ANNOUNCE: 1, LINK_REQUEST: 2, PROOF: 3 } as const
/** Bits 3–2 of the flags. Native packets go to single destinations: NodeIDs. */
export const DESTINATION_TYPE = { SINGLE: 0, GROUP: 1, PLAIN: 2, LINK: 3 } as const
/** Bit 4 of the flags. */
export const PROPAGATION = { BROADCAST: 0, TRANSPORT: 1 } as const

/** Contexts of native packets, clear of Reticulum's 00–0E and FA–FF; others are registered in docs/spec/framing.md. */
export const CONTEXT = {
  /** Announces. */
  NONE: 0x00,
  SEALED: 0x40,
  FRAGMENT: 0x41,
  HANDSHAKE: 0x42,
  STREAM: 0x43,
  TRACE: 0x44,
  TRACE_ANSWER: 0x45,
  ONION: 0x46,
} as const

/** The fields of a packet of either header form; the form follows from whether there is a transport id. */
export interface Packet {
  /** Bit 7: an interface access code is in the packet and the rest is masked; never in native packets. */
  readonly accessCode: boolean
  /** Bit 5, which Reticulum sets on announces with a ratchet. */
  readonly contextFlag: boolean
  /** Bit 4: {@link PROPAGATION}. */
  readonly propagation: number
  /** Bits 3–2: {@link DESTINATION_TYPE}. */
  readonly destinationType: number
  /** Bits 1–0: {@link PACKET_TYPE}. */
  readonly type: number
  /** Relays passed, 0…127. */
  readonly hops: number
  /** 16 bytes in the two-address form, absent in the one-address form. */
  readonly transportId?: Uint8Array
  /** 16 bytes. */
  readonly destination: Uint8Array
  readonly context: number
  readonly data: Uint8Array
}

/** What differs from one native packet to the next. */
export interface NativePacketFields {
  readonly type: number
  readonly destination: Uint8Array
  readonly context: number
  readonly data: Uint8Array
}

/** A native packet as it leaves its sender: one address, single destination, broadcast, no hops yet. */
export function nativePacket(fields: NativePacketFields): Packet {
  return {
    accessCode: false,
    contextFlag: false,
    propagation: PROPAGATION.BROADCAST,
    destinationType: DESTINATION_TYPE.SINGLE,
    hops: 0,
    ...fields,
  }
}

/**
 * Writes a packet (docs/spec/framing.md).
 *
 * | at       | bytes | field        | values                                                                      |
 * | -------: | ----: | ------------ | --------------------------------------------------------------------------- |
 * |        0 |     1 | flags        | bit 7 access code, 6 two addresses, 5 context flag, 4 propagation, 3–2 destination type, 1–0 packet type |
 * |        1 |     1 | hops         | 0…127                                                                       |
 * |        2 |  0/16 | transport id | two-address form only                                                       |
 * |  2 or 18 |    16 | destination  |                                                                             |
 * | 18 or 34 |     1 | context      |                                                                             |
 * | 19 or 35 |     … | data         | to the end                                                                  |
 *
 * @param bytesMax the largest packet that the medium takes: {@link PACKET_BYTES_MAX} unless it is Reticulum's
 * @throws {RangeError} for a field outside its range or a packet above `bytesMax`
 */
export function encodePacket(packet: Packet, bytesMax: number = PACKET_BYTES_MAX): Uint8Array {
  const { transportId, destination, data } = packet
  const dataAt = transportId === undefined ? HEADER_BYTES : HEADER_TWO_ADDRESS_BYTES
  const size = dataAt + data.length
  if (size > bytesMax) throw new RangeError(`a packet of ${size} bytes is above ${bytesMax}`)
  const bytes = new Uint8Array(size)
  bytes[0] = flagsOf(packet)
  bytes[1] = below(packet.hops, HOP_LIMIT)
  if (transportId !== undefined) bytes.set(address(transportId), 2)
  bytes.set(address(destination), dataAt - 1 - ADDRESS_BYTES)
  bytes[dataAt - 1] = below(packet.context, 256)
  bytes.set(data, dataAt)
  return bytes
}

/**
 * Reads what {@link encodePacket} wrote, of either header form; the result holds copies. That a packet may travel
 * between NEXUS nodes is for {@link packetFault} to say.
 * @throws {FramingError} `framing/short`, `framing/long`, `framing/hops`
 */
export function decodePacket(bytes: Uint8Array, bytesMax: number = PACKET_BYTES_MAX): Packet {
  if (bytes.length > bytesMax) throw new FramingError({ code: 'framing/long', bytesMax, gotBytes: bytes.length })
  const flags = bytes[0] ?? 0
  const twoAddresses = (flags & FLAG_TWO_ADDRESSES) !== 0
  const wantBytes = twoAddresses ? HEADER_TWO_ADDRESS_BYTES : HEADER_BYTES
  if (bytes.length < wantBytes) throw new FramingError({ code: 'framing/short', wantBytes, gotBytes: bytes.length })
  const hops = bytes[1]!
  if (hops >= HOP_LIMIT) throw new FramingError({ code: 'framing/hops', hops })
  const contextAt = wantBytes - 1
  return {
    accessCode: (flags & FLAG_ACCESS_CODE) !== 0,
    contextFlag: (flags & FLAG_CONTEXT) !== 0,
    propagation: (flags >> 4) & 1,
    destinationType: (flags >> 2) & 3,
    type: flags & 3,
    hops,
    ...(twoAddresses ? { transportId: bytes.slice(2, 2 + ADDRESS_BYTES) } : {}),
    destination: bytes.slice(contextAt - ADDRESS_BYTES, contextAt),
    context: bytes[contextAt]!,
    data: bytes.slice(wantBytes),
  }
}

const FLAG_ACCESS_CODE = 0x80
const FLAG_TWO_ADDRESSES = 0x40
const FLAG_CONTEXT = 0x20

function flagsOf(packet: Packet): number {
  return (
    (packet.accessCode ? FLAG_ACCESS_CODE : 0) |
    (packet.transportId === undefined ? 0 : FLAG_TWO_ADDRESSES) |
    (packet.contextFlag ? FLAG_CONTEXT : 0) |
    (below(packet.propagation, 2) << 4) |
    (below(packet.destinationType, 4) << 2) |
    below(packet.type, 4)
  )
}

function below(value: number, limit: number): number {
  if (!Number.isInteger(value) || value < 0 || value >= limit) throw new RangeError(`${value} is not below ${limit}`)
  return value
}

function address(bytes: Uint8Array): Uint8Array {
  if (bytes.length !== ADDRESS_BYTES) throw new RangeError(`an address has ${ADDRESS_BYTES} bytes, not ${bytes.length}`)
  return bytes
}
