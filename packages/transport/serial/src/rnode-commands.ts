import type { Modulation } from '@nexus/transport-lora-sim'
import { encodeKiss } from './kiss.ts'

/** Command bytes of an RNode (docs/spec/rnode.md). */
export const RNODE_COMMAND = {
  data: 0x00,
  frequency: 0x01,
  bandwidth: 0x02,
  txPower: 0x03,
  spreadingFactor: 0x04,
  codingRate: 0x05,
  radioState: 0x06,
  detect: 0x08,
  leave: 0x0a,
  airtimeLimitShort: 0x0b,
  airtimeLimitLong: 0x0c,
  ready: 0x0f,
  statRssi: 0x23,
  statSnr: 0x24,
  externalDisplay: 0x41,
  platform: 0x48,
  mcu: 0x49,
  firmware: 0x50,
  reset: 0x55,
  error: 0x90,
} as const

export const DETECT_ASK = 0x73
export const DETECT_ANSWER = 0x46
export const RESET_BYTE = 0xf8
/** RSSI is reported as dBm plus this. */
export const RSSI_OFFSET = 157

/** What went wrong in the device; the radio is of no more use after those marked fatal. */
export const RNODE_ERRORS: ReadonlyMap<number, { readonly why: string; readonly fatal: boolean }> = new Map([
  [0x01, { why: 'the radio did not start', fatal: true }],
  [0x02, { why: 'a transmission failed', fatal: true }],
  [0x03, { why: 'the EEPROM is locked', fatal: false }],
  [0x04, { why: 'its queue is full, a frame was lost', fatal: false }],
  [0x05, { why: 'its memory is low', fatal: false }],
  [0x06, { why: 'the modem does not answer', fatal: true }],
  [0x40, { why: 'its configuration is invalid', fatal: true }],
])

export interface RNodeSettings {
  /** No default, nor has the power: what may be sent where is the operator's to know. */
  readonly frequencyHz: number
  readonly txPowerDbm: number
  readonly spreadingFactor: number
  readonly bandwidthHz: number
  /** 5 … 8: 4/5 … 4/8. */
  readonly codingRate: number
  /** Share of the hour that may be sent, over 0 and up to 1; the device keeps to it. */
  readonly dutyCycle: number
}

/** The writes that bring an RNode on the air, after it was detected; the last one switches the radio on. */
export function rnodeSetup(settings: RNodeSettings): Uint8Array[] {
  const { frequencyHz, bandwidthHz, txPowerDbm, spreadingFactor, codingRate, dutyCycle } = settings
  const writes = [
    encodeKiss(RNODE_COMMAND.frequency, unsigned32(frequencyHz)),
    encodeKiss(RNODE_COMMAND.bandwidth, unsigned32(bandwidthHz)),
    encodeKiss(RNODE_COMMAND.txPower, Uint8Array.of(txPowerDbm)),
    encodeKiss(RNODE_COMMAND.spreadingFactor, Uint8Array.of(spreadingFactor)),
    encodeKiss(RNODE_COMMAND.codingRate, Uint8Array.of(codingRate)),
  ]
  if (dutyCycle < 1) writes.push(encodeKiss(RNODE_COMMAND.airtimeLimitLong, unsigned16(airtimeLimit(dutyCycle))))
  writes.push(encodeKiss(RNODE_COMMAND.radioState, Uint8Array.of(1)))
  return writes
}

/** Asks for identification, firmware version, platform and processor in one write; neighbours share a FEND. */
export function rnodeDetect(): Uint8Array {
  const questions = [
    encodeKiss(RNODE_COMMAND.detect, Uint8Array.of(DETECT_ASK)),
    encodeKiss(RNODE_COMMAND.firmware, Uint8Array.of(0)),
    encodeKiss(RNODE_COMMAND.platform, Uint8Array.of(0)),
    encodeKiss(RNODE_COMMAND.mcu, Uint8Array.of(0)),
  ]
  return concat(questions.map((question, index) => question.subarray(index === 0 ? 0 : 1)))
}

/** Switches the radio off and lets the device go its own way. */
export function rnodeLeave(): Uint8Array {
  return concat([
    encodeKiss(RNODE_COMMAND.radioState, Uint8Array.of(0)),
    encodeKiss(RNODE_COMMAND.leave, Uint8Array.of(0xff)),
  ])
}

/** Percent × 100, never above what was asked, and at least one step: 0 would mean no limit. */
export function airtimeLimit(dutyCycle: number): number {
  return Math.max(1, Math.floor(dutyCycle * 10_000 + 1e-9))
}

/**
 * How an RNode modulates: its preamble lasts 24 ms, and 18 symbols at least (firmware 1.85; docs/spec/rnode.md).
 */
export function rnodeModulation(
  settings: Pick<RNodeSettings, 'spreadingFactor' | 'bandwidthHz' | 'codingRate'>,
): Modulation {
  const { spreadingFactor, bandwidthHz, codingRate } = settings
  const symbolMs = (2 ** spreadingFactor / bandwidthHz) * 1_000
  return {
    spreadingFactor,
    bandwidthHz,
    codingRate,
    preambleSymbols: Math.max(18, Math.ceil(24 / symbolMs)),
    explicitHeader: true,
    crc: true,
    lowDataRate: 'auto',
  }
}

/** Something that an RNode says. */
export type RNodeReport =
  | { readonly kind: 'data'; readonly frame: Uint8Array }
  | {
      readonly kind:
        | 'frequency'
        | 'bandwidth'
        | 'txPower'
        | 'spreadingFactor'
        | 'codingRate'
        | 'radioState'
        | 'airtimeLimitLong'
        | 'platform'
        | 'mcu'
        | 'error'
      readonly value: number
    }
  | { readonly kind: 'detected'; readonly isRNode: boolean }
  | { readonly kind: 'firmware'; readonly major: number; readonly minor: number }
  | { readonly kind: 'ready'; readonly hasRoom: boolean }
  | { readonly kind: 'rssi'; readonly dbm: number }
  | { readonly kind: 'snr'; readonly db: number }
  | { readonly kind: 'reset' }

const BYTE_REPORTS = new Map([
  [RNODE_COMMAND.txPower as number, 'txPower' as const],
  [RNODE_COMMAND.spreadingFactor, 'spreadingFactor' as const],
  [RNODE_COMMAND.codingRate, 'codingRate' as const],
  [RNODE_COMMAND.radioState, 'radioState' as const],
  [RNODE_COMMAND.platform, 'platform' as const],
  [RNODE_COMMAND.mcu, 'mcu' as const],
  [RNODE_COMMAND.error, 'error' as const],
])

/** Reads one KISS frame of an RNode; `undefined` for what is of no interest here, or too short for what it claims to be. */
export function decodeRNodeReport(command: number, payload: Uint8Array): RNodeReport | undefined {
  if (command === RNODE_COMMAND.data) return { kind: 'data', frame: payload }
  const view = new DataView(payload.buffer, payload.byteOffset, payload.length)
  const kind = BYTE_REPORTS.get(command)
  if (payload.length === 0) return undefined
  const first = payload[0]!
  if (kind !== undefined) return { kind, value: first }
  switch (command) {
    case RNODE_COMMAND.frequency:
      return payload.length === 4 ? { kind: 'frequency', value: view.getUint32(0) } : undefined
    case RNODE_COMMAND.bandwidth:
      return payload.length === 4 ? { kind: 'bandwidth', value: view.getUint32(0) } : undefined
    case RNODE_COMMAND.airtimeLimitLong:
      return payload.length === 2 ? { kind: 'airtimeLimitLong', value: view.getUint16(0) } : undefined
    case RNODE_COMMAND.detect:
      return { kind: 'detected', isRNode: first === DETECT_ANSWER }
    case RNODE_COMMAND.firmware:
      return payload.length >= 2 ? { kind: 'firmware', major: first, minor: payload[1]! } : undefined
    case RNODE_COMMAND.ready:
      return { kind: 'ready', hasRoom: first === 1 }
    case RNODE_COMMAND.statRssi:
      return { kind: 'rssi', dbm: first - RSSI_OFFSET }
    case RNODE_COMMAND.statSnr:
      return { kind: 'snr', db: view.getInt8(0) / 4 }
    case RNODE_COMMAND.reset:
      return first === RESET_BYTE ? { kind: 'reset' } : undefined
    default:
      return undefined
  }
}

export function unsigned16(value: number): Uint8Array {
  return Uint8Array.of(value >>> 8, value & 0xff)
}

export function unsigned32(value: number): Uint8Array {
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setUint32(0, value)
  return bytes
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  return bytes
}
