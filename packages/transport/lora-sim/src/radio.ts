import type { DutyCycleLedger } from './duty-cycle.ts'
import type { Modulation } from './modulation.ts'

/** Metres on a plane. */
export interface Position {
  readonly xMeters: number
  readonly yMeters: number
}

export interface RadioSettings {
  readonly modulation: Modulation
  readonly frequencyHz: number
  /** Radiated, antenna gain included. */
  readonly txPowerDbm: number
  /** Of the receiver; 6 dB is Semtech's figure. */
  readonly noiseFigureDb: number
  /** Share of the hour that this radio may transmit, over 0 and up to 1. */
  readonly dutyCycle: number
  /** Where it stands; without one only explicit path losses reach it. */
  readonly position?: Position
}

/** Why a radio packet did not arrive at a radio in reach. */
export type Loss =
  | 'outOfRange'
  | 'collision'
  | 'halfDuplex'
  | 'receiverBusy'
  | 'random'
  | 'truncated'
  | 'foreign'
  | 'absent'

/** A radio as the channel keeps it. */
export interface Radio {
  readonly id: number
  settings: RadioSettings
  sensitivityDbm: number
  noiseFloorDbm: number
  ledger: DutyCycleLedger | undefined
  on: boolean
  transmission: Transmission | undefined
  /** What is in the air here, strong enough to matter. */
  readonly signals: Signal[]
  /** The one signal that the demodulator follows. */
  lock: Signal | undefined
  /** When a signal that channel-activity detection sees was last in the air here. */
  activeUntilMs: number
  cell: number | undefined
  neighbours: Neighbour[] | undefined
  /** Explicit losses from this radio to others. */
  readonly losses: Map<Radio, number>
  /** Who has an explicit loss to this radio. */
  readonly lossSources: Set<Radio>
}

export interface Neighbour {
  readonly radio: Radio
  readonly powerDbm: number
}

export interface Transmission {
  readonly number: number
  readonly from: Radio
  readonly bytes: Uint8Array
  readonly modulation: Modulation
  readonly frequencyHz: number
  readonly startMs: number
  readonly endMs: number
  /** From here on an interferer does harm, and a receiver that was busy till now comes too late: five symbols before the end of the preamble. */
  readonly criticalMs: number
  /** End of preamble and start-of-frame delimiter: from here on a receiver stays with this signal. */
  readonly syncMs: number
  readonly receptions: Reception[]
}

/** One transmission at one radio. */
export interface Signal {
  readonly transmission: Transmission
  readonly powerDbm: number
  /** Same frequency, bandwidth and spreading factor as the receiver. */
  readonly understood: boolean
  /** Another signal of its kind was in the air meanwhile. */
  overlapped: boolean
  /** Another signal was too strong beside it. */
  collided: boolean
  /** The receiver was sending meanwhile. */
  deaf: boolean
  /** The sender broke off, or the receiver was off or tuned elsewhere for a while. */
  broken: 'truncated' | 'absent' | undefined
}

export interface Reception {
  readonly radio: Radio
  readonly signal: Signal
}

/** A radio packet that arrived. `bytes` is shared by its receivers: not to be written. */
export interface Delivery {
  readonly radio: number
  readonly from: number
  readonly bytes: Uint8Array
  readonly rssiDbm: number
  readonly snrDb: number
  readonly startMs: number
  readonly atMs: number
}

export interface ChannelStats {
  transmissions: number
  airtimeMs: number
  /** Transmissions that the duty cycle refused. */
  dutyRefused: number
  /** Receptions: each radio in reach of a transmission counts once, here or under one loss. */
  delivered: number
  /** Of the delivered, those that another signal of the same spreading factor overlapped. */
  captured: number
  lost: Record<Loss, number>
}
