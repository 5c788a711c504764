import {
  Backoff,
  HostGate,
  type Interface,
  type InterfaceFacts,
  type Transport,
  type TransportHost,
} from '@nexus/transport'
import { RADIO_DEFAULT } from './channel.ts'
import { LORA_FRAME_BYTES_MAX, STATION_QUEUE_BYTES_MAX } from './limits.ts'
import { bitrateBps, frameAirtimeSeconds } from './modulation.ts'
import type { AirPlug, AirPort, FrameSignal } from './port.ts'
import type { RadioSettings } from './radio.ts'

export interface LoraSimOptions {
  /** {@link createAir}, or `remoteAir` of `@nexus/transport-lora-sim/node`. */
  readonly air: AirPort
  /** Name of the radio on that air; one of each name. */
  readonly radio: string
  readonly settings?: Partial<RadioSettings>
  /** Signal figures of each frame, before the frame is handed on. */
  readonly onSignal?: (signal: FrameSignal) => void
}

/** A simulated LoRa radio as a transport: one interface, up while its radio is on the air. */
export function loraSim(options: LoraSimOptions): Transport {
  return new LoraSim(options)
}

class LoraSim implements Transport {
  readonly name: string
  readonly #options: LoraSimOptions
  readonly #settings: RadioSettings
  readonly #backoff = new Backoff()
  #gate: HostGate | undefined
  #plug: AirPlug | undefined
  #iface: LoraInterface | undefined
  #retry: ReturnType<typeof setTimeout> | undefined
  #stopped = false

  constructor(options: LoraSimOptions) {
    this.name = `lora:${options.radio}`
    this.#options = options
    this.#settings = { ...RADIO_DEFAULT, ...options.settings }
  }

  async start(host: TransportHost): Promise<void> {
    if (this.#gate !== undefined) throw new TypeError('a transport starts once')
    this.#gate = new HostGate(this.name, host)
    this.#plugIn(this.#gate)
  }

  kick(): void {
    this.#plug?.kick()
  }

  async stop(): Promise<void> {
    this.#stopped = true
    clearTimeout(this.#retry)
    this.#down('stopped')
    await this.#plug?.unplug()
    this.#plug = undefined
    this.#gate?.shut()
  }

  #plugIn(gate: HostGate): void {
    const { air, radio, onSignal } = this.#options
    const plug = air.plug(radio, this.#settings, {
      up: (speed) => {
        this.#iface = new LoraInterface(this.name, this.#settings, speed, plug, gate, (iface) => this.#close(iface))
        gate.up(this.#iface)
      },
      down: (reason) => this.#down(reason),
      frame: (frame, signal) => {
        if (this.#iface === undefined) return
        onSignal?.(signal)
        gate.frame(this.#iface, frame)
      },
      done: (outcome) => {
        this.#iface?.drained()
        if (outcome === 'sent') return
        if (outcome === 'medium-busy' && this.#iface !== undefined) gate.lost(this.#iface)
        this.#report(`a frame was dropped: ${outcome}`)
      },
      problem: (detail) => gate.problem(detail),
    })
    this.#plug = plug
  }

  #report(why: string): void {
    this.#gate?.problem({ code: 'transport/limit', interfaceId: this.name, why })
  }

  #down(reason: string): void {
    const iface = this.#iface
    if (iface === undefined) return
    this.#iface = undefined
    iface.end()
    this.#gate?.down(iface, reason)
  }

  /** The host closed the interface: the radio leaves the air, and comes back after a while. */
  async #close(iface: LoraInterface): Promise<void> {
    if (this.#iface !== iface) return
    this.#down('closed')
    await this.#plug?.unplug()
    this.#plug = undefined
    if (this.#stopped || this.#gate === undefined) return
    const gate = this.#gate
    this.#retry = setTimeout(() => this.#plugIn(gate), this.#backoff.nextMs())
  }
}

class LoraInterface implements Interface {
  readonly facts: InterfaceFacts
  readonly #plug: AirPlug
  readonly #gate: HostGate
  readonly #close: (iface: LoraInterface) => Promise<void>
  #open = true
  #refused = false

  constructor(
    id: string,
    settings: RadioSettings,
    speed: number,
    plug: AirPlug,
    gate: HostGate,
    close: (iface: LoraInterface) => Promise<void>,
  ) {
    const { modulation, dutyCycle } = settings
    this.#plug = plug
    this.#gate = gate
    this.#close = close
    this.facts = {
      id,
      kind: 'lora',
      mtuBytes: LORA_FRAME_BYTES_MAX,
      bitrateBps: bitrateBps(modulation) * speed,
      duplex: 'half',
      dutyCycle,
      reach: 'shared',
      addressed: false,
      airtimeSeconds: (bytes) => frameAirtimeSeconds(modulation, bytes) / speed,
    }
  }

  get queuedBytes(): number {
    return this.#open ? this.#plug.queuedBytes : 0
  }

  send(frame: Uint8Array): boolean {
    if (!this.#open) return false
    const { id: interfaceId, mtuBytes } = this.facts
    const bytes = frame.length
    if (bytes === 0 || bytes > mtuBytes) {
      this.#gate.problem({ code: 'transport/frame-size', interfaceId, bytes, mtuBytes })
      return false
    }
    const taken = this.#plug.send(frame)
    if (!taken) this.#refused = true
    return taken
  }

  close(): Promise<void> {
    return this.#close(this)
  }

  /** A frame left the queue. */
  drained(): void {
    if (!this.#refused || this.#plug.queuedBytes > STATION_QUEUE_BYTES_MAX / 2) return
    this.#refused = false
    this.#gate.drain(this)
  }

  end(): void {
    this.#open = false
  }
}
