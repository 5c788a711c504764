/** Reticulum on Node: real sockets, clocks and files (docs/spec/reticulum.md). */
export { nodeAes } from './node/aes.ts'
export type { AutoOptions } from './node/auto.ts'
export {
  lxmfOn,
  nexusTransportOn,
  type RunningReticulum,
  reticulumNodeCrypto,
  type StartOptions,
  startReticulum,
} from './node/host.ts'
export { readIdentity, writeIdentity } from './node/identity-file.ts'
export {
  autoMedium,
  kissMedium,
  type Medium,
  type MediumOptions,
  type ServerMedium,
  SHARED_INSTANCE_NAME,
  SHARED_INSTANCE_PORT,
  type SharedInstanceAt,
  serialMedium,
  sharedInstanceMedium,
  TCP_BITRATE_BPS,
  TCP_LINK_MTU_BYTES,
  type TcpMediumOptions,
  tcpClientMedium,
  tcpServerMedium,
  transportMedium,
  udpMedium,
} from './node/media.ts'
