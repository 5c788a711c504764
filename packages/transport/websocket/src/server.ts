/** The server side of WebSocket interfaces, on Node: its own HTTP server, or one that is there already. */

import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { Server as SecureServer } from 'node:https'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import {
  Admission,
  type AdmissionLimits,
  CONNECTIONS_MAX,
  CONNECTIONS_PER_NETWORK_MAX,
  FIRST_FRAME_MS,
  formatAddress,
  HostGate,
  IDLE_MS,
  type Listening,
  STALL_MS,
  type Transport,
  TransportError,
  type TransportHost,
} from '@nexus/transport'
import { WebSocketServer as Handshaker, type WebSocket } from 'ws'
import { type ConnectionLimits, WebSocketConnection } from './connection.ts'
import { factsOf, settingsOf, type WebSocketOptions } from './options.ts'

const CHECK_MS = 1_000
/** How long a client may take to send its request. */
const REQUEST_MS_MAX = 10_000

export interface WebSocketServerOptions extends WebSocketOptions, AdmissionLimits {
  /** Where to listen with a server of its own: host (default `::`, which takes IPv4 too) and port (0: any free one). */
  readonly listen?: { readonly host?: string; readonly port: number }
  /** Or the server that is there already; it keeps what is not for {@link path}, and is not closed at `stop`. */
  readonly server?: Server | SecureServer
  /** Path of the URL; default `/`. */
  readonly path?: string
  /**
   * Web pages that may connect: origins such as `https://app.example.org`. Default: any, for a link authenticates its
   * peer and a page has no credentials to abuse. A client that is no browser sends no origin and is always taken.
   */
  readonly origins?: readonly string[]
  /** A new connection without a frame for so long is closed; default {@link FIRST_FRAME_MS}. */
  readonly firstFrameMs?: number
  /** A connection without a frame for so long is closed; default {@link IDLE_MS}, `Infinity` for never. */
  readonly idleMs?: number
  /** A connection that takes none of the bytes that wait for so long is closed; default {@link STALL_MS}. */
  readonly stallMs?: number
}

/** A listening transport; each accepted connection is an interface of its own. */
export interface WebSocketServer extends Transport {
  /** Where its own server listens: `[::]:8080`; undefined before `start`, after `stop`, and on another's server. */
  readonly address: string | undefined
  /** Connections that are open now. */
  readonly connections: number
}

/**
 * A WebSocket server whose connections carry a frame in each binary message (docs/spec/transports.md).
 *
 * @throws {TypeError} unless exactly one of `listen` and `server` is given
 * @throws {RangeError} for a setting that cannot work
 */
export function webSocketServer(options: WebSocketServerOptions): WebSocketServer {
  if ((options.listen === undefined) === (options.server === undefined)) throw new TypeError('give listen or server')
  return new Listener(options)
}

class Listener implements WebSocketServer {
  readonly name: string
  readonly #options: WebSocketServerOptions
  readonly #settings: Required<WebSocketOptions>
  readonly #limits: ConnectionLimits
  readonly #path: string
  readonly #admission: Admission
  readonly #arrivals: Admission
  readonly #open = new Set<WebSocketConnection>()
  readonly #handshaker: Handshaker
  #gate: HostGate | undefined
  #own: Server | undefined
  #check: NodeJS.Timeout | undefined
  #stopped = false

  constructor(options: WebSocketServerOptions) {
    this.#options = options
    this.#settings = settingsOf(options)
    this.#path = options.path ?? '/'
    this.#limits = {
      queueBytesMax: this.#settings.queueBytesMax,
      firstFrameMs: options.firstFrameMs ?? FIRST_FRAME_MS,
      idleMs: options.idleMs ?? IDLE_MS,
      stallMs: options.stallMs ?? STALL_MS,
    }
    const at = options.listen ? formatAddress(options.listen.host ?? '::', options.listen.port) : 'attached'
    this.name = `websocket:${at}${this.#path}`
    this.#admission = new Admission(options)
    const { connectionsMax = CONNECTIONS_MAX, connectionsPerNetworkMax = CONNECTIONS_PER_NETWORK_MAX } = options
    this.#arrivals = new Admission({
      connectionsMax: 2 * connectionsMax,
      connectionsPerNetworkMax: 2 * connectionsPerNetworkMax,
    })
    this.#handshaker = new Handshaker({
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      maxPayload: this.#settings.mtuBytes,
      maxFragments: 64,
    })
  }

  get address(): string | undefined {
    const at = this.#own?.address()
    return at && typeof at === 'object' ? formatAddress(at.address, at.port) : undefined
  }

  get connections(): number {
    return this.#open.size
  }

  get listening(): Listening | undefined {
    const at = this.address
    const { mtuBytes, bitrateBps } = this.#settings
    return at === undefined ? undefined : { address: at + this.#path, kind: 'websocket', mtuBytes, bitrateBps }
  }

  async start(host: TransportHost): Promise<void> {
    if (this.#gate !== undefined) throw new TypeError('a transport starts once')
    this.#gate = new HostGate(this.name, host)
    const { server, listen } = this.#options
    if (server !== undefined) server.on('upgrade', this.#onUpgrade)
    else if (listen !== undefined) {
      const own = await this.#listen(listen)
      if (this.#stopped) {
        own.close()
        return
      }
      this.#own = own
    }
    this.#check = setInterval(() => {
      const nowMs = performance.now()
      for (const connection of this.#open) connection.check(nowMs)
    }, CHECK_MS)
    this.#check.unref()
  }

  async stop(): Promise<void> {
    this.#stopped = true
    clearInterval(this.#check)
    this.#options.server?.removeListener('upgrade', this.#onUpgrade)
    const own = this.#own
    this.#own = undefined
    const ended = own && new Promise<void>((resolve) => own.close(() => resolve()))
    own?.closeAllConnections()
    for (const connection of this.#open) connection.shut('stopped')
    await Promise.all([ended, ...[...this.#open].map(({ closed }) => closed)])
    this.#gate?.shut()
  }

  /** Bounds what has not asked for a WebSocket yet: twice the places, so that the full are told so. */
  #onArrival(socket: Socket): void {
    const host = socket.remoteAddress
    if (host === undefined || this.#arrivals.admit(host) !== 'admitted') return void socket.destroy()
    socket.once('close', () => this.#arrivals.release(host))
  }

  readonly #onUpgrade = (request: IncomingMessage, stream: Duplex, head: Buffer): void => {
    const gate = this.#gate
    const socket = stream as Socket
    const path = (request.url ?? '').split('?', 1)[0]
    if (path !== this.#path) {
      // On another's server the path may be someone else's, if there is someone else.
      if ((this.#options.server?.listenerCount('upgrade') ?? 1) === 1) refuse(socket, '404 Not Found')
      return
    }
    const { remoteAddress, remotePort } = socket
    if (gate === undefined || remoteAddress === undefined || remotePort === undefined) return void socket.destroy()
    const { origin } = request.headers
    const { origins } = this.#options
    if (origins !== undefined && origin !== undefined && !origins.includes(origin)) {
      refuse(socket, '403 Forbidden')
      return
    }
    if (this.#admission.admit(remoteAddress) !== 'admitted') {
      gate.problem({ code: 'transport/limit', interfaceId: this.name, why: `no room for ${remoteAddress}` })
      refuse(socket, '503 Service Unavailable')
      return
    }
    // Counted from here on, whether the handshake succeeds or not.
    socket.once('close', () => this.#admission.release(remoteAddress))
    const id = `websocket:${formatAddress(remoteAddress, remotePort)}`
    this.#handshaker.handleUpgrade(request, socket, head, (webSocket) => this.#accept(gate, webSocket, socket, id))
  }

  #accept(gate: HostGate, webSocket: WebSocket, socket: Socket, id: string): void {
    socket.setNoDelay(true)
    const connection = new WebSocketConnection(webSocket, socket, factsOf(id, this.#settings), gate, this.#limits)
    this.#open.add(connection)
    void connection.closed.then(() => this.#open.delete(connection))
    gate.up(connection)
  }

  async #listen(at: { readonly host?: string; readonly port: number }): Promise<Server> {
    const server = createServer({ connectionsCheckingInterval: CHECK_MS }, (_request, response) => {
      response.writeHead(426, { Connection: 'close', 'Content-Length': 0, Upgrade: 'websocket' }).end()
    })
    server.headersTimeout = REQUEST_MS_MAX
    server.requestTimeout = REQUEST_MS_MAX
    server.on('connection', (socket) => this.#onArrival(socket))
    server.on('upgrade', this.#onUpgrade)
    await new Promise<void>((resolve, reject) => {
      const onError = (error: NodeJS.ErrnoException) => {
        const address = formatAddress(at.host ?? '::', at.port)
        reject(new TransportError({ code: 'transport/bind', address, why: error.code ?? error.message }))
      }
      server.once('error', onError)
      // Without a host Node takes `::`, or IPv4 alone on a machine without IPv6.
      server.listen({ port: at.port, ...(at.host === undefined ? {} : { host: at.host }) }, () => {
        server.removeListener('error', onError)
        resolve()
      })
    })
    server.on('error', (error) => {
      this.#gate?.problem({ code: 'transport/device', interfaceId: this.name, why: error.message })
    })
    return server
  }
}

function refuse(socket: Socket, status: string): void {
  socket.on('error', () => socket.destroy())
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`, () => socket.destroy())
}
