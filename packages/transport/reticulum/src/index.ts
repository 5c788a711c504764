/** Reticulum's wire protocol without sockets or clocks: announces, links, requests, resources and transport (docs/spec/reticulum.md). */
export { AccessCode, type AccessCodeOptions } from './access-code.ts'
export {
  type Announce,
  announceEmitted,
  announcePacket,
  announceRandomHash,
  decodeAnnounce,
  verifyAnnounce,
} from './announce.ts'
export type { BroadcastDestination } from './broadcast.ts'
export { bz2Decompress } from './bz2-decode.ts'
export { bz2Compress } from './bz2-encode.ts'
export type { Channel, ChannelMessage } from './channel.ts'
export { type AesCbc, type AesKey, portableAes, type ReticulumCrypto, reticulumCrypto } from './crypto.ts'
export type {
  Destination,
  DestinationOptions,
  IncomingRequest,
  RatchetState,
  ReceivedPacket,
  RequestHandler,
  RequestOptions,
} from './destination.ts'
export { ReticulumError, type ReticulumErrorDetail } from './errors.ts'
export { FEED_ITEMS_MAX, Feed } from './feed.ts'
export { Identity, RemoteIdentity } from './identity.ts'
export type { HeardAnnounce } from './inbound.ts'
export type { InterfaceMode, InterfaceOptions, ReticulumInterface } from './interface.ts'
export { KNOWN_MAX, type Known, type Path } from './known.ts'
export { MTU_BYTES, PLAINTEXT_BYTES_MAX, RESOURCE_SEGMENT_BYTES_MAX } from './limits.ts'
export type { Link, LinkEnd, PacketReceipt } from './link.ts'
export {
  Lxmf,
  type LxmfDraft,
  type LxmfMethod,
  type LxmfOptions,
  type LxmfSendOptions,
  type ReceivedLxmf,
} from './lxmf.ts'
export {
  LXMF_NAME,
  type LxmfContent,
  type LxmfMessage,
  lxmfAppData,
  packLxmf,
  readLxmfAppData,
  unpackLxmf,
  verifyLxmf,
} from './lxmf-message.ts'
export { decodeMsgPack, encodeMsgPack, Float64, type MsgPack } from './msgpack.ts'
export { destinationHash, fullName, nameHash } from './name.ts'
export {
  NEXUS_NAME,
  NEXUS_PEERS_MAX,
  type NexusTransportOptions,
  nexusReticulumIdentity,
  nexusTransport,
} from './nexus-transport.ts'
export {
  CONTEXT,
  DESTINATION_TYPE,
  decodePacket,
  encodePacket,
  PACKET_TYPE,
  type Packet,
  packetHash,
} from './packet.ts'
export type { CallOptions, Ports } from './ports.ts'
export type { RelayCounts } from './relay.ts'
export type { OutgoingResource, SendResourceOptions, TransferProgress } from './resource-send.ts'
export {
  type ConnectOptions,
  DESTINATIONS_MAX,
  LINKS_MAX,
  type RemoteDestination,
  Reticulum,
  type ReticulumOptions,
  type ServeOptions,
} from './reticulum.ts'
export { RESOURCE_BYTES_MAX, type ReceivedResource, type ResourceOffer, type ResourcePolicy } from './transfers.ts'
