/** Whose packet leaves next, how fast, and what the neighbours upstream are told (docs/spec/congestion.md). */
export { AirtimeBucket } from './airtime-bucket.ts'
export { Backpressure, type BackpressurePorts, type Load } from './backpressure.ts'
export { BandwidthMeter } from './bandwidth-meter.ts'
export { priorityOfContext } from './classes.ts'
export { effectiveCost } from './cost-response.ts'
export { CongestionError, type CongestionErrorDetail } from './errors.ts'
export {
  ACCESS_ATTEMPTS_MAX,
  ACCESS_QUEUE_BYTES_MAX,
  LISTEN_MS_MIN,
  NEIGHBOUR_QUEUE_BYTES_MAX,
  NEIGHBOURS_MAX,
  PACKET_BYTES_MAX,
  QUEUE_BYTES_MAX,
  SIGNAL_SPACING_AIRTIMES,
  SIGNAL_SPACING_MS,
} from './limits.ts'
export {
  createMediumAccess,
  type Dropped,
  type Medium,
  MediumAccess,
  type MediumAccessOptions,
  type MediumAccessPorts,
} from './medium-access.ts'
export type { DropReason, NeighbourQueue } from './neighbour-queue.ts'
export { RealTimeGate } from './real-time-gate.ts'
export { type HandBack, type Priority, Scheduler, type SchedulerLimits, type SchedulerPorts } from './scheduler.ts'
export { Shaper, type ShaperOptions, type ShaperPorts } from './shaper.ts'
export {
  type CongestionSignal,
  DRAIN_MS_MAX,
  decodeSignal,
  encodeSignal,
  isNewerSequence,
  type Severity,
  SIGNAL_BYTES,
} from './signal.ts'
export { Throttle } from './throttle.ts'
