import type { TransportErrorDetail } from '@nexus/transport'
import type { Dropped } from './access.ts'
import type { Position, RadioSettings } from './radio.ts'

/** Signal figures of a frame: those of its last radio packet. */
export interface FrameSignal {
  readonly rssiDbm: number
  readonly snrDb: number
}

/** What an air tells a radio that is plugged into it. Never from inside `send`. */
export interface AirListener {
  /** The radio is on the air. `speed`: virtual seconds per real second. */
  up(speed: number): void
  down(reason: string): void
  /** The bytes are valid during the call. */
  frame(frame: Uint8Array, signal: FrameSignal): void
  /** A frame left the queue. */
  done(outcome: 'sent' | Dropped): void
  problem(detail: TransportErrorDetail): void
}

/** A radio's end at the air. */
export interface AirPlug {
  /** Bytes of radio packets that wait in the station. */
  readonly queuedBytes: number
  /** Takes a frame of 1 … 508 bytes; `false` while down, or where the queue has no room. */
  send(frame: Uint8Array): boolean
  /** Tries now what waits for its next attempt. */
  kick(): void
  /** Leaves the air; nothing is told after it resolves. */
  unplug(): Promise<void>
}

/** Where simulated radios plug in: an air in this process, or one behind an air server. */
export interface AirPort {
  plug(radio: string, settings: Partial<RadioSettings>, listener: AirListener): AirPlug
}

/** Live controls of an air, by the names of its radios; also of those that have yet to come. */
export interface AirControls {
  setPosition(radio: string, position: Position): void
  /** Fixes the loss between two radios in dB; Infinity cuts them off, `undefined` frees it again. */
  setPathLoss(from: string, to: string, lossDb: number | undefined, direction?: 'both' | 'forward'): void
  /** A radio that is off neither sends nor hears, and its interface is down. */
  setOn(radio: string, on: boolean): void
  setLossRatio(lossRatio: number): void
}
