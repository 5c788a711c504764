import { DutyCycleLedger } from './duty-cycle.ts'
import { EventQueue } from './event-queue.ts'
import { RADIO_PACKET_BYTES_MAX, RADIOS_MAX } from './limits.ts'
import {
  airtimeSeconds,
  checkModulation,
  MODULATION_DEFAULT,
  noiseFloorDbm,
  preambleSymbols,
  sensitivityDbm,
  symbolSeconds,
} from './modulation.ts'
import { Neighbourhood } from './neighbourhood.ts'
import { type LogDistance, NamedRandom, SUBURBAN } from './propagation.ts'
import type { ChannelStats, Delivery, Loss, Position, Radio, RadioSettings, Signal, Transmission } from './radio.ts'
import { fate, follow, interfere, receivable, relation } from './reception.ts'

/** Symbols that a receiver must hear of a preamble (Bor et al. 2016, from measurements). */
const PREAMBLE_SYMBOLS_NEEDED = 5
const LOSS_STREAM = 1

/** Settings of a radio where nothing else is said: EU868, band g1. */
export const RADIO_DEFAULT: RadioSettings = {
  modulation: MODULATION_DEFAULT,
  frequencyHz: 868_100_000,
  txPowerDbm: 14,
  noiseFigureDb: 6,
  dutyCycle: 0.01,
}

export interface ChannelOptions {
  /** Seeds shadowing and random loss: 16 bytes are drawn, once. */
  readonly random: (length: number) => Uint8Array
  readonly propagation?: LogDistance
  /** How much stronger a signal must be to survive another of its spreading factor. 6 dB is the usual figure. */
  readonly captureDb?: number
  /** Share of receptions that is lost for no reason of the model, 0 up to 1. */
  readonly lossRatio?: number
}

export type TransmitResult =
  | { readonly kind: 'sent'; readonly endMs: number }
  /** `off`: the radio is unplugged. `busy`: it is transmitting. `duty-cycle`: may be sent after `waitMs`, or never. */
  | { readonly kind: 'refused'; readonly reason: 'off' | 'busy' }
  | { readonly kind: 'refused'; readonly reason: 'duty-cycle'; readonly waitMs: number }

/**
 * The air between LoRa radios (docs/spec/lora.md), in virtual time: the caller says what time it is, and time never goes
 * back. Same seed and same calls give the same events. The work of a transmission grows with the radios in its reach,
 * not with the radios on the channel.
 */
export class LoraChannel {
  readonly stats: ChannelStats = emptyStats()
  readonly #radios = new Map<number, Radio>()
  readonly #ends = new EventQueue<Transmission>()
  readonly #neighbourhood: Neighbourhood
  readonly #random: NamedRandom
  readonly #captureDb: number
  #lossRatio: number
  #deliveries: Delivery[] = []
  #nextRadio = 1
  #nextTransmission = 0
  #nowMs = Number.NEGATIVE_INFINITY

  constructor(options: ChannelOptions) {
    this.#random = new NamedRandom(options.random(16))
    this.#captureDb = options.captureDb ?? 6
    this.#lossRatio = checkRatio(options.lossRatio ?? 0)
    this.#neighbourhood = new Neighbourhood(options.propagation ?? SUBURBAN, this.#random, this.#captureDb)
  }

  get radioCount(): number {
    return this.#radios.size
  }

  /** Puts up a radio and returns its id. @throws {RangeError} bad settings, or {@link RADIOS_MAX} radios */
  addRadio(settings: Partial<RadioSettings> = {}): number {
    if (this.#radios.size >= RADIOS_MAX) throw new RangeError(`more than ${RADIOS_MAX} radios`)
    const whole = { ...RADIO_DEFAULT, ...settings }
    const radio: Radio = {
      id: this.#nextRadio++,
      settings: whole,
      ...receiverOf(whole),
      ledger: ledgerOf(whole),
      on: true,
      transmission: undefined,
      signals: [],
      lock: undefined,
      activeUntilMs: Number.NEGATIVE_INFINITY,
      cell: undefined,
      neighbours: undefined,
      losses: new Map(),
      lossSources: new Set(),
    }
    this.#neighbourhood.place(radio, this.#radios.values())
    this.#radios.set(radio.id, radio)
    return radio.id
  }

  /** Takes a radio down; what it was sending breaks off. */
  removeRadio(id: number): void {
    const radio = this.#radio(id)
    this.#switchOff(radio)
    this.#neighbourhood.lift(radio)
    for (const other of radio.losses.keys()) other.lossSources.delete(radio)
    for (const source of radio.lossSources) source.losses.delete(radio)
    this.#radios.delete(id)
  }

  settings(id: number): RadioSettings {
    return this.#radio(id).settings
  }

  /** Changes settings; a change of duty cycle begins a new ledger. What is in the air already stays as it was. */
  setSettings(id: number, changes: Partial<RadioSettings>): void {
    const radio = this.#radio(id)
    const settings = { ...radio.settings, ...changes }
    const receiver = receiverOf(settings)
    if (settings.dutyCycle !== radio.settings.dutyCycle) radio.ledger = ledgerOf(settings)
    radio.settings = settings
    Object.assign(radio, receiver)
    radio.lock = undefined
    for (const signal of radio.signals) signal.broken ??= 'absent'
    this.#neighbourhood.place(radio, this.#radios.values())
  }

  setPosition(id: number, position: Position): void {
    const radio = this.#radio(id)
    radio.settings = { ...radio.settings, position }
    this.#neighbourhood.place(radio, this.#radios.values())
  }

  /** An unplugged radio neither sends nor hears. What it was sending breaks off. */
  setOn(id: number, on: boolean): void {
    const radio = this.#radio(id)
    if (!on) this.#switchOff(radio)
    radio.on = on
  }

  /** Fixes the loss between two radios, whatever their places; Infinity cuts them off, `undefined` frees it again. */
  setPathLoss(from: number, to: number, lossDb: number | undefined, direction: 'both' | 'forward' = 'both'): void {
    const sender = this.#radio(from)
    const receiver = this.#radio(to)
    if (sender === receiver) throw new RangeError('a radio has no path to itself')
    if (lossDb === undefined) {
      sender.losses.delete(receiver)
      receiver.lossSources.delete(sender)
    } else {
      if (Number.isNaN(lossDb)) throw new RangeError('a path loss that is no number')
      sender.losses.set(receiver, lossDb)
      receiver.lossSources.add(sender)
    }
    sender.neighbours = undefined
    if (direction === 'both') this.setPathLoss(to, from, lossDb, 'forward')
  }

  setLossRatio(lossRatio: number): void {
    this.#lossRatio = checkRatio(lossRatio)
  }

  /** dB lost from one radio to another; Infinity where no signal goes. */
  pathLossDb(from: number, to: number): number {
    return this.#neighbourhood.lossDb(this.#radio(from), this.#radio(to))
  }

  /** Ids of the radios that hear `id` when nothing disturbs them. */
  audience(id: number): number[] {
    const radio = this.#radio(id)
    const heard = this.#neighbourhood.of(radio).filter((neighbour) => {
      const { radio: other, powerDbm } = neighbour
      return powerDbm >= other.sensitivityDbm && relation(radio.settings, other.settings) === 'same'
    })
    return heard.map((neighbour) => neighbour.radio.id)
  }

  /** Milliseconds on the air of a radio packet of this radio. */
  airtimeMs(id: number, bytes: number): number {
    return airtimeSeconds(this.#radio(id).settings.modulation, bytes) * 1_000
  }

  /** 0 where this radio may send for `airtimeMs` now, else the milliseconds to wait. */
  dutyWaitMs(nowMs: number, id: number, airtimeMs: number): number {
    return this.#radio(id).ledger?.waitMs(nowMs, airtimeMs) ?? 0
  }

  /** Milliseconds that this radio has sent within the hour; 0 is not kept for radios without a duty cycle. */
  dutySpentMs(nowMs: number, id: number): number {
    return this.#radio(id).ledger?.spentMs(nowMs) ?? 0
  }

  /** Starts to send a radio packet of 1 … 255 bytes; its end is an event. */
  transmit(nowMs: number, id: number, bytes: Uint8Array): TransmitResult {
    if (bytes.length === 0 || bytes.length > RADIO_PACKET_BYTES_MAX) throw new RangeError(`${bytes.length} bytes`)
    this.#run(nowMs)
    const radio = this.#radio(id)
    if (!radio.on) return { kind: 'refused', reason: 'off' }
    if (radio.transmission !== undefined) return { kind: 'refused', reason: 'busy' }
    const { modulation, frequencyHz } = radio.settings
    const airtimeMs = airtimeSeconds(modulation, bytes.length) * 1_000
    const waitMs = radio.ledger?.waitMs(nowMs, airtimeMs) ?? 0
    if (waitMs > 0) {
      this.stats.dutyRefused++
      return { kind: 'refused', reason: 'duty-cycle', waitMs }
    }
    const symbolMs = symbolSeconds(modulation) * 1_000
    const syncMs = nowMs + preambleSymbols(modulation) * symbolMs
    const transmission: Transmission = {
      number: this.#nextTransmission++,
      from: radio,
      bytes: bytes.slice(),
      modulation,
      frequencyHz,
      startMs: nowMs,
      endMs: nowMs + airtimeMs,
      criticalMs: Math.max(nowMs, nowMs + (modulation.preambleSymbols - PREAMBLE_SYMBOLS_NEEDED) * symbolMs),
      syncMs,
      receptions: [],
    }
    radio.ledger?.spend(transmission.endMs, airtimeMs)
    this.stats.transmissions++
    this.stats.airtimeMs += airtimeMs
    this.#begin(radio, transmission)
    return { kind: 'sent', endMs: transmission.endMs }
  }

  /**
   * Channel-activity detection: whether `id` is sending, or a signal of its own kind that it can receive was in the air
   * at any time since `sinceMs`. Other spreading factors are not seen, as by a real radio.
   */
  activity(nowMs: number, id: number, sinceMs: number): boolean {
    this.#run(nowMs)
    const radio = this.#radio(id)
    if (radio.transmission !== undefined || radio.activeUntilMs >= sinceMs) return true
    return radio.signals.some((signal) => receivable(radio, signal))
  }

  /** When something happens next by itself; Infinity in silence. */
  nextEventMs(): number {
    return this.#deliveries.length > 0 ? this.#nowMs : this.#ends.nextMs
  }

  /** Lets time pass and returns what arrived, in order. */
  advance(nowMs: number): Delivery[] {
    this.#run(nowMs)
    const deliveries = this.#deliveries
    if (deliveries.length > 0) this.#deliveries = []
    return deliveries
  }

  #radio(id: number): Radio {
    const radio = this.#radios.get(id)
    if (radio === undefined) throw new RangeError(`no radio ${id}`)
    return radio
  }

  #run(nowMs: number): void {
    if (!(nowMs >= this.#nowMs)) throw new RangeError(`time went back from ${this.#nowMs} to ${nowMs}`)
    while (this.#ends.nextMs <= nowMs) this.#end(this.#ends.pop()!)
    this.#nowMs = nowMs
  }

  #begin(radio: Radio, transmission: Transmission): void {
    radio.transmission = transmission
    radio.lock = undefined
    for (const signal of radio.signals) signal.deaf = true
    for (const { radio: receiver, powerDbm } of this.#neighbourhood.of(radio)) {
      const kind = relation(transmission, receiver.settings)
      if (kind === 'apart' || !receiver.on) continue
      const signal: Signal = {
        transmission,
        powerDbm,
        understood: kind === 'same',
        overlapped: false,
        collided: false,
        deaf: receiver.transmission !== undefined,
        broken: undefined,
      }
      for (const other of receiver.signals) interfere(other, signal, this.#captureDb)
      receiver.signals.push(signal)
      transmission.receptions.push({ radio: receiver, signal })
      follow(receiver, signal, transmission.startMs, this.#captureDb)
    }
    this.#ends.push(transmission.endMs, transmission)
  }

  #end(transmission: Transmission): void {
    this.#nowMs = transmission.endMs
    const sender = transmission.from
    if (sender.transmission === transmission) {
      sender.transmission = undefined
      this.#listen(sender)
    }
    for (const { radio, signal } of transmission.receptions) {
      radio.signals.splice(radio.signals.indexOf(signal), 1)
      if (receivable(radio, signal)) radio.activeUntilMs = transmission.endMs
      const loss = fate(radio, signal)
      if (loss !== undefined) this.stats.lost[loss]++
      else if (this.#isLost(radio, transmission)) this.stats.lost.random++
      else this.#deliver(radio, signal)
      if (radio.lock === signal) {
        radio.lock = undefined
        this.#listen(radio)
      }
    }
  }

  /** A receiver that became free takes up a preamble that still has enough symbols. */
  #listen(radio: Radio): void {
    for (const signal of radio.signals) follow(radio, signal, this.#nowMs, this.#captureDb)
  }

  #isLost(radio: Radio, transmission: Transmission): boolean {
    return this.#lossRatio > 0 && this.#random.uniform(transmission.number, radio.id, LOSS_STREAM) < this.#lossRatio
  }

  #deliver(radio: Radio, signal: Signal): void {
    const { transmission, powerDbm } = signal
    this.stats.delivered++
    if (signal.overlapped) this.stats.captured++
    this.#deliveries.push({
      radio: radio.id,
      from: transmission.from.id,
      bytes: transmission.bytes,
      rssiDbm: powerDbm,
      snrDb: powerDbm - radio.noiseFloorDbm,
      startMs: transmission.startMs,
      atMs: transmission.endMs,
    })
  }

  #switchOff(radio: Radio): void {
    radio.on = false
    radio.lock = undefined
    for (const signal of radio.signals) signal.broken ??= 'absent'
    const broken = radio.transmission
    if (broken === undefined) return
    radio.transmission = undefined
    for (const { signal } of broken.receptions) signal.broken ??= 'truncated'
  }
}

function receiverOf(settings: RadioSettings): Pick<Radio, 'sensitivityDbm' | 'noiseFloorDbm'> {
  checkModulation(settings.modulation)
  if (!(settings.frequencyHz > 0)) throw new RangeError(`frequency ${settings.frequencyHz}`)
  if (!Number.isFinite(settings.txPowerDbm)) throw new RangeError(`transmit power ${settings.txPowerDbm}`)
  if (!Number.isFinite(settings.noiseFigureDb)) throw new RangeError(`noise figure ${settings.noiseFigureDb}`)
  return {
    sensitivityDbm: sensitivityDbm(settings.modulation, settings.noiseFigureDb),
    noiseFloorDbm: noiseFloorDbm(settings.modulation, settings.noiseFigureDb),
  }
}

/** A radio that may always send keeps no ledger. */
function ledgerOf(settings: RadioSettings): DutyCycleLedger | undefined {
  return settings.dutyCycle === 1 ? undefined : new DutyCycleLedger(settings.dutyCycle)
}

function checkRatio(ratio: number): number {
  if (!(ratio >= 0 && ratio < 1)) throw new RangeError(`loss ratio ${ratio} is not from 0 up to 1`)
  return ratio
}

function emptyStats(): ChannelStats {
  const lost: Record<Loss, number> = {
    outOfRange: 0,
    collision: 0,
    halfDuplex: 0,
    receiverBusy: 0,
    random: 0,
    truncated: 0,
    foreign: 0,
    absent: 0,
  }
  return { transmissions: 0, airtimeMs: 0, dutyRefused: 0, delivered: 0, captured: 0, lost }
}
