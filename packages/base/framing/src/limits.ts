import { PUBLIC_KEY_BYTES, SIGNATURE_BYTES } from '@nexus/crypto'
import { NODE_ID_BYTES } from '@nexus/identity'

/** A destination hash, and a transport id. */
export const ADDRESS_BYTES: number = NODE_ID_BYTES
/** Flags and hops, one address, context. */
export const HEADER_BYTES: number = 2 + ADDRESS_BYTES + 1
/** Flags and hops, transport id, destination, context. */
export const HEADER_TWO_ADDRESS_BYTES: number = HEADER_BYTES + ADDRESS_BYTES
/** A whole native packet. */
export const PACKET_BYTES_MAX = 484
/** Data of a native packet. */
export const DATA_BYTES_MAX: number = PACKET_BYTES_MAX - HEADER_BYTES
/** Data of a two-address packet of the same size. */
export const DATA_TWO_ADDRESS_BYTES_MAX: number = PACKET_BYTES_MAX - HEADER_TWO_ADDRESS_BYTES
/** A packet dies on the relay where its hop count would reach this; 127 is the greatest on the wire. */
export const HOP_LIMIT = 128
/** SHA-256. */
export const PACKET_HASH_BYTES = 32

/** A path cost, opaque here. */
export const COST_BYTES = 6
/** Magic, version, path cost: a NexusExtension without TLVs. */
export const EXTENSION_BYTES_MIN: number = 2 + COST_BYTES
/** Public key, lamport, max hops, signature, extension without TLVs. */
export const ANNOUNCE_BYTES_MIN: number = PUBLIC_KEY_BYTES + 8 + 1 + SIGNATURE_BYTES + EXTENSION_BYTES_MIN
/** All TLVs of an announce together, their headers included: what a native packet has room for. */
export const ANNOUNCE_TLVS_BYTES_MAX: number = DATA_BYTES_MAX - ANNOUNCE_BYTES_MIN
