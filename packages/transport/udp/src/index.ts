/** Frames as UDP datagrams, to configured peers and by IPv6 link-local multicast (docs/spec/transports.md). */

export type { GroupOptions } from './group.ts'
export { BITRATE_BPS, GROUP, GROUP_PORT, MTU_BYTES, PEERS_MAX, QUEUE_BYTES_MAX, RESOLVE_MS } from './limits.ts'
export { type UdpOptions, type UdpTransport, udpTransport } from './transport.ts'
