/**
 * The interface every medium speaks (docs/spec/transports.md), and what several media need to implement it. A transport
 * opens interfaces and reports their frames; it knows nothing of links, identities or routes. Interfaces come and go
 * while the node runs.
 */

export { formatAddress, networkOf, parseAddress, type SocketAddress } from './address.ts'
export { Admission, type AdmissionLimits } from './admission.ts'
export { Backoff, type BackoffOptions } from './backoff.ts'
export { TransportError, type TransportErrorDetail } from './errors.ts'
export { HostGate } from './gate.ts'
export type { Interface, InterfaceFacts, InterfaceKind, Listening, Transport, TransportHost } from './interface.ts'
export {
  CONNECT_MS_MAX,
  CONNECTIONS_MAX,
  CONNECTIONS_PER_NETWORK_MAX,
  FAULTS_MAX,
  FIRST_FRAME_MS,
  FRAME_BYTES_FULL,
  FRAME_BYTES_MIN,
  IDLE_MS,
  NETWORK_WATCH_MS,
  PROBLEMS_PER_SECOND,
  QUEUE_BYTES_MAX,
  RETRY_MS_MAX,
  RETRY_MS_MIN,
  STALL_MS,
  STEADY_MS,
} from './limits.ts'
