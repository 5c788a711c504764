import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import {
  Admission,
  type AdmissionLimits,
  formatAddress,
  HostGate,
  type Listening,
  type Transport,
  TransportError,
  type TransportHost,
} from '@nexus/transport'
import { TcpConnection } from './connection.ts'
import { type ConnectionOptions, connectionSettings } from './options.ts'
import { SlabPool } from './slabs.ts'

const CHECK_MS = 1_000

export interface TcpServerOptions extends ConnectionOptions, AdmissionLimits {
  /** Address to listen on; default `::`, which takes IPv4 too, and `0.0.0.0` on a machine without IPv6. */
  readonly host?: string
  /** 0: any free port, then found in {@link TcpServer.address}. */
  readonly port: number
}

/** A listening transport; each accepted connection is an interface of its own. */
export interface TcpServer extends Transport {
  /** Where it listens: `[::]:4242`; undefined before `start` and after `stop`. */
  readonly address: string | undefined
  /** Connections that are open now. */
  readonly connections: number
}

/**
 * A TCP server whose connections carry HDLC frames (docs/spec/transports.md). Limits hold before anything is known of
 * a peer: connections in all and per remote network, time to the first frame and between frames, frame size.
 *
 * @throws {RangeError} for a setting that cannot work
 */
export function tcpServer(options: TcpServerOptions): TcpServer {
  const settings = connectionSettings(options)
  const name = `tcp:${formatAddress(options.host ?? '::', options.port)}`
  const admission = new Admission(options)
  const slabs = new SlabPool()
  const open = new Set<TcpConnection>()
  let server: Server | undefined
  let gate: HostGate | undefined
  let timer: NodeJS.Timeout | undefined
  let stopped = false

  function accept(socket: Socket, to: HostGate): void {
    const { remoteAddress, remotePort } = socket
    // Gone before it could be looked at.
    if (remoteAddress === undefined || remotePort === undefined) return void socket.destroy()
    const verdict = admission.admit(remoteAddress)
    if (verdict !== 'admitted') {
      socket.on('error', () => {})
      socket.resetAndDestroy()
      const why = whyRefused(verdict, admission.total, remoteAddress)
      return to.problem({ code: 'transport/limit', interfaceId: name, why })
    }
    const id = `tcp:${formatAddress(remoteAddress, remotePort)}`
    const connection = new TcpConnection(socket, id, { gate: to, settings, slabs })
    open.add(connection)
    void connection.closed.then(() => {
      open.delete(connection)
      admission.release(remoteAddress)
    })
    to.up(connection)
  }

  return {
    name,
    get address() {
      return server && addressOf(server)
    },
    get connections() {
      return open.size
    },
    get listening(): Listening | undefined {
      const { mtuBytes, bitrateBps } = settings
      return server && { address: addressOf(server), kind: 'tcp', mtuBytes, bitrateBps }
    },
    async start(host: TransportHost) {
      if (gate !== undefined) throw new TypeError('a transport starts once')
      const to = new HostGate(name, host)
      gate = to
      const listening = await listen(options, (socket) => accept(socket, to))
      if (stopped) return void listening.close()
      server = listening
      listening.on('error', (error: NodeJS.ErrnoException) => {
        to.problem({ code: 'transport/device', interfaceId: name, why: error.code ?? error.message })
      })
      timer = setInterval(() => checkAll(open), CHECK_MS)
      timer.unref()
    },
    async stop() {
      stopped = true
      clearInterval(timer)
      const listening = server
      server = undefined
      const ended = listening && new Promise((resolve) => listening.close(resolve))
      for (const connection of open) connection.shut('stopped')
      await Promise.all([ended, ...[...open].map((connection) => connection.closed)])
      gate?.shut()
    },
  }
}

function addressOf(listening: Server): string {
  const { address, port } = listening.address() as AddressInfo
  return formatAddress(address, port)
}

function checkAll(open: ReadonlySet<TcpConnection>): void {
  const nowMs = performance.now()
  for (const connection of open) connection.check(nowMs)
}

function whyRefused(verdict: 'full' | 'network-full', open: number, remoteAddress: string): string {
  return verdict === 'full' ? `${open} connections are open` : `too many connections from ${remoteAddress}`
}

/** Listens as told, or on IPv4 where no address was given and the machine has no IPv6. */
async function listen(options: TcpServerOptions, onSocket: (socket: Socket) => void): Promise<Server> {
  const hosts = options.host === undefined ? ['::', '0.0.0.0'] : [options.host]
  for (const host of hosts) {
    const server = createServer(onSocket)
    const error = await new Promise<NodeJS.ErrnoException | undefined>((resolve) => {
      server.once('error', resolve)
      server.listen({ host, port: options.port }, () => {
        server.removeListener('error', resolve)
        resolve(undefined)
      })
    })
    if (error === undefined) return server
    const noIpv6 = error.code === 'EAFNOSUPPORT' || error.code === 'EADDRNOTAVAIL'
    if (noIpv6 && host !== hosts.at(-1)) continue
    throw new TransportError({
      code: 'transport/bind',
      address: formatAddress(host, options.port),
      why: error.code ?? error.message,
    })
  }
  throw new Error('unreachable: the last host either listens or throws')
}
