import type { HostGate, Interface, InterfaceFacts, Transport, TransportHost } from '@nexus/transport'
import { bitrateBps, frameAirtimeSeconds } from '@nexus/transport-lora-sim'
import {
  KISS_FRAME_BYTES_MAX,
  RNODE_FREQUENCY_HZ_MAX,
  RNODE_FREQUENCY_HZ_MIN,
  RNODE_QUEUE_BYTES_MAX,
  RNODE_TX_POWER_DBM_MAX,
} from './limits.ts'
import { Line, type LineOptions, type LineOwner } from './line.ts'
import { openSerialPort } from './open-port.ts'
import type { OpenSerialPort, SerialPort } from './port.ts'
import { type RNodeSettings, rnodeModulation } from './rnode-commands.ts'
import { type RNodeInfo, RNodeModem, type RNodeSignal } from './rnode-modem.ts'

export interface RNodeOptions extends Omit<LineOptions, 'open' | 'baudRate'>, Omit<RNodeSettings, 'dutyCycle'> {
  readonly open?: OpenSerialPort
  /** Share of the hour that may be sent; 0.01 unless given, as in most of the band at 868 MHz. */
  readonly dutyCycle?: number
  /** What the device may take after its port was opened; some reset then. 2 000 unless given. */
  readonly settleMs?: number
  /** How much faster than in the world time runs on the air behind an emulated device; 1 unless given. */
  readonly airSpeed?: number
  /** Signal figures of each frame, before the frame is handed on. */
  readonly onSignal?: (signal: RNodeSignal) => void
  /** Each time the device came on the air. */
  readonly onDevice?: (info: RNodeInfo) => void
}

/**
 * An RNode LoRa radio at a serial port: one interface, up while the device has confirmed all its settings.
 * @throws {RangeError} for a setting that no RNode takes
 */
export function rnode(options: RNodeOptions): Transport {
  return new RNodeTransport(options)
}

class RNodeTransport implements Transport {
  readonly name: string
  readonly #options: RNodeOptions
  readonly #settings: RNodeSettings
  readonly #facts: InterfaceFacts
  #line: Line | undefined

  constructor(options: RNodeOptions) {
    const {
      frequencyHz,
      txPowerDbm,
      spreadingFactor,
      bandwidthHz,
      codingRate,
      dutyCycle = 0.01,
      airSpeed = 1,
    } = options
    const settings = { frequencyHz, txPowerDbm, spreadingFactor, bandwidthHz, codingRate, dutyCycle }
    checkSettings(settings)
    const modulation = rnodeModulation(settings)
    this.name = `lora:${options.path}`
    this.#options = options
    this.#settings = settings
    this.#facts = {
      id: this.name,
      kind: 'lora',
      mtuBytes: KISS_FRAME_BYTES_MAX,
      bitrateBps: bitrateBps(modulation) * airSpeed,
      duplex: 'half',
      dutyCycle,
      reach: 'shared',
      addressed: false,
      airtimeSeconds: (bytes) => frameAirtimeSeconds(modulation, bytes) / airSpeed,
    }
  }

  async start(host: TransportHost): Promise<void> {
    if (this.#line !== undefined) throw new TypeError('a transport starts once')
    const options = { ...this.#options, baudRate: 115_200, open: this.#options.open ?? openSerialPort }
    this.#line = new Line(this.name, options, host, (gate) => this.#own(gate))
    await this.#line.open()
  }

  kick(): void {
    this.#line?.kick()
  }

  async stop(): Promise<void> {
    await this.#line?.stop()
  }

  #own(gate: HostGate): LineOwner {
    let session: Session | undefined
    return {
      opened: (port) => {
        const giveUp = async (why: string) => this.#line?.giveUp(why)
        session = new Session(port, this.#settings, this.#options, this.#facts, gate, giveUp)
      },
      data: (bytes) => session?.data(bytes),
      written: () => {},
      lost: (why) => {
        session?.end(why)
        session = undefined
      },
    }
  }
}

/** One opening of the port: a modem, its timer, and the interface once the device is online. */
class Session {
  readonly #modem: RNodeModem
  readonly #gate: HostGate
  #timer: ReturnType<typeof setTimeout> | undefined
  #iface: RNodeInterface | undefined
  #ended = false

  constructor(
    port: SerialPort,
    settings: RNodeSettings,
    options: RNodeOptions,
    facts: InterfaceFacts,
    gate: HostGate,
    giveUp: (why: string) => Promise<void>,
  ) {
    const { onSignal, onDevice, settleMs, airSpeed } = options
    this.#gate = gate
    const tell = (why: string) => gate.problem({ code: 'transport/device', interfaceId: facts.id, why })
    this.#modem = new RNodeModem(
      { ...settings, ...defined({ settleMs, airSpeed }) },
      {
        write: (bytes) => port.write(bytes),
        online: (info) => {
          onDevice?.(info)
          const send = (frame: Uint8Array) => this.#send(frame)
          this.#iface = new RNodeInterface(facts, this.#modem, gate, send, () => giveUp('closed'))
          gate.up(this.#iface)
        },
        frame: (frame, signal) => {
          if (this.#iface === undefined) return
          onSignal?.(signal)
          gate.frame(this.#iface, frame)
        },
        sent: () => this.#iface?.sent(),
        warn: tell,
        failed: (why) => {
          tell(why)
          void giveUp(why)
        },
      },
    )
    this.#modem.open(performance.now())
    this.#schedule()
  }

  data(bytes: Uint8Array): void {
    this.#modem.push(performance.now(), bytes)
    this.#schedule()
  }

  end(why: string): void {
    this.#ended = true
    clearTimeout(this.#timer)
    this.#modem.close()
    if (this.#iface === undefined) return
    this.#iface.end()
    this.#gate.down(this.#iface, why)
  }

  #send(frame: Uint8Array): boolean {
    const taken = this.#modem.send(performance.now(), frame)
    if (taken) this.#schedule()
    return taken
  }

  #schedule(): void {
    clearTimeout(this.#timer)
    const wakeMs = this.#modem.nextWakeMs()
    if (this.#ended || wakeMs === Number.POSITIVE_INFINITY) return
    this.#timer = setTimeout(
      () => {
        this.#modem.tick(performance.now())
        this.#schedule()
      },
      Math.max(0, wakeMs - performance.now()),
    )
  }
}

class RNodeInterface implements Interface {
  readonly facts: InterfaceFacts
  readonly #modem: RNodeModem
  readonly #gate: HostGate
  readonly #send: (frame: Uint8Array) => boolean
  readonly #giveUp: () => Promise<void>
  #open = true
  #refused = false

  constructor(
    facts: InterfaceFacts,
    modem: RNodeModem,
    gate: HostGate,
    send: (frame: Uint8Array) => boolean,
    giveUp: () => Promise<void>,
  ) {
    this.facts = facts
    this.#modem = modem
    this.#gate = gate
    this.#send = send
    this.#giveUp = giveUp
  }

  get queuedBytes(): number {
    return this.#open ? this.#modem.queuedBytes : 0
  }

  send(frame: Uint8Array): boolean {
    if (!this.#open) return false
    const { id: interfaceId, mtuBytes } = this.facts
    const bytes = frame.length
    if (bytes === 0 || bytes > mtuBytes) {
      this.#gate.problem({ code: 'transport/frame-size', interfaceId, bytes, mtuBytes })
      return false
    }
    const taken = this.#send(frame)
    if (!taken) this.#refused = true
    return taken
  }

  async close(): Promise<void> {
    if (this.#open) await this.#giveUp()
  }

  /** A frame was handed to the device. */
  sent(): void {
    if (!this.#refused || this.#modem.queuedBytes > RNODE_QUEUE_BYTES_MAX / 2) return
    this.#refused = false
    this.#gate.drain(this)
  }

  end(): void {
    this.#open = false
  }
}

/** Without what is `undefined`. */
function defined(options: Record<'settleMs' | 'airSpeed', number | undefined>): {
  settleMs?: number
  airSpeed?: number
} {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
}

function checkSettings(settings: RNodeSettings): void {
  within('frequencyHz', settings.frequencyHz, RNODE_FREQUENCY_HZ_MIN, RNODE_FREQUENCY_HZ_MAX)
  within('bandwidthHz', settings.bandwidthHz, 7_800, 1_625_000)
  within('txPowerDbm', settings.txPowerDbm, 0, RNODE_TX_POWER_DBM_MAX)
  within('spreadingFactor', settings.spreadingFactor, 5, 12)
  within('codingRate', settings.codingRate, 5, 8)
  if (!(settings.dutyCycle > 0 && settings.dutyCycle <= 1)) throw new RangeError(`dutyCycle ${settings.dutyCycle}`)
}

function within(name: string, value: number, min: number, max: number): void {
  if (!Number.isInteger(value) || value < min || value > max) {
    throw new RangeError(`${name} ${value} is not a whole number from ${min} to ${max}`)
  }
}
