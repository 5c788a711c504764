/** Segments on the network interfaces of a machine, for Node: sockets, clock, randomness and disk (docs/spec/anchor-truth.md). */
export { bootFile } from './node/boot-file.ts'
export {
  type InterfaceStatus,
  type MemberFound,
  meshAddress,
  SegmentDriver,
  type SegmentDriverOptions,
  type SegmentDriverPorts,
} from './node/driver.ts'
export { passphraseKey } from './node/passphrase.ts'
export { addressText } from './node/socket.ts'
