import {
  BANDWIDTH_HZ_MAX,
  BANDWIDTH_HZ_MIN,
  CODING_RATE_MAX,
  CODING_RATE_MIN,
  LORA_FRAME_BYTES_MAX,
  PREAMBLE_SYMBOLS_MAX,
  PREAMBLE_SYMBOLS_MIN,
  RADIO_HEADER_BYTES,
  RADIO_PACKET_BYTES_MAX,
  RADIO_PART_BYTES_MAX,
  SPREADING_FACTOR_MAX,
  SPREADING_FACTOR_MIN,
} from './limits.ts'

/** How a LoRa radio puts bytes on the air (Semtech SX1261/2 data sheet, 6.1). */
export interface Modulation {
  /** 5 to 12: bits per symbol. */
  readonly spreadingFactor: number
  readonly bandwidthHz: number
  /** 5 to 8: denominator of the coding rate 4/5 … 4/8. */
  readonly codingRate: number
  /** Programmed preamble; the radio adds 4.25 symbols (6.25 below spreading factor 7). */
  readonly preambleSymbols: number
  readonly explicitHeader: boolean
  readonly crc: boolean
  /** Low data rate optimisation; `auto`: on where a symbol lasts 16 ms or more, as radios require. */
  readonly lowDataRate: 'auto' | boolean
}

/** Spreading factor 7 at 125 kHz and 4/5: 5 469 bit/s. What a mesh of small nodes uses unless told otherwise. */
export const MODULATION_DEFAULT: Modulation = {
  spreadingFactor: 7,
  bandwidthHz: 125_000,
  codingRate: 5,
  preambleSymbols: 18,
  explicitHeader: true,
  crc: true,
  lowDataRate: 'auto',
}

/** @throws {RangeError} for a value that no LoRa radio takes */
export function checkModulation(modulation: Modulation): void {
  const { spreadingFactor, bandwidthHz, codingRate, preambleSymbols } = modulation
  whole('spreading factor', spreadingFactor, SPREADING_FACTOR_MIN, SPREADING_FACTOR_MAX)
  whole('bandwidth', bandwidthHz, BANDWIDTH_HZ_MIN, BANDWIDTH_HZ_MAX)
  whole('coding rate', codingRate, CODING_RATE_MIN, CODING_RATE_MAX)
  whole('preamble', preambleSymbols, PREAMBLE_SYMBOLS_MIN, PREAMBLE_SYMBOLS_MAX)
}

export function symbolSeconds(modulation: Modulation): number {
  return 2 ** modulation.spreadingFactor / modulation.bandwidthHz
}

/** Bit/s of the payload while it is sent: SF × BW ÷ 2^SF × 4 ÷ CR. */
export function bitrateBps(modulation: Modulation): number {
  return (modulation.spreadingFactor / symbolSeconds(modulation)) * (4 / modulation.codingRate)
}

/** Symbols of preamble and start-of-frame delimiter. */
export function preambleSymbols(modulation: Modulation): number {
  return modulation.preambleSymbols + (modulation.spreadingFactor < 7 ? 6.25 : 4.25)
}

/**
 * Seconds on the air of one radio packet of `payloadBytes` bytes (Semtech AN1200.13; SX1261/2 data sheet, 6.1.4, which
 * adds spreading factors 5 and 6).
 * @throws {RangeError} outside 0 … {@link RADIO_PACKET_BYTES_MAX}
 */
export function airtimeSeconds(modulation: Modulation, payloadBytes: number): number {
  whole('payload', payloadBytes, 0, RADIO_PACKET_BYTES_MAX)
  const { spreadingFactor: sf, codingRate, explicitHeader, crc } = modulation
  const symbol = symbolSeconds(modulation)
  const optimised = modulation.lowDataRate === 'auto' ? symbol >= 0.016 : modulation.lowDataRate
  const bits = 8 * payloadBytes + (crc ? 16 : 0) + (explicitHeader ? 20 : 0) - 4 * sf + (sf < 7 ? 0 : 8)
  const blocks = Math.ceil(Math.max(bits, 0) / (4 * (optimised ? sf - 2 : sf)))
  return (preambleSymbols(modulation) + 8 + blocks * codingRate) * symbol
}

/** Seconds on the air of a whole frame: one radio packet, or two above {@link RADIO_PART_BYTES_MAX} bytes. */
export function frameAirtimeSeconds(modulation: Modulation, frameBytes: number): number {
  whole('frame', frameBytes, 0, LORA_FRAME_BYTES_MAX)
  const first = Math.min(frameBytes, RADIO_PART_BYTES_MAX)
  const rest = frameBytes - first
  const airtime = airtimeSeconds(modulation, RADIO_HEADER_BYTES + first)
  return rest === 0 ? airtime : airtime + airtimeSeconds(modulation, RADIO_HEADER_BYTES + rest)
}

/** Least signal-to-noise ratio that the demodulator takes, in dB (SX1276 data sheet, table 13): −7.5 at SF 7, −20 at SF 12. */
export function snrLimitDb(modulation: Modulation): number {
  return 10 - 2.5 * modulation.spreadingFactor
}

/** Thermal noise in the band plus the receiver's own, in dBm. */
export function noiseFloorDbm(modulation: Modulation, noiseFigureDb: number): number {
  return -174 + 10 * Math.log10(modulation.bandwidthHz) + noiseFigureDb
}

/** Weakest signal that is received, in dBm: −124.5 at SF 7, −137 at SF 12, 125 kHz and 6 dB of noise figure. */
export function sensitivityDbm(modulation: Modulation, noiseFigureDb: number): number {
  return noiseFloorDbm(modulation, noiseFigureDb) + snrLimitDb(modulation)
}

function whole(what: string, value: number, min: number, max: number): void {
  if (!Number.isInteger(value) || value < min || value > max) {
    throw new RangeError(`${what} ${value} is not a whole number from ${min} to ${max}`)
  }
}
