import type { Socket } from 'node:dgram'
import {
  FRAME_BYTES_MIN,
  formatAddress,
  HostGate,
  type Interface,
  type InterfaceFacts,
  NETWORK_WATCH_MS,
  type Transport,
  type TransportHost,
} from '@nexus/transport'
import { type MachineInterface, machineInterfaces, type NetworkWatch, watchNetwork } from '@nexus/transport/node'
import { Group, type GroupOptions } from './group.ts'
import {
  BITRATE_BPS,
  GREETING_MS,
  GREETINGS,
  MTU_BYTES,
  QUEUE_BYTES_MAX,
  SEND_BUFFER_BELOW_BPS,
  SEND_BUFFER_BYTES_MIN,
  SEND_BUFFER_MS,
} from './limits.ts'
import { Outbox } from './outbox.ts'
import { Peers } from './peers.ts'
import { openSocket } from './socket.ts'

export interface UdpOptions {
  /** Address to bind; default `::`, which takes IPv4 too, and `0.0.0.0` on a machine without IPv6. */
  readonly host?: string
  /** 0: any free port, then found in {@link UdpTransport.address}. */
  readonly port: number
  /** Peers that a frame without address goes to: `192.0.2.1:4242`, `[fe80::1%eth0]:4242`, `relay.example.org:4242`. */
  readonly peers?: readonly string[]
  /** How often the names of peers are looked up again, in ms; default {@link RESOLVE_MS}. */
  readonly resolveMs?: number
  /** Discovery by IPv6 link-local multicast; `false` turns it off. */
  readonly multicast?: GroupOptions | false
  /** How often to look whether the machine's networks changed, in ms; default {@link NETWORK_WATCH_MS}. */
  readonly networkWatchMs?: number
  /** Largest frame, also the largest datagram that is handed on; default {@link MTU_BYTES}. */
  readonly mtuBytes?: number
  /** Nominal bit/s; default {@link BITRATE_BPS}. */
  readonly bitrateBps?: number
  /** Bytes that may wait for the kernel; default {@link QUEUE_BYTES_MAX}. */
  readonly queueBytesMax?: number
}

/** One socket, one shared and addressed interface. */
export interface UdpTransport extends Transport {
  /** Where it is bound: `[::]:4242`; undefined before `start` and after `stop`. */
  readonly address: string | undefined
  /** Looks names up and greets again now. */
  kick(): void
}

/**
 * Frames as datagrams (docs/spec/transports.md). A frame without address goes to all configured peers and to the
 * multicast group on each network interface; one with address goes there. It keeps nothing per source.
 *
 * @throws {TypeError} where a peer is no socket address
 * @throws {RangeError} for a setting that cannot work
 */
export function udpTransport(options: UdpOptions): UdpTransport {
  return new Udp(options)
}

class Udp implements UdpTransport, Interface {
  readonly name: string
  readonly facts: InterfaceFacts
  readonly #options: UdpOptions
  readonly #peers: Peers
  readonly #group: Group | undefined
  #gate: HostGate | undefined
  #socket: Socket | undefined
  #outbox: Outbox | undefined
  #watch: NetworkWatch | undefined
  #greeting: NodeJS.Timeout | undefined
  #stopped = false
  #own = new Set<string>()
  #lastHost = ''
  #lastPort = 0
  #lastFrom = ''

  constructor(options: UdpOptions) {
    const { mtuBytes = MTU_BYTES, bitrateBps = BITRATE_BPS, queueBytesMax = QUEUE_BYTES_MAX } = options
    if (!(mtuBytes >= FRAME_BYTES_MIN && mtuBytes <= 65_507))
      throw new RangeError(`no such datagram: ${mtuBytes} bytes`)
    if (!(queueBytesMax >= mtuBytes)) throw new RangeError('queueBytesMax must hold one frame')
    this.name = `udp:${formatAddress(options.host ?? '::', options.port)}`
    this.#options = options
    this.#peers = new Peers({
      addresses: options.peers ?? [],
      ...(options.resolveMs === undefined ? {} : { resolveMs: options.resolveMs }),
    })
    this.#group = options.multicast === false ? undefined : new Group(options.multicast ?? {})
    this.facts = {
      id: this.name,
      kind: 'udp',
      mtuBytes,
      bitrateBps,
      duplex: 'full',
      dutyCycle: 1,
      reach: 'shared',
      addressed: true,
    }
  }

  get address(): string | undefined {
    const at = this.#socket?.address()
    return at && formatAddress(at.address, at.port)
  }

  get queuedBytes(): number {
    return this.#outbox?.queuedBytes ?? 0
  }

  async start(host: TransportHost): Promise<void> {
    if (this.#gate !== undefined) throw new TypeError('a transport starts once')
    const gate = new HostGate(this.name, host)
    this.#gate = gate
    const { socket, family } = await openSocket(
      this.#options.host,
      this.#options.port,
      sendBufferBytes(this.facts.bitrateBps),
    )
    if (this.#stopped) {
      socket.close()
      return
    }
    socket.on('error', (error) => this.#trouble(error))
    socket.on('message', (bytes, { address, port }) => this.#receive(bytes, this.#source(address, port)))
    this.#socket = socket
    this.#outbox = new Outbox(socket, this.#options.queueBytesMax ?? QUEUE_BYTES_MAX, {
      onError: (error) => this.#trouble(error),
      onDrain: () => gate.drain(this),
    })
    if (family !== 4) await this.#openGroup(socket.address().port)
    if (this.#stopped) {
      await this.#group?.close()
      return
    }
    gate.up(this)
    this.#peers.start(family, {
      changed: () => gate.reachChanged(this),
      failed: (address, why, retryMs) => gate.problem({ code: 'transport/connect', address, why, retryMs }),
    })
    const { networkWatchMs = NETWORK_WATCH_MS } = this.#options
    this.#watch = watchNetwork((machine) => this.#greet(GREETINGS, machine), networkWatchMs)
  }

  send(frame: Uint8Array, to?: string): boolean {
    const outbox = this.#outbox
    if (outbox === undefined) return false
    const bytes = frame.length
    const { mtuBytes, id: interfaceId } = this.facts
    if (bytes === 0 || bytes > mtuBytes) {
      this.#gate?.problem({ code: 'transport/frame-size', interfaceId, bytes, mtuBytes })
      return false
    }
    const at = outbox.put(frame)
    if (at < 0) return false
    if (to !== undefined) {
      const colon = to.lastIndexOf(':')
      const host = to.startsWith('[') ? to.slice(1, colon - 1) : to.slice(0, colon)
      const port = Number(to.slice(colon + 1))
      if (!(colon > 0 && port > 0 && port <= 65_535)) throw new TypeError(`not a socket address: ${to}`)
      outbox.sendTo(at, bytes, host, port)
      return true
    }
    for (const { host, port } of this.#peers.reachable()) outbox.sendTo(at, bytes, host, port)
    if (this.#group !== undefined) {
      for (const host of this.#group.destinations) outbox.sendTo(at, bytes, host, this.#group.port)
    }
    return true
  }

  kick(): void {
    if (this.#socket === undefined) return
    this.#peers.resolve()
    this.#greet(GREETINGS, machineInterfaces())
  }

  close(): Promise<void> {
    return this.#end('closed')
  }

  async stop(): Promise<void> {
    this.#stopped = true
    await this.#end('stopped')
    this.#gate?.shut()
  }

  async #end(reason: string): Promise<void> {
    const socket = this.#socket
    this.#socket = undefined
    this.#outbox?.close()
    this.#outbox = undefined
    this.#watch?.stop()
    this.#peers.stop()
    clearTimeout(this.#greeting)
    this.#gate?.down(this, reason)
    await Promise.all([this.#group?.close(), socket && new Promise<void>((resolve) => socket.close(() => resolve()))])
  }

  async #openGroup(ownPort: number): Promise<void> {
    const group = this.#group
    if (group === undefined) return
    const { id: interfaceId } = this.facts
    try {
      await group.open(
        (bytes, host, port) => {
          const from = this.#source(host, port)
          // The group's frames come back to the machine that sent them, for its other nodes.
          if (port !== ownPort || !this.#own.has(host)) this.#receive(bytes, from)
        },
        (error) => this.#trouble(error),
      )
    } catch (error) {
      const why = `no discovery on port ${group.port}: ${(error as NodeJS.ErrnoException).code ?? error}`
      this.#gate?.problem({ code: 'transport/device', interfaceId, why })
      return
    }
    this.#follow(machineInterfaces())
  }

  #follow(machine: readonly MachineInterface[]): void {
    this.#own = new Set(
      machine.flatMap(({ name, scopeId, addresses }) =>
        addresses.flatMap((address) => [address, `${address}%${name}`, `${address}%${scopeId}`]),
      ),
    )
    for (const name of this.#group?.follow(machine) ?? []) {
      const why = `the discovery group can't be joined on ${name}`
      this.#gate?.problem({ code: 'transport/device', interfaceId: this.facts.id, why })
    }
  }

  /** Follows the machine's networks and tells the host, now and `times - 1` times more. */
  #greet(times: number, machine: readonly MachineInterface[]): void {
    clearTimeout(this.#greeting)
    this.#follow(machine)
    this.#gate?.reachChanged(this)
    if (times > 1) this.#greeting = setTimeout(() => this.#greet(times - 1, machineInterfaces()), GREETING_MS)
  }

  #receive(bytes: Buffer, from: string): void {
    const { length } = bytes
    const { mtuBytes, id: interfaceId } = this.facts
    // Port 0 can be forged, and not be answered.
    if (from.endsWith(':0')) return
    if (length > mtuBytes) this.#gate?.problem({ code: 'transport/frame-size', interfaceId, bytes: length, mtuBytes })
    else if (length > 0) this.#gate?.frame(this, new Uint8Array(bytes.buffer, bytes.byteOffset, length), from)
  }

  /** The text of a source, made anew only where it is not the one before. */
  #source(host: string, port: number): string {
    if (port !== this.#lastPort || host !== this.#lastHost) {
      this.#lastHost = host
      this.#lastPort = port
      this.#lastFrom = formatAddress(host, port)
    }
    return this.#lastFrom
  }

  #trouble(error: NodeJS.ErrnoException & { address?: string }): void {
    // An interface whose IPv6 address is still being checked for duplicates: it is greeted again.
    if (error.code === 'EADDRNOTAVAIL' && this.#group?.destinations.includes(error.address ?? '')) return
    const why = `${error.syscall ?? 'socket'}: ${error.code ?? error.message}`
    this.#gate?.problem({ code: 'transport/device', interfaceId: this.facts.id, why })
  }
}

/** On a slow medium nothing should wait in the kernel, where nobody can put it in order; undefined: as the kernel has it. */
function sendBufferBytes(bitrateBps: number): number | undefined {
  if (bitrateBps >= SEND_BUFFER_BELOW_BPS) return undefined
  return Math.max(SEND_BUFFER_BYTES_MIN, Math.ceil((bitrateBps * SEND_BUFFER_MS) / 8_000))
}
