import { snrLimitDb } from './modulation.ts'
import type { Loss, Radio, RadioSettings, Signal } from './radio.ts'

type Emission = Pick<RadioSettings, 'frequencyHz' | 'modulation'>

/** How two emissions meet: same kind, each noise to the other, or in bands apart. */
export function relation(a: Emission, b: Emission): 'same' | 'noise' | 'apart' {
  const first = a.modulation
  const second = b.modulation
  if (Math.abs(a.frequencyHz - b.frequencyHz) >= (first.bandwidthHz + second.bandwidthHz) / 2) return 'apart'
  const same = first.spreadingFactor === second.spreadingFactor && first.bandwidthHz === second.bandwidthHz
  return same && a.frequencyHz === b.frequencyHz ? 'same' : 'noise'
}

/** Whether this receiver would get the signal if nothing disturbed it. Channel-activity detection sees just those. */
export function receivable(radio: Radio, signal: Signal): boolean {
  return radio.on && signal.understood && signal.broken === undefined && signal.powerDbm >= radio.sensitivityDbm
}

/** Two signals at one receiver, `late` beginning now: each collides where it does not stand out enough. */
export function interfere(early: Signal, late: Signal, captureDb: number): void {
  const kind = relation(early.transmission, late.transmission)
  if (kind === 'apart') return
  if (kind === 'same') {
    early.overlapped = true
    late.overlapped = true
  }
  const leadDb = early.powerDbm - late.powerDbm
  if (leadDb < neededDb(early, kind, captureDb)) early.collided = true
  // The first symbols of a preamble may be lost.
  if (early.transmission.endMs <= late.transmission.criticalMs) return
  if (-leadDb < neededDb(late, kind, captureDb)) late.collided = true
}

/**
 * A free receiver follows a signal; a busy one changes over to a stronger one only until the first has synchronised.
 * It can't know that the signal it follows has collided: it finds out at the end.
 */
export function follow(radio: Radio, signal: Signal, nowMs: number, captureDb: number): void {
  if (!receivable(radio, signal) || radio.transmission !== undefined || nowMs > signal.transmission.criticalMs) return
  const lock = radio.lock
  if (lock !== undefined) {
    if (nowMs >= lock.transmission.syncMs || signal.powerDbm < lock.powerDbm + captureDb) return
  }
  radio.lock = signal
}

/** What became of a signal at its end; `undefined`: received. */
export function fate(radio: Radio, signal: Signal): Exclude<Loss, 'random'> | undefined {
  if (!radio.on) return 'absent'
  if (!signal.understood) return 'foreign'
  if (signal.powerDbm < radio.sensitivityDbm) return 'outOfRange'
  if (signal.broken !== undefined) return signal.broken
  if (signal.collided) return 'collision'
  if (radio.lock === signal) return undefined
  return signal.deaf ? 'halfDuplex' : 'receiverBusy'
}

/** Another spreading factor is like noise to a demodulator, so it may be stronger by the SNR that it can do with. */
function neededDb(signal: Signal, kind: 'same' | 'noise', captureDb: number): number {
  return kind === 'same' ? captureDb : snrLimitDb(signal.transmission.modulation)
}
