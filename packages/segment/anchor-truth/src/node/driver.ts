import { toHex } from '@nexus/codec'
import { type Crypto, systemRandom } from '@nexus/crypto'
import type { Identity } from '@nexus/identity'
import { formatAddress, NETWORK_WATCH_MS } from '@nexus/transport'
import { type MachineInterface, machineInterfaces, type NetworkWatch, watchNetwork } from '@nexus/transport/node'
import type { Admission } from '../admission.ts'
import type { NodeType } from '../datagram.ts'
import { PORT } from '../limits.ts'
import { Segment, type SegmentStatus } from '../segment.ts'
import { SequenceSource } from '../sequence.ts'
import type { SegmentEvent } from '../state.ts'
import { addressBytes, addressText, linkLocalOf, SegmentSocket } from './socket.ts'

export interface SegmentDriverOptions {
  readonly crypto: Crypto
  readonly identity: Identity
  /** As {@link SequenceSource} takes it; `bootFile(path)` for one on disk. */
  readonly nextBoot: (above: number) => number
  readonly admission: Admission
  readonly ego: number
  readonly type: NodeType
  readonly zone: string
  readonly name: string
  /** Default {@link PORT}. */
  readonly port?: number
  /** Names of the interfaces to use; default: all that have an IPv6 link-local address, at most {@link INTERFACES_MAX}. */
  readonly interfaces?: readonly string[]
  /** How often to look whether the machine's networks changed, in ms. */
  readonly networkWatchMs?: number
}

/** A member that showed itself: where its mesh can be looked for. */
export interface MemberFound {
  readonly nodeId: Uint8Array
  readonly publicKey: Uint8Array
  /** With the zone: `fe80::1%eth0`. */
  readonly host: string
  readonly interfaceName: string
}

export interface SegmentDriverPorts {
  event?(interfaceName: string, event: SegmentEvent): void
  /** A member is new, or has another address. */
  member?(found: MemberFound): void
  problem?(interfaceName: string, error: Error): void
}

export interface InterfaceStatus extends SegmentStatus {
  readonly interfaceName: string
  /** Own address on it. */
  readonly address: string
}

/** Interfaces in use at a time. */
export const INTERFACES_MAX = 32
/** Members whose address is remembered, so that each is told of once; the oldest is forgotten. */
const ANNOUNCED_MAX = 4_096
/** An address can't be used for the one to two seconds that duplicate address detection takes (RFC 4862 section 5.4). */
const OPEN_AGAIN_MS = 100
/** Longest that a timer sleeps: a clock that jumps is noticed by then. */
const SLEEP_MS_MAX = 1_000

interface Port {
  readonly name: string
  readonly scopeId: number
  readonly segment: Segment
  address: string
  socket: SegmentSocket | undefined
  timer: NodeJS.Timeout | undefined
  opening: NodeJS.Timeout | undefined
  isTwin: boolean
}

/** One segment per network interface, with the same key and one count of datagrams. */
export class SegmentDriver {
  readonly #options: SegmentDriverOptions
  readonly #ports: SegmentDriverPorts
  readonly #sequence: SequenceSource
  readonly #byName = new Map<string, Port>()
  readonly #announced = new Map<string, string>()
  #watch: NetworkWatch | undefined
  #isStopped = false

  constructor(options: SegmentDriverOptions, ports: SegmentDriverPorts = {}) {
    this.#options = options
    this.#ports = ports
    this.#sequence = new SequenceSource(options.nextBoot)
  }

  /** Opens the interfaces that are there, and follows those that come and go. */
  start(): void {
    this.#follow(machineInterfaces())
    const { networkWatchMs = NETWORK_WATCH_MS } = this.#options
    this.#watch = watchNetwork((machine) => this.#follow(machine), networkWatchMs)
  }

  stop(): void {
    this.#isStopped = true
    this.#watch?.stop()
    for (const port of [...this.#byName.values()]) this.#remove(port)
  }

  status(): InterfaceStatus[] {
    return [...this.#byName.values()].map(({ name, address, segment }) => ({
      ...segment.status(nowMs()),
      interfaceName: name,
      address,
    }))
  }

  setEgo(ego: number): void {
    for (const { segment } of this.#byName.values()) segment.setEgo(ego)
  }

  #follow(machine: readonly MachineInterface[]): void {
    if (this.#isStopped) return
    const { interfaces } = this.#options
    const usable = machine
      .filter(({ name, internal, scopeId }) => (interfaces?.includes(name) ?? !internal) && scopeId > 0)
      .filter((one) => linkLocalOf(one) !== undefined)
      .slice(0, INTERFACES_MAX)
    for (const port of [...this.#byName.values()]) {
      const still = usable.find(({ name }) => name === port.name)
      // Made anew under its old name, it is another interface; with another address its sockets are made anew.
      if (still === undefined || still.scopeId !== port.scopeId) this.#remove(port)
      else if (!still.addresses.includes(port.address)) this.#reopen(port, linkLocalOf(still) as string)
    }
    for (const one of usable) if (!this.#byName.has(one.name)) this.#add(one)
  }

  #add(one: MachineInterface): void {
    const { name, scopeId } = one
    const { crypto, identity, admission, ego, type, zone, name: label } = this.#options
    const port: Port = {
      name,
      scopeId,
      segment: new Segment(
        { crypto, identity, random: systemRandom, sequence: this.#sequence, admission, ego, type, zone, name: label },
        {
          transmit: (datagram) => port.socket?.send(datagram),
          event: (event) => this.#onEvent(port, event),
        },
      ),
      address: linkLocalOf(one) as string,
      socket: undefined,
      timer: undefined,
      opening: undefined,
      isTwin: false,
    }
    this.#byName.set(name, port)
    void this.#open(port)
  }

  async #open(port: Port): Promise<void> {
    const { port: number = PORT } = this.#options
    const { address, name, segment } = port
    const zone = process.platform === 'win32' ? String(port.scopeId) : name
    const socket = new SegmentSocket(zone, number, {
      datagram: (bytes, source) => this.#receive(port, bytes, source),
      problem: (error) => this.#ports.problem?.(name, error),
    })
    try {
      await socket.open(address)
    } catch (error) {
      if (this.#byName.get(name) !== port) return
      if ((error as NodeJS.ErrnoException).code !== 'EADDRNOTAVAIL') this.#ports.problem?.(name, error as Error)
      port.opening = setTimeout(() => void this.#open(port), OPEN_AGAIN_MS)
      return
    }
    // Meanwhile it may have gone, or changed its address.
    if (this.#byName.get(name) !== port || port.address !== address || port.socket !== undefined) return socket.close()
    port.socket = socket
    segment.up(nowMs(), { address: addressBytes(address), port: number })
    this.#plan(port)
  }

  #reopen(port: Port, address: string): void {
    port.socket?.close()
    port.socket = undefined
    port.address = address
    clearTimeout(port.opening)
    void this.#open(port)
  }

  #remove(port: Port): void {
    this.#byName.delete(port.name)
    clearTimeout(port.timer)
    clearTimeout(port.opening)
    port.segment.down()
    port.socket?.close()
    if (!port.isTwin && !this.#isStopped) for (const twin of this.#byName.values()) if (twin.isTwin) this.#wake(twin)
  }

  #wake(twin: Port): void {
    twin.isTwin = false
    const { port: number = PORT } = this.#options
    if (twin.socket !== undefined) twin.segment.up(nowMs(), { address: addressBytes(twin.address), port: number })
    this.#plan(twin)
  }

  #receive(port: Port, bytes: Uint8Array, source: { readonly address: Uint8Array; readonly port: number }): void {
    if (port.isTwin) return
    port.segment.receive(nowMs(), bytes, source)
    this.#plan(port)
  }

  #tick(port: Port): void {
    if (port.socket !== undefined) port.segment.tick(nowMs())
    this.#plan(port)
  }

  #plan(port: Port): void {
    clearTimeout(port.timer)
    if (this.#byName.get(port.name) !== port || port.isTwin) return
    const waitMs = Math.min(SLEEP_MS_MAX, Math.max(0, port.segment.nextWakeMs() - nowMs()))
    port.timer = setTimeout(() => this.#tick(port), waitMs)
  }

  #onEvent(port: Port, event: SegmentEvent): void {
    this.#ports.event?.(port.name, event)
    if (event.kind === 'twin') this.#restTwin(port, event.source.address)
    if (event.kind !== 'member') return
    const host = `${addressText(event.source.address)}%${port.name}`
    const id = toHex(event.nodeId)
    if (this.#announced.get(id) === host) return
    this.#announced.delete(id)
    if (this.#announced.size >= ANNOUNCED_MAX) this.#announced.delete([...this.#announced.keys()][0] as string)
    this.#announced.set(id, host)
    const { nodeId, publicKey } = event
    this.#ports.member?.({ nodeId, publicKey, host, interfaceName: port.name })
  }

  /** Two of the machine's own interfaces are on one link: the one with the greater number rests, so that one voice speaks. */
  #restTwin(port: Port, from: Uint8Array): void {
    const other = [...this.#byName.values()].find(({ address }) => toHex(addressBytes(address)) === toHex(from))
    if (other === undefined || other === port || other.isTwin || port.scopeId < other.scopeId) return
    port.isTwin = true
    clearTimeout(port.timer)
    port.segment.down()
    this.#ports.problem?.(port.name, new Error(`${port.name} and ${other.name} are on one link; ${port.name} rests`))
  }
}

/** Monotonic ms. Where it stands still while the machine sleeps, waking up is a merge with whoever leads by then. */
function nowMs(): number {
  return Math.floor(performance.now())
}

/** The UDP address of a member's mesh: `[fe80::1%eth0]:4242`. */
export function meshAddress({ host }: MemberFound, meshPort: number): string {
  return formatAddress(host, meshPort)
}
