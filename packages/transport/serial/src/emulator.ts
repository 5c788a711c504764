import type { AirPlug, AirPort, FrameSignal } from '@nexus/transport-lora-sim'
import { encodeKiss, KissDecoder } from './kiss.ts'
import { KISS_FRAME_BYTES_MAX } from './limits.ts'
import { RESET_BYTE, RNODE_COMMAND, RSSI_OFFSET, rnodeModulation, unsigned16, unsigned32 } from './rnode-commands.ts'

export interface RNodeEmulatorOptions {
  /** The air that its radio sends to and hears. */
  readonly air: AirPort
  /** The radio's name there. */
  readonly radio: string
  /** Writes to the host. */
  readonly write: (bytes: Uint8Array) => void
  /** 1.85 unless given. */
  readonly firmware?: { readonly major: number; readonly minor: number }
  /** More than that is taken as that, as radio chips do; 22 unless given. */
  readonly txPowerDbmMax?: number
  /** Frame bytes that wait in it before it says that it has no room. */
  readonly queueBytesMax?: number
}

interface DeviceSettings {
  frequencyHz: number
  bandwidthHz: number
  txPowerDbm: number
  spreadingFactor: number
  codingRate: number
  airtimeLimitShort: number
  airtimeLimitLong: number
}

const UNSET: DeviceSettings = {
  frequencyHz: 0,
  bandwidthHz: 0,
  txPowerDbm: 0xff,
  spreadingFactor: 0,
  codingRate: 5,
  airtimeLimitShort: 0,
  airtimeLimitLong: 0,
}
const ASK = 0xff
const PLATFORM_ESP32 = 0x80
const MCU_ESP32 = 0x81

/**
 * An RNode in software: the device's side of docs/spec/rnode.md towards its host, and a radio on a simulated air. Written
 * from that page, as the firmware behaves in host mode.
 */
export class RNodeEmulator {
  readonly #options: RNodeEmulatorOptions
  readonly #decoder: KissDecoder
  #settings: DeviceSettings = { ...UNSET }
  #plug: AirPlug | undefined

  constructor(options: RNodeEmulatorOptions) {
    this.#options = options
    this.#decoder = new KissDecoder({
      frameBytesMax: KISS_FRAME_BYTES_MAX,
      strayEscapes: 'keep',
      onFrame: (command, payload) => this.#onCommand(command, payload),
    })
  }

  get isRadioOn(): boolean {
    return this.#plug !== undefined
  }

  /** Bytes from the host. */
  push(chunk: Uint8Array): void {
    this.#decoder.push(chunk)
  }

  /** Reports an error of the device. */
  raise(error: number): void {
    this.#report(RNODE_COMMAND.error, Uint8Array.of(error))
  }

  /** The device starts anew, all settings forgotten, and says so. */
  reset(): void {
    this.#radioOff()
    this.#settings = { ...UNSET }
    this.#report(RNODE_COMMAND.reset, Uint8Array.of(RESET_BYTE))
  }

  /** Takes the radio off the air. */
  async close(): Promise<void> {
    await this.#radioOff()
  }

  #onCommand(command: number, payload: Uint8Array): void {
    if (payload.length === 0) return
    const first = payload[0]!
    switch (command) {
      case RNODE_COMMAND.data:
        this.#transmit(payload)
        break
      case RNODE_COMMAND.detect:
        if (first === 0x73) this.#report(command, Uint8Array.of(0x46))
        break
      case RNODE_COMMAND.firmware: {
        const { major, minor } = this.#options.firmware ?? { major: 1, minor: 85 }
        this.#report(command, Uint8Array.of(major, minor))
        break
      }
      case RNODE_COMMAND.platform:
        this.#report(command, Uint8Array.of(PLATFORM_ESP32))
        break
      case RNODE_COMMAND.mcu:
        this.#report(command, Uint8Array.of(MCU_ESP32))
        break
      case RNODE_COMMAND.radioState:
        this.#setRadio(first)
        break
      case RNODE_COMMAND.ready:
        this.#report(command, Uint8Array.of(this.#hasRoom() ? 1 : 0))
        break
      case RNODE_COMMAND.reset:
        if (first === RESET_BYTE) this.reset()
        break
      default:
        this.#set(command, payload)
    }
  }

  #set(command: number, payload: Uint8Array): void {
    const settings = this.#settings
    const first = payload[0]!
    const view = new DataView(payload.buffer, payload.byteOffset, payload.length)
    switch (command) {
      case RNODE_COMMAND.frequency:
        if (payload.length === 4) settings.frequencyHz = view.getUint32(0) || settings.frequencyHz
        this.#report(command, unsigned32(settings.frequencyHz))
        break
      case RNODE_COMMAND.bandwidth:
        if (payload.length === 4) settings.bandwidthHz = view.getUint32(0) || settings.bandwidthHz
        this.#report(command, unsigned32(settings.bandwidthHz))
        break
      case RNODE_COMMAND.txPower:
        if (first !== ASK) settings.txPowerDbm = Math.min(first, this.#options.txPowerDbmMax ?? 22)
        this.#report(command, Uint8Array.of(settings.txPowerDbm))
        break
      case RNODE_COMMAND.spreadingFactor:
        if (first !== ASK) settings.spreadingFactor = Math.max(5, Math.min(12, first))
        this.#report(command, Uint8Array.of(settings.spreadingFactor))
        break
      case RNODE_COMMAND.codingRate:
        if (first !== ASK) settings.codingRate = Math.max(5, Math.min(8, first))
        this.#report(command, Uint8Array.of(settings.codingRate))
        break
      case RNODE_COMMAND.airtimeLimitShort:
        if (payload.length === 2) settings.airtimeLimitShort = view.getUint16(0)
        this.#report(command, unsigned16(settings.airtimeLimitShort))
        break
      case RNODE_COMMAND.airtimeLimitLong:
        if (payload.length === 2) settings.airtimeLimitLong = view.getUint16(0)
        this.#report(command, unsigned16(settings.airtimeLimitLong))
        break
    }
  }

  #setRadio(state: number): void {
    if (state === 1 && this.#plug === undefined) this.#radioOn()
    if (state === 0) void this.#radioOff()
    this.#report(RNODE_COMMAND.radioState, Uint8Array.of(this.#plug === undefined ? 0 : 1))
  }

  #radioOn(): void {
    const { frequencyHz, bandwidthHz, txPowerDbm, spreadingFactor, airtimeLimitLong } = this.#settings
    if (frequencyHz === 0 || bandwidthHz === 0 || txPowerDbm === 0xff || spreadingFactor === 0) {
      this.raise(0x01)
      return
    }
    const dutyCycle = airtimeLimitLong > 0 && airtimeLimitLong < 10_000 ? airtimeLimitLong / 10_000 : 1
    const modulation = rnodeModulation(this.#settings)
    this.#plug = this.#options.air.plug(
      this.#options.radio,
      { frequencyHz, txPowerDbm, dutyCycle, modulation },
      {
        up: () => {},
        down: () => {},
        frame: (frame, signal) => this.#receive(frame, signal),
        done: (outcome) => {
          if (outcome !== 'sent') this.raise(0x04)
        },
        problem: () => {},
      },
    )
  }

  async #radioOff(): Promise<void> {
    const plug = this.#plug
    this.#plug = undefined
    await plug?.unplug()
  }

  #hasRoom(): boolean {
    return (
      this.#plug !== undefined && this.#plug.queuedBytes < (this.#options.queueBytesMax ?? 4 * KISS_FRAME_BYTES_MAX)
    )
  }

  #transmit(frame: Uint8Array): void {
    if (this.#plug === undefined) this.raise(0x02)
    else if (!this.#plug.send(frame)) this.raise(0x04)
  }

  #receive(frame: Uint8Array, signal: FrameSignal): void {
    if (this.#plug === undefined) return
    const clamp = (value: number, min: number, max: number) => Math.max(min, Math.min(max, Math.round(value)))
    this.#report(RNODE_COMMAND.statRssi, Uint8Array.of(clamp(signal.rssiDbm + RSSI_OFFSET, 0, 255)))
    this.#report(RNODE_COMMAND.statSnr, Uint8Array.of(clamp(signal.snrDb * 4, -128, 127) & 0xff))
    this.#report(RNODE_COMMAND.data, frame)
  }

  #report(command: number, payload: Uint8Array): void {
    this.#options.write(encodeKiss(command, payload))
  }
}
