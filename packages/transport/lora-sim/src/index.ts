/** A LoRa channel in software: airtime, path loss, collisions with capture, duty cycle (docs/spec/lora.md). */
export type { Access, AccessOptions, AccessReports, CreateAccess, Dropped, RadioMedium } from './access.ts'
export { type Air, type AirOptions, createAir } from './air.ts'
export { type AirControl, AirDecoder, type AirMessage, encodeAirMessage } from './air-message.ts'
export { type ChannelOptions, LoraChannel, RADIO_DEFAULT, type TransmitResult } from './channel.ts'
export { DutyCycleLedger } from './duty-cycle.ts'
export { AirError, type AirErrorDetail } from './errors.ts'
export {
  LORA_FRAME_BYTES_MAX,
  RADIO_PACKET_BYTES_MAX,
  RADIO_PART_BYTES_MAX,
  STATION_QUEUE_BYTES_MAX,
} from './limits.ts'
export {
  airtimeSeconds,
  bitrateBps,
  frameAirtimeSeconds,
  MODULATION_DEFAULT,
  type Modulation,
  sensitivityDbm,
  snrLimitDb,
  symbolSeconds,
} from './modulation.ts'
export type { AirControls, AirListener, AirPlug, AirPort, FrameSignal } from './port.ts'
export { BUILT_UP, type LogDistance, pathLossDb, rangeMeters, SUBURBAN } from './propagation.ts'
export type { ChannelStats, Delivery, Loss, Position, RadioSettings } from './radio.ts'
export { Reassembler, type ReassemblyStats, splitFrame } from './split.ts'
export { Station, type StationPorts } from './station.ts'
export { type LoraSimOptions, loraSim } from './transport.ts'
