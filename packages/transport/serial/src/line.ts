import { Backoff, type BackoffOptions, HostGate, STEADY_MS, type TransportHost } from '@nexus/transport'
import type { OpenSerialPort, SerialPort } from './port.ts'

export interface LineOptions extends BackoffOptions {
  /** The device: `/dev/ttyUSB0`, `COM3`. */
  readonly path: string
  readonly baudRate?: number
  /** How ports are opened; {@link openSerialPort} unless given. */
  readonly open: OpenSerialPort
}

/** What a transport does with its port. */
export interface LineOwner {
  opened(port: SerialPort): void
  data(bytes: Uint8Array): void
  written(): void
  /** The port is gone or was given up; it is opened anew after a while. */
  lost(why: string): void
}

/** A serial port that is kept open: opened again, with growing waits, when it goes or is of no use. */
export class Line {
  readonly #options: LineOptions
  readonly #gate: HostGate
  readonly #owner: LineOwner
  readonly #backoff: Backoff
  #port: SerialPort | undefined
  #openedMs = Number.POSITIVE_INFINITY
  #attempt: Promise<void> | undefined
  #retry: ReturnType<typeof setTimeout> | undefined
  #closing: Promise<void> | undefined
  #stopped = false

  constructor(name: string, options: LineOptions, host: TransportHost, owner: (gate: HostGate) => LineOwner) {
    this.#options = options
    this.#gate = new HostGate(name, host)
    this.#owner = owner(this.#gate)
    this.#backoff = new Backoff(options)
  }

  get gate(): HostGate {
    return this.#gate
  }

  /** One attempt to open the port; resolves when it has succeeded or failed. */
  open(): Promise<void> {
    clearTimeout(this.#retry)
    this.#attempt = this.#tryOpen().finally(() => {
      this.#attempt = undefined
    })
    return this.#attempt
  }

  /** Tries now instead of when the wait is over. */
  kick(): void {
    if (this.#stopped || this.#port !== undefined || this.#attempt !== undefined || this.#closing !== undefined) return
    this.#backoff.reset()
    void this.open()
  }

  /** Gives the port up for `why`, and opens it anew after a while. */
  async giveUp(why: string): Promise<void> {
    const port = this.#port
    if (port === undefined) return
    this.#port = undefined
    this.#owner.lost(why)
    this.#closing = port.close()
    await this.#closing
    this.#closing = undefined
    this.#openLater(why)
  }

  async stop(): Promise<void> {
    this.#stopped = true
    clearTimeout(this.#retry)
    const port = this.#port
    this.#port = undefined
    if (port !== undefined) this.#owner.lost('stopped')
    await Promise.all([port?.close(), this.#attempt, this.#closing])
    this.#gate.shut()
  }

  async #tryOpen(): Promise<void> {
    const { path, baudRate = 115_200, open } = this.#options
    let gone: string | undefined
    try {
      const port = await open(path, baudRate, {
        data: (bytes) => this.#owner.data(bytes),
        written: () => this.#owner.written(),
        closed: (why) => {
          gone = why
          if (this.#port === undefined) return
          this.#port = undefined
          this.#owner.lost(why)
          this.#openLater(why)
        },
      })
      if (this.#stopped) {
        await port.close()
      } else if (gone === undefined) {
        this.#port = port
        this.#openedMs = performance.now()
        this.#owner.opened(port)
      } else {
        this.#openLater(gone)
      }
    } catch (error) {
      this.#openLater(error instanceof Error ? error.message : String(error))
    }
  }

  #openLater(why: string): void {
    if (this.#stopped) return
    // A device that comes and goes is not well: only a port that held starts the waits anew.
    if (performance.now() - this.#openedMs >= STEADY_MS) this.#backoff.reset()
    this.#openedMs = Number.POSITIVE_INFINITY
    const retryMs = this.#backoff.nextMs()
    this.#gate.problem({ code: 'transport/connect', address: this.#options.path, why, retryMs })
    this.#retry = setTimeout(() => void this.open(), retryMs)
  }
}
