import { connect, type Socket } from 'node:net'
import {
  Backoff,
  type BackoffOptions,
  CONNECT_MS_MAX,
  formatAddress,
  HostGate,
  parseAddress,
  STEADY_MS,
  type Transport,
  type TransportHost,
} from '@nexus/transport'
import { type MachineInterface, type NetworkWatch, watchNetwork } from '@nexus/transport/node'
import { TcpConnection } from './connection.ts'
import { type ConnectionOptions, type ConnectionSettings, connectionSettings } from './options.ts'
import { SlabPool } from './slabs.ts'

const CHECK_MS = 1_000

export interface TcpClientOptions extends ConnectionOptions, BackoffOptions {
  /** The server: `relay.example.org:4242`, `192.0.2.1:4242`, `[2001:db8::1]:4242`. */
  readonly address: string
  /** An attempt that takes longer has failed; default {@link CONNECT_MS_MAX}. */
  readonly connectMsMax?: number
  /** How often to look whether the machine's networks changed; 0: never, then {@link Transport.kick} tells. */
  readonly networkWatchMs?: number
}

/** A dialling transport: one interface, up while connected. */
export interface TcpClient extends Transport {
  /** Dials now instead of when the wait is over. */
  kick(): void
}

/**
 * A TCP connection that is kept: dialled, and dialled again with growing, jittered waits when it ends; at once when
 * the machine wakes or its networks change.
 *
 * @throws {TypeError} where the address is none
 * @throws {RangeError} for a setting that cannot work
 */
export function tcpClient(options: TcpClientOptions): TcpClient {
  return new Dialler(options)
}

class Dialler implements TcpClient {
  readonly name: string
  readonly #options: TcpClientOptions
  readonly #settings: ConnectionSettings
  readonly #host: string
  readonly #port: number
  readonly #backoff: Backoff
  readonly #slabs = new SlabPool()
  #gate: HostGate | undefined
  #watch: NetworkWatch | undefined
  #check: NodeJS.Timeout | undefined
  #retry: NodeJS.Timeout | undefined
  #attempt: { readonly socket: Socket; readonly ended: Promise<void> } | undefined
  #connection: TcpConnection | undefined
  #stopped = false

  constructor(options: TcpClientOptions) {
    const { host, port } = parseAddress(options.address)
    this.name = `tcp:${formatAddress(host, port)}`
    this.#host = host
    this.#port = port
    this.#options = options
    this.#settings = connectionSettings(options)
    this.#backoff = new Backoff(options)
  }

  async start(host: TransportHost): Promise<void> {
    if (this.#gate !== undefined) throw new TypeError('a transport starts once')
    this.#gate = new HostGate(this.name, host)
    const { networkWatchMs } = this.#options
    if (networkWatchMs !== 0) this.#watch = watchNetwork((machine) => this.#onNetworkChange(machine), networkWatchMs)
    this.#check = setInterval(() => this.#connection?.check(performance.now()), CHECK_MS)
    this.#check.unref()
    await this.#dial(this.#gate)
  }

  kick(): void {
    if (this.#gate === undefined || this.#stopped || this.#connection !== undefined) return
    this.#backoff.reset()
    // An attempt under way may wait for a network that is gone: its end dials anew, now with a short wait.
    if (this.#attempt !== undefined) this.#attempt.socket.destroy()
    else void this.#dial(this.#gate)
  }

  async stop(): Promise<void> {
    this.#stopped = true
    this.#watch?.stop()
    clearInterval(this.#check)
    clearTimeout(this.#retry)
    this.#attempt?.socket.destroy()
    this.#connection?.shut('stopped')
    await Promise.all([this.#attempt?.ended, this.#connection?.closed])
    this.#gate?.shut()
  }

  #onNetworkChange(machine: readonly MachineInterface[]): void {
    const local = this.#connection?.localHost
    if (local === undefined) this.kick()
    // All of 127/8 is the machine's own, listed or not.
    else if (!local.startsWith('127.') && !machine.some(({ addresses }) => addresses.includes(local))) {
      this.#backoff.reset()
      this.#connection?.fail('the network it used is gone')
    }
  }

  /** One attempt; resolves when it has succeeded or failed. */
  #dial(gate: HostGate): Promise<void> {
    clearTimeout(this.#retry)
    const socket = connect({ host: this.#host, port: this.#port })
    const ended = new Promise<void>((resolve) => {
      let why = 'closed'
      const { connectMsMax = CONNECT_MS_MAX } = this.#options
      const limit = setTimeout(() => socket.destroy(new Error(`no answer within ${connectMsMax} ms`)), connectMsMax)
      const onError = (error: NodeJS.ErrnoException) => {
        why = error.code ?? error.message
      }
      const onClose = () => {
        clearTimeout(limit)
        this.#attempt = undefined
        this.#retryLater(gate, why)
        resolve()
      }
      socket.on('error', onError)
      socket.on('close', onClose)
      socket.once('connect', () => {
        clearTimeout(limit)
        socket.removeListener('error', onError)
        socket.removeListener('close', onClose)
        this.#attempt = undefined
        this.#onConnected(gate, socket)
        resolve()
      })
    })
    this.#attempt = { socket, ended }
    return ended
  }

  #onConnected(gate: HostGate, socket: Socket): void {
    const sinceMs = performance.now()
    const connection = new TcpConnection(socket, this.name, { gate, settings: this.#settings, slabs: this.#slabs })
    this.#connection = connection
    void connection.closed.then(() => {
      this.#connection = undefined
      // A server that accepts and closes at once is not up: only a connection that held starts the waits anew.
      if (performance.now() - sinceMs >= STEADY_MS) this.#backoff.reset()
      this.#retryLater(gate, 'the connection ended')
    })
    gate.up(connection)
  }

  #retryLater(gate: HostGate, why: string): void {
    if (this.#stopped) return
    const retryMs = this.#backoff.nextMs()
    gate.problem({ code: 'transport/connect', address: this.name.slice('tcp:'.length), why, retryMs })
    this.#retry = setTimeout(() => void this.#dial(gate), retryMs)
  }
}
