/** Encrypted, mutually authenticated links between neighbours on any medium, as a core without I/O (docs/spec/link.md). */
export { LinkError, type LinkErrorDetail } from './errors.ts'
export {
  type CookieFrame,
  decodeCookieFrame,
  decodeHandshakePayload,
  decodeHello,
  decodeHs1,
  decodeHs2,
  decodeHs3,
  decodePart,
  encodeCookieFrame,
  encodeHandshakePayload,
  encodeHello,
  encodeHs1,
  encodeHs1Head,
  encodeHs2,
  encodeHs3,
  encodePart,
  FRAME,
  type HandshakePayload,
  type Hello,
  type Hs1,
  type Hs2,
  type Hs3,
  type LinkParameters,
  type Part,
} from './frames.ts'
export type { Target } from './handshake.ts'
export { DEFAULT_LIMITS, type LinkLimits } from './limits.ts'
export {
  CLOSE,
  type ControlUse,
  type DownReason,
  type FrameMark,
  type InterfaceStats,
  type Link,
  type LinkCounters,
  type LinkLayerOptions,
  type LinkLayerStats,
  type LinkPorts,
  type Refusal,
  type RefusalReason,
} from './link.ts'
export { LinkLayer } from './link-layer.ts'
export {
  decodeClose,
  decodeProbe,
  decodeRekey,
  encodeProbe,
  encodeRekey,
  MESSAGE,
  PADDED_BIT,
  type Probe,
  padBytesFor,
  paddedBodyEnd,
  type Rekey,
} from './messages.ts'
export {
  NoiseHandshake,
  type NoiseOptions,
  type NoisePattern,
  type NoiseResult,
  type NoiseStaticKey,
} from './noise.ts'
export type { Beacon } from './peering.ts'
export { nearestCounter, ReplayWindow } from './replay-window.ts'
