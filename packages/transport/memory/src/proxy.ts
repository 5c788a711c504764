/** Proxies that stand between two real sockets and treat what passes as a bad network would. For tests, on Node. */

import { createSocket, type Socket as DatagramSocket } from 'node:dgram'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { formatAddress, parseAddress } from '@nexus/transport'
import { Dice } from './dice.ts'
import { checkImpairment, type FaultCounts, type Impairment, noFaults } from './impairment.ts'
import { Line, type Weather } from './line.ts'

export type { FaultCounts, Impairment } from './impairment.ts'
export { RETRANSMIT_MS } from './line.ts'

/** Sources that one proxy serves; those beyond get nothing. */
export const PROXY_CLIENTS_MAX = 256
/** Bytes that wait in one direction before a UDP proxy loses, and a TCP proxy stops reading. */
export const PROXY_QUEUE_BYTES_MAX = 262_144

export interface ProxyOptions {
  /** Where to pass things on to: `127.0.0.1:4242`. */
  readonly target: string
  /** Default: none. */
  readonly impairment?: Impairment
  /** Bit/s in each direction of each client; default: no limit. */
  readonly bitrateBps?: number
  /** Default {@link PROXY_QUEUE_BYTES_MAX}. */
  readonly queueBytesMax?: number
  /** Of all that is drawn; default 0. */
  readonly seed?: number
}

export interface Proxy {
  /** Where it listens, on loopback. */
  readonly address: string
  readonly counts: Readonly<FaultCounts>
  /** What comes in from now on suffers. */
  impair(impairment: Impairment): void
  /** Nothing comes in from now on, and nobody is told: a dead cable. What is under way still arrives. */
  cut(): void
  heal(): void
  close(): Promise<void>
}

/** A TCP proxy can also end what passes through it. */
export interface TcpProxy extends Proxy {
  /** Resets all connections; new ones are taken. */
  reset(): void
}

/** Passes datagrams on. Each source gets a socket of its own, as behind a NAT. */
export async function udpProxy(options: ProxyOptions): Promise<Proxy> {
  const target = parseAddress(options.target)
  const type = target.host.includes(':') ? 'udp6' : 'udp4'
  const home = type === 'udp6' ? '::1' : '127.0.0.1'
  const weather = weatherOf(options)
  const clients = new Map<string, { readonly socket: DatagramSocket; readonly up: Line; readonly down: Line }>()
  let passes = true
  const front = createSocket(type)
  await new Promise<void>((resolve) => front.bind(0, home, resolve))

  function admit(source: string, address: string, port: number) {
    const client = { socket: createSocket(type), up: new Line(weather), down: new Line(weather) }
    client.socket.on('message', (answer) => {
      if (passes) client.down.putDatagram(answer, (copy) => front.send(copy, port, address))
    })
    clients.set(source, client)
    return client
  }
  front.on('message', (bytes, { address, port }) => {
    const source = formatAddress(address, port)
    if (!passes || (clients.size >= PROXY_CLIENTS_MAX && !clients.has(source))) return
    const { socket, up } = clients.get(source) ?? admit(source, address, port)
    up.putDatagram(bytes, (copy) => socket.send(copy, target.port, target.host))
  })

  return {
    address: formatAddress(home, front.address().port),
    counts: weather.counts,
    impair(impairment) {
      weather.impairment = checkImpairment(impairment)
    },
    cut() {
      passes = false
    },
    heal() {
      passes = true
    },
    async close() {
      const sockets = [front]
      for (const { socket, up, down } of clients.values()) {
        up.close()
        down.close()
        sockets.push(socket)
      }
      await Promise.all(sockets.map((socket) => new Promise<void>((resolve) => socket.close(() => resolve()))))
    },
  }
}

/**
 * Passes TCP connections on, chunk by chunk. What a stream can't suffer becomes what it does: a lost chunk is
 * {@link RETRANSMIT_MS} late, nothing is doubled or overtaken. Flipped bits do pass: TCP's checksum misses some.
 */
export async function tcpProxy(options: ProxyOptions): Promise<TcpProxy> {
  const proxy = new StreamProxy(options)
  await proxy.listen()
  return proxy
}

class StreamProxy implements TcpProxy {
  readonly #host: string
  readonly #port: number
  readonly #weather: Weather
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  #passes = true
  #address = ''

  constructor(options: ProxyOptions) {
    const { host, port } = parseAddress(options.target)
    this.#host = host
    this.#port = port
    this.#weather = weatherOf(options)
    this.#server = createServer({ allowHalfOpen: true }, (front) => this.#accept(front))
  }

  get address(): string {
    return this.#address
  }

  get counts(): Readonly<FaultCounts> {
    return this.#weather.counts
  }

  async listen(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
    const at = this.#server.address()
    if (at === null || typeof at === 'string') throw new Error('a listening TCP server has a port')
    this.#address = formatAddress(at.address, at.port)
  }

  impair(impairment: Impairment): void {
    this.#weather.impairment = checkImpairment(impairment)
  }

  cut(): void {
    this.#passes = false
    for (const socket of this.#sockets) socket.pause()
  }

  heal(): void {
    this.#passes = true
    for (const socket of this.#sockets) socket.resume()
  }

  reset(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy()
  }

  async close(): Promise<void> {
    this.reset()
    await new Promise<void>((resolve) => this.#server.close(() => resolve()))
  }

  #accept(front: Socket): void {
    if (this.#sockets.size >= 2 * PROXY_CLIENTS_MAX) return void front.destroy()
    const back = connect({ host: this.#host, port: this.#port, allowHalfOpen: true })
    this.#pass(front, back)
    this.#pass(back, front)
  }

  #pass(from: Socket, to: Socket): void {
    const line = new Line(this.#weather)
    const { queueBytesMax } = this.#weather
    this.#sockets.add(from)
    from.setNoDelay(true)
    from.on('data', (chunk) => {
      line.putPiece(
        chunk,
        (copy) => to.write(copy),
        () => {
          if (this.#passes && line.waitingBytes <= queueBytesMax / 2) from.resume()
        },
      )
      if (line.waitingBytes > queueBytesMax) from.pause()
    })
    let ended = false
    from.on('end', () => {
      ended = true
      line.putPiece(
        new Uint8Array(0),
        () => to.end(),
        () => {},
      )
    })
    // The reason does not matter: either end's death is the other's.
    from.on('error', () => {})
    from.on('close', () => {
      this.#sockets.delete(from)
      // After an orderly end what is under way still arrives, and then the end itself.
      if (!ended) to.destroy()
    })
    to.on('close', () => line.close())
    if (!this.#passes) from.pause()
  }
}

function weatherOf(options: ProxyOptions): Weather {
  return {
    impairment: checkImpairment(options.impairment ?? {}),
    bitrateBps: options.bitrateBps ?? Number.POSITIVE_INFINITY,
    queueBytesMax: options.queueBytesMax ?? PROXY_QUEUE_BYTES_MAX,
    dice: new Dice(options.seed ?? 0),
    counts: noFaults(),
  }
}
