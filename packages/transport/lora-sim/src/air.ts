import type { CreateAccess } from './access.ts'
import { LoraChannel } from './channel.ts'
import { AIR_EVENTS_PER_TURN, AIR_NAME_CHARACTERS_MAX, AIR_RADIOS_MAX } from './limits.ts'
import { checkPosition } from './neighbourhood.ts'
import type { AirControls, AirListener, AirPlug, AirPort } from './port.ts'
import type { LogDistance } from './propagation.ts'
import type { ChannelStats, Position, RadioSettings } from './radio.ts'
import { Station } from './station.ts'

export interface AirOptions {
  /** When a radio may speak: `createMediumAccess` of `@nexus/congestion`. */
  readonly access: CreateAccess
  /** Seeds the channel and the radios' back-off; the platform's generator unless given. */
  readonly random?: (length: number) => Uint8Array
  readonly propagation?: LogDistance
  readonly captureDb?: number
  readonly lossRatio?: number
  /** Virtual seconds per real second, 1 unless said: a lab may run its radios faster. */
  readonly speed?: number
}

/** A simulated air of this process, driven in real time. */
export interface Air extends AirPort, AirControls {
  readonly speed: number
  readonly stats: Readonly<ChannelStats>
  /** Milliseconds that a radio has sent within the last hour of virtual time. */
  dutySpentMs(radio: string): number
  /** All radios go down; none can be plugged in any more. */
  close(): void
}

/** Opens an air. @throws {RangeError} for a setting that cannot work */
export function createAir(options: AirOptions): Air {
  return new LocalAir(options)
}

interface Plugged {
  readonly station: Station
  readonly listener: AirListener
}

/** What is known of a radio by name, plugged in or not. */
interface Place {
  position: Position | undefined
  on: boolean
  readonly losses: Map<string, number>
  plugged: Plugged | undefined
}

class LocalAir implements Air {
  readonly speed: number
  readonly #channel: LoraChannel
  readonly #random: (length: number) => Uint8Array
  readonly #access: CreateAccess
  readonly #places = new Map<string, Place>()
  readonly #stations = new Map<number, Plugged>()
  readonly #startMs = performance.now()
  #timer: ReturnType<typeof setTimeout> | undefined
  #closed = false

  constructor(options: AirOptions) {
    this.speed = options.speed ?? 1
    if (!(this.speed > 0)) throw new RangeError(`speed ${this.speed} is not over 0`)
    this.#random = options.random ?? ((length) => crypto.getRandomValues(new Uint8Array(length)))
    this.#access = options.access
    this.#channel = new LoraChannel({ ...options, random: this.#random })
  }

  get stats(): Readonly<ChannelStats> {
    return this.#channel.stats
  }

  dutySpentMs(radio: string): number {
    const plugged = this.#places.get(radio)?.plugged
    return plugged === undefined ? 0 : this.#channel.dutySpentMs(this.#nowMs(), plugged.station.radio)
  }

  plug(radio: string, settings: Partial<RadioSettings>, listener: AirListener): AirPlug {
    if (this.#closed) throw new TypeError('the air is closed')
    const place = this.#place(radio)
    if (place.plugged !== undefined) throw new TypeError(`a radio ${radio} is plugged in already`)
    const position = place.position ?? settings.position
    const id = this.#channel.addRadio(position === undefined ? settings : { ...settings, position })
    const station = new Station(this.#channel, id, this.#random, this.#access, {
      frame: (_, frame, signal) => listener.frame(frame, signal),
      sent: () => listener.done('sent'),
      dropped: (_, reason) => listener.done(reason),
    })
    const plugged = { station, listener }
    place.plugged = plugged
    this.#stations.set(id, plugged)
    this.#channel.setOn(id, place.on)
    this.#applyLosses(radio, place)
    queueMicrotask(() => {
      if (place.plugged === plugged && place.on) listener.up(this.speed)
    })
    return {
      get queuedBytes() {
        return station.queuedBytes
      },
      send: (frame) => {
        if (place.plugged !== plugged || !place.on || !station.send(this.#nowMs(), frame)) return false
        this.#schedule()
        return true
      },
      kick: () => {},
      unplug: async () => {
        if (place.plugged === plugged) this.#remove(place, plugged)
      },
    }
  }

  setPosition(radio: string, position: Position): void {
    checkPosition(position)
    const place = this.#place(radio)
    place.position = position
    if (place.plugged !== undefined) this.#channel.setPosition(place.plugged.station.radio, position)
  }

  setPathLoss(from: string, to: string, lossDb: number | undefined, direction: 'both' | 'forward' = 'both'): void {
    if (from === to) throw new RangeError('a radio has no path to itself')
    if (Number.isNaN(lossDb)) throw new RangeError('a path loss that is no number')
    const place = this.#place(from)
    if (lossDb === undefined) place.losses.delete(to)
    else place.losses.set(to, lossDb)
    const [sender, receiver] = [place.plugged, this.#place(to).plugged]
    if (sender !== undefined && receiver !== undefined) {
      this.#channel.setPathLoss(sender.station.radio, receiver.station.radio, lossDb, 'forward')
    }
    if (direction === 'both') this.setPathLoss(to, from, lossDb, 'forward')
  }

  setOn(radio: string, on: boolean): void {
    const place = this.#place(radio)
    if (place.on === on) return
    place.on = on
    const { plugged } = place
    if (plugged === undefined) return
    this.#channel.setOn(plugged.station.radio, on)
    plugged.station.clear()
    if (on) plugged.listener.up(this.speed)
    else plugged.listener.down('unplugged')
  }

  setLossRatio(lossRatio: number): void {
    this.#channel.setLossRatio(lossRatio)
  }

  close(): void {
    this.#closed = true
    clearTimeout(this.#timer)
    for (const place of this.#places.values()) {
      const { plugged } = place
      if (plugged === undefined) continue
      this.#remove(place, plugged)
      if (place.on) plugged.listener.down('the air is closed')
    }
  }

  #remove(place: Place, plugged: Plugged): void {
    place.plugged = undefined
    this.#stations.delete(plugged.station.radio)
    plugged.station.remove()
    this.#schedule()
  }

  #place(radio: string): Place {
    let place = this.#places.get(radio)
    if (place !== undefined) return place
    if (radio.length === 0 || radio.length > AIR_NAME_CHARACTERS_MAX)
      throw new RangeError('a name of 1 … 64 characters')
    if (this.#places.size >= AIR_RADIOS_MAX) throw new RangeError(`more than ${AIR_RADIOS_MAX} radios`)
    place = { position: undefined, on: true, losses: new Map(), plugged: undefined }
    this.#places.set(radio, place)
    return place
  }

  /** Puts the losses that were set by name on a radio that has just come. */
  #applyLosses(radio: string, place: Place): void {
    for (const [name, other] of this.#places) {
      if (other.plugged === undefined || place.plugged === undefined || other === place) continue
      const [here, there] = [place.plugged.station.radio, other.plugged.station.radio]
      const outward = place.losses.get(name)
      const inward = other.losses.get(radio)
      if (outward !== undefined) this.#channel.setPathLoss(here, there, outward, 'forward')
      if (inward !== undefined) this.#channel.setPathLoss(there, here, inward, 'forward')
    }
  }

  #nowMs(): number {
    return (performance.now() - this.#startMs) * this.speed
  }

  #nextMs(): number {
    let nextMs = this.#channel.nextEventMs()
    for (const { station } of this.#stations.values()) nextMs = Math.min(nextMs, station.nextWakeMs())
    return nextMs
  }

  #schedule(): void {
    clearTimeout(this.#timer)
    const nextMs = this.#nextMs()
    if (nextMs === Number.POSITIVE_INFINITY || this.#closed) return
    // Node's timers hold 31 bits of milliseconds.
    const waitMs = Math.min(Math.max((nextMs - this.#nowMs()) / this.speed, 0), 2 ** 31 - 1)
    this.#timer = setTimeout(() => this.#turn(), waitMs)
  }

  /** Works off what is due, each event at its own time, however late the timer was. */
  #turn(): void {
    const untilMs = this.#nowMs()
    for (let events = 0; events < AIR_EVENTS_PER_TURN && !this.#closed; events++) {
      const nextMs = this.#nextMs()
      if (nextMs > untilMs) break
      for (const delivery of this.#channel.advance(nextMs))
        this.#stations.get(delivery.radio)?.station.receive(delivery)
      for (const { station } of this.#stations.values()) station.tick(nextMs)
    }
    this.#schedule()
  }
}
