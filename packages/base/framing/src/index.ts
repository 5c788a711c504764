/** The packet: Reticulum-compatible layout, packet hash, announces (docs/spec/framing.md, docs/spec/announce.md). */
export {
  type Announce,
  type AnnounceFields,
  announceVerifyJob,
  decodeAnnounce,
  decodeExtension,
  EXTENSION_MAGIC,
  EXTENSION_TLV,
  EXTENSION_VERSION,
  type Extension,
  encodeAnnounce,
  encodeAnnouncePacket,
  encodeExtension,
  signAnnounce,
  verifyAnnounce,
} from './announce.ts'
export { announceCost, announceLamport, announceMaxHops, relayAnnounce } from './announce-in-place.ts'
export { FramingError, type FramingErrorDetail } from './errors.ts'
export {
  incrementPacketHops,
  isPacketFor,
  packetContext,
  packetData,
  packetDestination,
  packetDestinationType,
  packetDestinationWord,
  packetFault,
  packetHash,
  packetHops,
  packetType,
  setPacketHops,
  writePacketHashRegion,
} from './in-place.ts'
export {
  ADDRESS_BYTES,
  ANNOUNCE_BYTES_MIN,
  ANNOUNCE_TLVS_BYTES_MAX,
  COST_BYTES,
  DATA_BYTES_MAX,
  DATA_TWO_ADDRESS_BYTES_MAX,
  EXTENSION_BYTES_MIN,
  HEADER_BYTES,
  HEADER_TWO_ADDRESS_BYTES,
  HOP_LIMIT,
  PACKET_BYTES_MAX,
  PACKET_HASH_BYTES,
} from './limits.ts'
export {
  CONTEXT,
  DESTINATION_TYPE,
  decodePacket,
  encodePacket,
  type NativePacketFields,
  nativePacket,
  PACKET_TYPE,
  type Packet,
  PROPAGATION,
} from './packet.ts'
