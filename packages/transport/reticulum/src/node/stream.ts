import { createServer, connect as dial, type NetConnectOpts, type Server, type Socket } from 'node:net'
import {
  Admission,
  Backoff,
  formatAddress,
  HostGate,
  type Interface,
  type InterfaceFacts,
  parseAddress,
  QUEUE_BYTES_MAX,
  type Transport,
  TransportError,
  type TransportHost,
} from '@nexus/transport'
import type { LineFraming } from '@nexus/transport-serial'
import { HDLC_FRAMING, KISS_FRAMING } from './framing.ts'

/** Largest frame that is taken from a stream. */
const FRAME_BYTES_MAX = 32_767

export interface StreamOptions {
  readonly bitrateBps: number
}

interface FramedOptions extends StreamOptions {
  readonly framing: LineFraming
}

/** A TCP connection with KISS framing, made anew whenever it is lost. */
export function kissTcpClient(address: string, options: StreamOptions): Transport {
  const at = parseAddress(address)
  return new StreamClient(`tcp:${address}`, address, at, { ...options, framing: KISS_FRAMING })
}

/** A Unix socket with HDLC framing; a name that begins with a zero byte is one of Linux without a file. */
export function unixSocketClient(path: string, options: StreamOptions): Transport {
  const printable = path.replace('\0', '@')
  return new StreamClient(`unix:${printable}`, printable, { path }, { ...options, framing: HDLC_FRAMING })
}

/** A listening transport; each connection that is accepted is an interface. */
export interface KissTcpServer extends Transport {
  readonly address: string | undefined
}

/** A TCP server whose connections carry KISS frames. */
export function kissTcpServer(
  listen: { readonly host?: string; readonly port: number },
  options: StreamOptions,
): KissTcpServer {
  return new KissTcpServerTransport(listen, { ...options, framing: KISS_FRAMING })
}

class StreamClient implements Transport {
  readonly name: string
  readonly #address: string
  readonly #at: NetConnectOpts
  readonly #options: FramedOptions
  readonly #backoff = new Backoff()
  #gate: HostGate | undefined
  #connection: StreamConnection | undefined
  #timer: NodeJS.Timeout | undefined
  #stopped = false

  constructor(name: string, address: string, at: NetConnectOpts, options: FramedOptions) {
    this.name = name
    this.#address = address
    this.#at = at
    this.#options = options
  }

  async start(host: TransportHost): Promise<void> {
    if (this.#gate !== undefined) throw new TypeError('a transport starts once')
    const gate = new HostGate(this.name, host)
    this.#gate = gate
    await this.#attempt(gate)
  }

  async stop(): Promise<void> {
    this.#stopped = true
    clearTimeout(this.#timer)
    await this.#connection?.close()
    this.#gate?.shut()
  }

  /** Resolves when the first attempt was made. */
  #attempt(gate: HostGate): Promise<void> {
    return new Promise((resolve) => {
      const socket = dial(this.#at)
      const retry = (why: string) => {
        resolve()
        if (this.#stopped) return
        const retryMs = this.#backoff.nextMs()
        gate.problem({ code: 'transport/connect', address: this.#address, why, retryMs })
        this.#timer = setTimeout(() => void this.#attempt(gate), retryMs)
      }
      const failed = (error: NodeJS.ErrnoException) => retry(error.code ?? error.message)
      socket.once('error', failed)
      socket.once('connect', () => {
        socket.removeListener('error', failed)
        if (this.#stopped) return void socket.destroy()
        this.#backoff.reset()
        this.#connection = new StreamConnection(socket, this.name, gate, this.#options)
        void this.#connection.closed.then(() => retry('closed'))
        resolve()
      })
    })
  }
}

class KissTcpServerTransport implements KissTcpServer {
  readonly name: string
  readonly #listen: { readonly host?: string; readonly port: number }
  readonly #options: FramedOptions
  readonly #admission = new Admission()
  readonly #open = new Set<StreamConnection>()
  #server: Server | undefined
  #gate: HostGate | undefined

  constructor(listen: { readonly host?: string; readonly port: number }, options: FramedOptions) {
    this.name = `tcp:${formatAddress(listen.host ?? '::', listen.port)}`
    this.#listen = listen
    this.#options = options
  }

  get address(): string | undefined {
    const at = this.#server?.address()
    return at && typeof at === 'object' ? formatAddress(at.address, at.port) : undefined
  }

  async start(host: TransportHost): Promise<void> {
    if (this.#gate !== undefined) throw new TypeError('a transport starts once')
    const gate = new HostGate(this.name, host)
    this.#gate = gate
    const server = createServer((socket) => this.#accept(socket, gate))
    await new Promise<void>((resolve, reject) => {
      server.once('error', (error: NodeJS.ErrnoException) => {
        reject(new TransportError({ code: 'transport/bind', address: this.name, why: error.code ?? error.message }))
      })
      server.listen(this.#listen, resolve)
    })
    this.#server = server
  }

  async stop(): Promise<void> {
    const server = this.#server
    this.#server = undefined
    const ended = server && new Promise((resolve) => server.close(resolve))
    await Promise.all([ended, ...[...this.#open].map((connection) => connection.close())])
    this.#gate?.shut()
  }

  #accept(socket: Socket, gate: HostGate): void {
    const { remoteAddress, remotePort } = socket
    if (
      remoteAddress === undefined ||
      remotePort === undefined ||
      this.#admission.admit(remoteAddress) !== 'admitted'
    ) {
      socket.on('error', () => {})
      socket.destroy()
      return
    }
    const connection = new StreamConnection(
      socket,
      `tcp:${formatAddress(remoteAddress, remotePort)}`,
      gate,
      this.#options,
    )
    this.#open.add(connection)
    void connection.closed.then(() => {
      this.#open.delete(connection)
      this.#admission.release(remoteAddress)
    })
  }
}

class StreamConnection implements Interface {
  readonly facts: InterfaceFacts
  readonly closed: Promise<void>
  readonly #socket: Socket
  readonly #gate: HostGate
  readonly #framing: LineFraming
  #refused = false

  constructor(socket: Socket, id: string, gate: HostGate, { bitrateBps, framing }: FramedOptions) {
    this.#socket = socket
    this.#gate = gate
    this.#framing = framing
    this.facts = {
      id,
      kind: 'tcp',
      mtuBytes: FRAME_BYTES_MAX,
      bitrateBps,
      duplex: 'full',
      dutyCycle: 1,
      reach: 'point',
      addressed: false,
    }
    const decoder = framing.decoder({
      frameBytesMax: FRAME_BYTES_MAX,
      onFrame: (frame) => gate.frame(this, frame),
      onFault: (fault) => {
        gate.problem({ code: 'transport/framing', interfaceId: id, why: `a frame was dropped: ${fault}` })
      },
    })
    let why = 'closed by the peer'
    socket.setNoDelay(true)
    socket.on('error', (error: NodeJS.ErrnoException) => {
      why = error.code ?? error.message
    })
    this.closed = new Promise((resolve) => {
      socket.once('close', () => {
        gate.down(this, why)
        resolve()
      })
    })
    gate.up(this)
    socket.on('data', (chunk) => decoder.push(chunk as Uint8Array))
    socket.on('drain', () => {
      if (this.#refused) gate.drain(this)
      this.#refused = false
    })
  }

  get queuedBytes(): number {
    return this.#socket.writableLength
  }

  send(frame: Uint8Array): boolean {
    if (this.#socket.destroyed) return false
    const { id: interfaceId, mtuBytes } = this.facts
    if (frame.length === 0 || frame.length > mtuBytes) {
      this.#gate.problem({ code: 'transport/frame-size', interfaceId, bytes: frame.length, mtuBytes })
      return false
    }
    if (this.queuedBytes > QUEUE_BYTES_MAX) {
      this.#refused = true
      return false
    }
    this.#socket.write(this.#framing.encode(frame))
    return true
  }

  async close(): Promise<void> {
    this.#socket.destroy()
    await this.closed
  }
}
