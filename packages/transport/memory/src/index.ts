/** A medium in this process with loss, delay and other faults, all from one seed (docs/spec/transports.md). */

export type { FaultCounts, Impairment } from './impairment.ts'
export { BITRATE_BPS, IN_FLIGHT_MAX, MEMBERS_MAX, MTU_BYTES, QUEUE_BYTES_MAX } from './limits.ts'
export { type MediumClock, type MediumCounts, MemoryMedium, type MemoryMediumOptions } from './medium.ts'
export { driveInRealTime } from './real-time.ts'
