import type { HostGate, Interface, InterfaceFacts, Transport, TransportHost } from '@nexus/transport'
import { encodeKiss, KissDecoder } from './kiss.ts'
import { KISS_FRAME_BYTES_MAX, SERIAL_MTU_BYTES_MAX, SERIAL_QUEUE_BYTES_MAX, SILENCE_MS } from './limits.ts'
import { Line, type LineOptions, type LineOwner } from './line.ts'
import { openSerialPort } from './open-port.ts'
import type { OpenSerialPort, SerialPort } from './port.ts'
import { type TncSettings, tncSetup } from './tnc.ts'

export interface SerialOptions extends Omit<LineOptions, 'open'> {
  readonly open?: OpenSerialPort
  /** 508 unless given; both ends alike. */
  readonly mtuBytes?: number
  /** Set where the port leads to a KISS radio modem, not to another node. */
  readonly tnc?: TncSettings & {
    /** Of the radio. */
    readonly bitrateBps: number
    /** 1 unless given. */
    readonly dutyCycle?: number
  }
  /** How frames stand on the line; KISS unless given. A modem speaks KISS. */
  readonly framing?: LineFraming
}

/** Frames within a stream of bytes. */
export interface LineFraming {
  encode(frame: Uint8Array): Uint8Array
  decoder(options: LineDecoderOptions): LineDecoder
}

export interface LineDecoderOptions {
  readonly frameBytesMax: number
  /** A whole frame; its bytes are valid during the call. */
  readonly onFrame: (frame: Uint8Array) => void
  readonly onFault: (fault: string) => void
}

export interface LineDecoder {
  push(bytes: Uint8Array): void
  /** Nothing came for a while: what has begun is no frame. */
  silence?(): void
}

const DATA = 0

const KISS_FRAMING: LineFraming = {
  encode: (frame) => encodeKiss(DATA, frame),
  decoder: ({ onFrame, ...options }) =>
    new KissDecoder({
      ...options,
      onFrame: (command, payload) => {
        // The upper four bits name a port of the modem.
        if ((command & 0x0f) === DATA && payload.length > 0) onFrame(payload)
      },
    }),
}

/**
 * A serial line with KISS framing: a cable to another node, or a KISS radio modem.
 * @throws {RangeError} for a setting that cannot work
 */
export function serial(options: SerialOptions): Transport {
  return new SerialTransport(options)
}

class SerialTransport implements Transport {
  readonly name: string
  readonly #options: SerialOptions
  readonly #facts: InterfaceFacts
  #line: Line | undefined

  constructor(options: SerialOptions) {
    const { mtuBytes = KISS_FRAME_BYTES_MAX, baudRate = 115_200, tnc } = options
    if (!Number.isInteger(mtuBytes) || mtuBytes < 37 || mtuBytes > SERIAL_MTU_BYTES_MAX) {
      throw new RangeError(`mtuBytes ${mtuBytes} is not from 37 to ${SERIAL_MTU_BYTES_MAX}`)
    }
    if (!Number.isInteger(baudRate) || baudRate < 50) throw new RangeError(`baudRate ${baudRate}`)
    if (options.framing !== undefined && tnc !== undefined) throw new TypeError('a modem speaks KISS')
    this.name = `serial:${options.path}`
    this.#options = options
    this.#facts = {
      id: this.name,
      kind: 'serial',
      mtuBytes,
      // Ten bits on the line for eight.
      bitrateBps: tnc?.bitrateBps ?? (baudRate * 8) / 10,
      duplex: tnc === undefined ? 'full' : 'half',
      dutyCycle: tnc?.dutyCycle ?? 1,
      reach: tnc === undefined ? 'point' : 'shared',
      addressed: false,
    }
  }

  async start(host: TransportHost): Promise<void> {
    if (this.#line !== undefined) throw new TypeError('a transport starts once')
    const options = { ...this.#options, open: this.#options.open ?? openSerialPort }
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
    let iface: SerialInterface | undefined
    let heardMs = 0
    let decoder: LineDecoder | undefined
    const framing = this.#options.framing ?? KISS_FRAMING
    return {
      opened: (port) => {
        for (const write of this.#options.tnc === undefined ? [] : tncSetup(this.#options.tnc)) port.write(write)
        const opened = new SerialInterface({ facts: this.#facts, port, gate, framing }, () =>
          this.#line?.giveUp('closed'),
        )
        iface = opened
        decoder = framing.decoder({
          frameBytesMax: this.#facts.mtuBytes,
          onFrame: (frame) => gate.frame(opened, frame),
          onFault: (fault) => {
            gate.problem({ code: 'transport/framing', interfaceId: this.name, why: `a frame was dropped: ${fault}` })
          },
        })
        gate.up(opened)
      },
      data: (bytes) => {
        const nowMs = performance.now()
        if (nowMs - heardMs > SILENCE_MS) decoder?.silence?.()
        heardMs = nowMs
        decoder?.push(bytes)
      },
      written: () => iface?.written(),
      lost: (why) => {
        if (iface === undefined) return
        iface.end()
        gate.down(iface, why)
        iface = undefined
      },
    }
  }
}

interface SerialParts {
  readonly facts: InterfaceFacts
  readonly port: SerialPort
  readonly gate: HostGate
  readonly framing: LineFraming
}

class SerialInterface implements Interface {
  readonly facts: InterfaceFacts
  readonly #port: SerialPort
  readonly #gate: HostGate
  readonly #framing: LineFraming
  readonly #giveUp: () => Promise<void> | undefined
  readonly #waiting: Uint8Array[] = []
  #waitingBytes = 0
  #open = true
  #refused = false

  constructor(parts: SerialParts, giveUp: () => Promise<void> | undefined) {
    this.facts = parts.facts
    this.#port = parts.port
    this.#gate = parts.gate
    this.#framing = parts.framing
    this.#giveUp = giveUp
  }

  get queuedBytes(): number {
    return this.#open ? this.#waitingBytes + this.#port.queuedBytes : 0
  }

  send(frame: Uint8Array): boolean {
    if (!this.#open) return false
    const { id: interfaceId, mtuBytes } = this.facts
    const bytes = frame.length
    if (bytes === 0 || bytes > mtuBytes) {
      this.#gate.problem({ code: 'transport/frame-size', interfaceId, bytes, mtuBytes })
      return false
    }
    const encoded = this.#framing.encode(frame)
    if (this.queuedBytes + encoded.length > SERIAL_QUEUE_BYTES_MAX) {
      this.#refused = true
      return false
    }
    if (this.#waiting.push(encoded) === 1) queueMicrotask(() => this.#flush())
    this.#waitingBytes += encoded.length
    return true
  }

  async close(): Promise<void> {
    if (this.#open) await this.#giveUp()
  }

  written(): void {
    if (!this.#refused || this.queuedBytes > SERIAL_QUEUE_BYTES_MAX / 2) return
    this.#refused = false
    this.#gate.drain(this)
  }

  end(): void {
    this.#flush()
    this.#open = false
  }

  /** What one turn sends goes out in one write. */
  #flush(): void {
    if (this.#waitingBytes === 0) return
    const chunk = new Uint8Array(this.#waitingBytes)
    let at = 0
    for (const encoded of this.#waiting.splice(0)) {
      chunk.set(encoded, at)
      at += encoded.length
    }
    this.#waitingBytes = 0
    this.#port.write(chunk)
  }
}
