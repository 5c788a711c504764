import { frameAirtimeSeconds, type Modulation } from '@nexus/transport-lora-sim'
import { encodeKiss, KissDecoder } from './kiss.ts'
import {
  KISS_FRAME_BYTES_MAX,
  RNODE_ANSWER_MS,
  RNODE_FIRMWARE_MIN,
  RNODE_FREQUENCY_TOLERANCE_HZ,
  RNODE_QUEUE_BYTES_MAX,
  RNODE_READY_ASKED_MAX,
  RNODE_READY_MS,
  RNODE_SETTLE_MS,
  SILENCE_MS,
} from './limits.ts'
import {
  airtimeLimit,
  decodeRNodeReport,
  RNODE_COMMAND,
  RNODE_ERRORS,
  type RNodeReport,
  type RNodeSettings,
  rnodeDetect,
  rnodeLeave,
  rnodeModulation,
  rnodeSetup,
} from './rnode-commands.ts'

/** Signal figures of a frame, where the device gave them. */
export interface RNodeSignal {
  readonly rssiDbm: number | undefined
  readonly snrDb: number | undefined
}

export interface RNodeInfo {
  readonly firmware: string
  readonly platform: number | undefined
  readonly mcu: number | undefined
}

export interface RNodeModemPorts {
  write(bytes: Uint8Array): void
  /** The device repeated all its settings, and its radio is on. */
  online(info: RNodeInfo): void
  /** The bytes are valid during the call. */
  frame(frame: Uint8Array, signal: RNodeSignal): void
  /** A frame was handed to the device. */
  sent(): void
  /** Worth telling; the device goes on. */
  warn(why: string): void
  /** Of no more use: close the port, and try again later. */
  failed(why: string): void
}

export interface RNodeModemOptions extends RNodeSettings {
  /** {@link RNODE_SETTLE_MS} */
  readonly settleMs?: number
  /** How much faster than in the world time runs on the air behind an emulated device; 1 unless given. */
  readonly airSpeed?: number
}

type Phase = 'closed' | 'settling' | 'detecting' | 'configuring' | 'online'
/** Settings as the device repeated them. */
type Echo = Partial<
  Record<
    'frequency' | 'bandwidth' | 'txPower' | 'spreadingFactor' | 'codingRate' | 'radioState' | 'airtimeLimitLong',
    number
  >
>

/**
 * The host's side of an RNode (docs/spec/rnode.md), without port or clock: detects the device, checks its firmware, sets
 * it up, believes it only when it has repeated every setting, and hands it frames one at a time, as it has room and the
 * air has had time. Nothing is sent before the radio is known to be set as asked.
 */
export class RNodeModem {
  readonly #options: RNodeModemOptions
  readonly #ports: RNodeModemPorts
  readonly #modulation: Modulation
  readonly #decoder: KissDecoder
  readonly #queue: Uint8Array[] = []
  #queuedBytes = 0
  #phase: Phase = 'closed'
  #wakeMs = Number.POSITIVE_INFINITY
  #nowMs = 0
  #heardMs = Number.NEGATIVE_INFINITY
  #echo: Echo = {}
  #firmware: { readonly major: number; readonly minor: number } | undefined
  #isRNode = false
  #platform: number | undefined
  #mcu: number | undefined
  #rssiDbm: number | undefined
  #snrDb: number | undefined
  /** Questions for room without an answer. */
  #asked = 0

  constructor(options: RNodeModemOptions, ports: RNodeModemPorts) {
    this.#options = options
    this.#ports = ports
    this.#modulation = rnodeModulation(options)
    this.#decoder = new KissDecoder({
      frameBytesMax: KISS_FRAME_BYTES_MAX,
      strayEscapes: 'keep',
      onFrame: (command, payload) => {
        const report = decodeRNodeReport(command, payload)
        // What comes before the first question is left over, or the chatter of a device that starts.
        if (report !== undefined && this.#phase !== 'closed' && this.#phase !== 'settling') this.#onReport(report)
      },
    })
  }

  get queuedBytes(): number {
    return this.#queuedBytes
  }

  get online(): boolean {
    return this.#phase === 'online'
  }

  /** The port was opened. */
  open(nowMs: number): void {
    this.#phase = 'settling'
    this.#wakeMs = nowMs + (this.#options.settleMs ?? RNODE_SETTLE_MS)
  }

  /** Lets the device go; nothing is told or written afterwards. */
  close(): void {
    if (this.#phase === 'configuring' || this.#phase === 'online') this.#ports.write(rnodeLeave())
    this.#phase = 'closed'
    this.#wakeMs = Number.POSITIVE_INFINITY
    this.#queue.length = 0
    this.#queuedBytes = 0
  }

  nextWakeMs(): number {
    return this.#wakeMs
  }

  /** Takes a frame of 1 … 508 bytes; `false` while not online, or where the queue has no room. */
  send(nowMs: number, frame: Uint8Array): boolean {
    if (this.#phase !== 'online' || this.#queuedBytes + frame.length > RNODE_QUEUE_BYTES_MAX) return false
    this.#queue.push(frame.slice())
    this.#queuedBytes += frame.length
    if (this.#asked === 0 && this.#wakeMs === Number.POSITIVE_INFINITY) this.#wakeMs = nowMs
    return true
  }

  /** Bytes from the device. */
  push(nowMs: number, chunk: Uint8Array): void {
    if (nowMs - this.#heardMs > SILENCE_MS) this.#decoder.silence()
    this.#heardMs = nowMs
    this.#nowMs = nowMs
    this.#decoder.push(chunk)
  }

  tick(nowMs: number): void {
    if (nowMs < this.#wakeMs) return
    this.#nowMs = nowMs
    switch (this.#phase) {
      case 'settling':
        this.#phase = 'detecting'
        this.#wakeMs = nowMs + RNODE_ANSWER_MS
        this.#ports.write(rnodeDetect())
        break
      case 'detecting':
        this.#fail('it does not answer as an RNode')
        break
      case 'configuring':
        this.#fail(`it did not confirm its settings: ${this.#missing().join(', ')}`)
        break
      case 'online':
        if (this.#queue.length === 0 && this.#asked === 0) this.#wakeMs = Number.POSITIVE_INFINITY
        else this.#askForRoom()
        break
      case 'closed':
        break
    }
  }

  #askForRoom(): void {
    if (this.#asked >= RNODE_READY_ASKED_MAX) {
      this.#fail('it no longer answers')
      return
    }
    this.#asked++
    this.#wakeMs = this.#nowMs + RNODE_READY_MS
    this.#ports.write(encodeKiss(RNODE_COMMAND.ready, Uint8Array.of(1)))
  }

  #onReport(report: RNodeReport): void {
    switch (report.kind) {
      case 'data':
        this.#onData(report.frame)
        break
      case 'rssi':
        this.#rssiDbm = report.dbm
        break
      case 'snr':
        this.#snrDb = report.db
        break
      case 'ready':
        this.#onReady(report.hasRoom)
        break
      case 'error':
        this.#onError(report.value)
        break
      case 'reset':
        if (this.#phase !== 'detecting') this.#fail('it was reset')
        break
      case 'detected':
        this.#isRNode = report.isRNode
        this.#identify()
        break
      case 'firmware':
        this.#firmware = report
        this.#identify()
        break
      case 'platform':
        this.#platform = report.value
        break
      case 'mcu':
        this.#mcu = report.value
        break
      default:
        this.#echo[report.kind] = report.value
        this.#confirm()
    }
  }

  #onData(frame: Uint8Array): void {
    const signal = { rssiDbm: this.#rssiDbm, snrDb: this.#snrDb }
    this.#rssiDbm = undefined
    this.#snrDb = undefined
    if (this.#phase === 'online' && frame.length > 0) this.#ports.frame(frame, signal)
  }

  #onReady(hasRoom: boolean): void {
    if (this.#phase !== 'online' || this.#asked === 0) return
    this.#asked = 0
    const frame = this.#queue[0]
    if (frame === undefined) {
      this.#wakeMs = Number.POSITIVE_INFINITY
      return
    }
    if (!hasRoom) {
      this.#wakeMs = this.#nowMs + RNODE_READY_MS / 4
      return
    }
    this.#queue.shift()
    this.#queuedBytes -= frame.length
    // The next one is offered when this one may have left, so that what waits does so here, where its order is decided.
    const airtimeMs = frameAirtimeSeconds(this.#modulation, frame.length) * 1_000
    this.#wakeMs = this.#nowMs + airtimeMs / (this.#options.airSpeed ?? 1)
    this.#ports.write(encodeKiss(RNODE_COMMAND.data, frame))
    this.#ports.sent()
  }

  #onError(code: number): void {
    const error = RNODE_ERRORS.get(code)
    const why = error?.why ?? `error ${code}`
    if (error?.fatal === true) this.#fail(why)
    else this.#ports.warn(why)
  }

  #identify(): void {
    if (this.#phase !== 'detecting' || !this.#isRNode || this.#firmware === undefined) return
    const { major, minor } = this.#firmware
    const { major: wantMajor, minor: wantMinor } = RNODE_FIRMWARE_MIN
    if (major < wantMajor || (major === wantMajor && minor < wantMinor)) {
      this.#fail(`its firmware ${major}.${minor} is older than ${wantMajor}.${wantMinor}`)
      return
    }
    this.#phase = 'configuring'
    this.#echo = {}
    this.#wakeMs = this.#nowMs + RNODE_ANSWER_MS
    for (const write of rnodeSetup(this.#options)) this.#ports.write(write)
  }

  /** Goes online when all is confirmed; a radio that is on with other settings than asked is switched off at once. */
  #confirm(): void {
    if (this.#phase === 'online') {
      if (this.#missing().length > 0) this.#fail(`its settings changed: ${this.#missing().join(', ')}`)
      return
    }
    if (this.#phase !== 'configuring') return
    const missing = this.#missing()
    const all = missing.every((setting) => this.#isEchoed(setting))
    if (missing.length > 0) {
      if (this.#echo.radioState === 1 && all) this.#fail(`it has other settings than asked: ${missing.join(', ')}`)
      return
    }
    this.#phase = 'online'
    this.#wakeMs = Number.POSITIVE_INFINITY
    this.#asked = 0
    const { major, minor } = this.#firmware!
    this.#ports.online({ firmware: `${major}.${minor}`, platform: this.#platform, mcu: this.#mcu })
  }

  #isEchoed(setting: string): boolean {
    return this.#echo[setting.split(' ')[0] as keyof Echo] !== undefined
  }

  /** Settings that the device did not repeat as asked, each with what it said. */
  #missing(): string[] {
    const asked = this.#options
    const wanted: readonly (readonly [keyof Echo, number, number])[] = [
      ['frequency', asked.frequencyHz, RNODE_FREQUENCY_TOLERANCE_HZ],
      ['bandwidth', asked.bandwidthHz, 0],
      ['txPower', asked.txPowerDbm, 0],
      ['spreadingFactor', asked.spreadingFactor, 0],
      ['codingRate', asked.codingRate, 0],
      ...(asked.dutyCycle < 1 ? [['airtimeLimitLong', airtimeLimit(asked.dutyCycle), 0] as const] : []),
      ['radioState', 1, 0],
    ]
    return wanted
      .filter(([setting, want, tolerance]) => !(Math.abs((this.#echo[setting] ?? Number.NaN) - want) <= tolerance))
      .map(([setting, want]) => `${setting} ${this.#echo[setting] ?? 'unsaid'} instead of ${want}`)
  }

  #fail(why: string): void {
    this.close()
    this.#ports.failed(why)
  }
}
