import { connect, type Socket } from 'node:net'
import { Backoff, type BackoffOptions, TransportError } from '@nexus/transport'
import { type AirControl, AirDecoder, type AirMessage, encodeAirMessage } from './air-message.ts'
import { AirError } from './errors.ts'
import { STATION_QUEUE_BYTES_MAX } from './limits.ts'
import type { AirControls, AirListener, AirPlug, AirPort } from './port.ts'
import type { RadioSettings } from './radio.ts'
import { radioBytes } from './split.ts'

export interface AirAddress {
  /** Port of an {@link AirServer} on the loopback. */
  readonly port: number
  readonly token: string
}

export interface RemoteAirOptions extends AirAddress, BackoffOptions {}

/** The air of another process. A radio plugged in stays so: when the server goes and returns, it joins again. */
export function remoteAir(options: RemoteAirOptions): AirPort {
  return { plug: (radio, settings, listener) => new RemotePlug(options, radio, settings, listener) }
}

class RemotePlug implements AirPlug {
  readonly #options: RemoteAirOptions
  readonly #join: AirMessage
  readonly #listener: AirListener
  readonly #backoff: Backoff
  readonly #waiting: number[] = []
  #queuedBytes = 0
  #socket: Socket | undefined
  #retry: NodeJS.Timeout | undefined
  #up = false
  #left = false

  constructor(options: RemoteAirOptions, radio: string, settings: Partial<RadioSettings>, listener: AirListener) {
    this.#options = options
    this.#join = { kind: 'join', token: options.token, radio, settings }
    this.#listener = listener
    this.#backoff = new Backoff(options)
    this.#dial()
  }

  get queuedBytes(): number {
    return this.#queuedBytes
  }

  send(frame: Uint8Array): boolean {
    const bytes = radioBytes(frame.length)
    if (!this.#up || this.#socket === undefined || this.#queuedBytes + bytes > STATION_QUEUE_BYTES_MAX) return false
    this.#socket.write(encodeAirMessage({ kind: 'send', frame }))
    this.#waiting.push(bytes)
    this.#queuedBytes += bytes
    return true
  }

  kick(): void {
    if (this.#left || this.#socket !== undefined) return
    this.#backoff.reset()
    this.#dial()
  }

  async unplug(): Promise<void> {
    this.#left = true
    clearTimeout(this.#retry)
    const socket = this.#socket
    if (socket === undefined) return
    await new Promise<void>((resolve) => {
      socket.once('close', () => resolve())
      socket.destroy()
    })
  }

  #dial(): void {
    clearTimeout(this.#retry)
    const decoder = new AirDecoder()
    const socket = connect({ host: '127.0.0.1', port: this.#options.port, noDelay: true })
    let why = 'the air server closed the connection'
    this.#socket = socket
    socket.on('connect', () => socket.write(encodeAirMessage(this.#join)))
    socket.on('error', (error: NodeJS.ErrnoException) => {
      why = error.code ?? error.message
    })
    socket.on('data', (chunk: Buffer) => {
      try {
        for (const message of decoder.push(chunk)) {
          if (message.kind === 'refused') why = message.reason
          else if (!this.#left) this.#onMessage(message)
        }
      } catch (error) {
        if (!(error instanceof AirError)) throw error
        why = error.message
        socket.destroy()
      }
    })
    socket.on('close', () => {
      this.#socket = undefined
      this.#down(why)
      if (!this.#left) this.#dialLater(why)
    })
  }

  #onMessage(message: AirMessage): void {
    if (message.kind === 'up') {
      this.#up = true
      this.#backoff.reset()
      this.#listener.up(message.speed)
    } else if (message.kind === 'down') {
      this.#down(message.reason)
    } else if (message.kind === 'heard') {
      this.#listener.frame(message.frame, message)
    } else if (message.kind === 'done') {
      this.#queuedBytes -= this.#waiting.shift() ?? 0
      this.#listener.done(message.outcome)
    }
  }

  #down(reason: string): void {
    this.#waiting.length = 0
    this.#queuedBytes = 0
    if (!this.#up) return
    this.#up = false
    if (!this.#left) this.#listener.down(reason)
  }

  #dialLater(why: string): void {
    const retryMs = this.#backoff.nextMs()
    const address = `127.0.0.1:${this.#options.port}`
    this.#listener.problem({ code: 'transport/connect', address, why, retryMs })
    this.#retry = setTimeout(() => this.#dial(), retryMs)
  }
}

/** Controls of another process's air. A control that the air refuses, or a lost connection, is told to `onProblem`. */
export interface RemoteControls extends AirControls {
  /** Resolves when the server has carried out all controls given so far. @throws {TransportError} where it did not */
  settled(): Promise<void>
  close(): void
}

export function connectControls(address: AirAddress): RemoteControls {
  return new ControlClient(address)
}

class ControlClient implements RemoteControls {
  readonly #socket: Socket
  readonly #waiters: { readonly at: number; resolve(): void; reject(error: TransportError): void }[] = []
  #given = 1
  #accepted = 0
  #failure: TransportError | undefined

  constructor({ port, token }: AirAddress) {
    const address = `127.0.0.1:${port}`
    const decoder = new AirDecoder()
    let why = 'the air server closed the connection'
    this.#socket = connect({ host: '127.0.0.1', port, noDelay: true })
    this.#socket.write(encodeAirMessage({ kind: 'attach-controls', token }))
    this.#socket.on('error', (error: NodeJS.ErrnoException) => {
      why = error.code ?? error.message
    })
    this.#socket.on('data', (chunk: Buffer) => {
      try {
        for (const message of decoder.push(chunk)) {
          if (message.kind === 'refused') why = message.reason
          if (message.kind === 'accepted') this.#onAccepted()
        }
      } catch (error) {
        if (!(error instanceof AirError)) throw error
        why = error.message
        this.#socket.destroy()
      }
    })
    this.#socket.on('close', () => {
      this.#failure = new TransportError({ code: 'transport/device', interfaceId: `lora:${address}`, why })
      for (const waiter of this.#waiters.splice(0)) waiter.reject(this.#failure)
    })
  }

  setPosition(radio: string, position: { readonly xMeters: number; readonly yMeters: number }): void {
    this.#give({ kind: 'position', radio, position })
  }

  setPathLoss(from: string, to: string, lossDb: number | undefined, direction: 'both' | 'forward' = 'both'): void {
    const loss = lossDb === Number.POSITIVE_INFINITY ? 'off' : (lossDb ?? null)
    this.#give({ kind: 'path-loss', from, to, lossDb: loss, direction })
  }

  setOn(radio: string, on: boolean): void {
    this.#give({ kind: 'on', radio, on })
  }

  setLossRatio(lossRatio: number): void {
    this.#give({ kind: 'loss-ratio', lossRatio })
  }

  settled(): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#failure !== undefined) reject(this.#failure)
      else if (this.#accepted >= this.#given) resolve()
      else this.#waiters.push({ at: this.#given, resolve, reject })
    })
  }

  close(): void {
    this.#socket.destroy()
  }

  #give(control: AirControl): void {
    this.#given++
    if (this.#socket.writable) this.#socket.write(encodeAirMessage({ kind: 'control', control }))
  }

  #onAccepted(): void {
    this.#accepted++
    while (this.#waiters[0] !== undefined && this.#waiters[0].at <= this.#accepted) this.#waiters.shift()!.resolve()
  }
}
