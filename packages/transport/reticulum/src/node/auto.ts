import { createHash } from 'node:crypto'
import { createSocket, type Socket } from 'node:dgram'
import { HostGate, QUEUE_BYTES_MAX, type Transport, TransportError, type TransportHost } from '@nexus/transport'
import { machineInterfaces } from '@nexus/transport/node'
import {
  AUTO_ANNOUNCE_MS,
  AUTO_DATA_PORT,
  AUTO_DISCOVERY_PORT,
  AUTO_FRAME_BYTES_MAX,
  AUTO_GROUP_ID,
  AUTO_PEERS_MAX,
  AUTO_UNICAST_MS,
  AutoPeers,
  type AutoScope,
  autoGroupAddress,
  autoToken,
  isAutoToken,
} from '../auto-discovery.ts'
import { AutoNetwork, withoutZone } from './auto-network.ts'
import { AutoPeer } from './auto-peer.ts'

/** Network interfaces of the machine that are looked at. */
const NETWORKS_MAX = 32
const LINK_LOCAL = /^fe[89ab][0-9a-f]:/

const sha256 = (bytes: Uint8Array): Uint8Array => new Uint8Array(createHash('sha256').update(bytes).digest())
const hashing = { sha256 }

/** Settings of Reticulum's AutoInterface, under the names that its configuration has for them. */
export interface AutoOptions {
  /** Only nodes of the same group find each other; default {@link AUTO_GROUP_ID}. */
  readonly groupId?: string
  readonly discoveryScope?: AutoScope
  readonly multicastAddressType?: 'temporary' | 'permanent'
  readonly discoveryPort?: number
  readonly dataPort?: number
  /** Names of the network interfaces to use; default: all with an IPv6 link-local address but loopback. */
  readonly devices?: readonly string[]
  readonly ignoredDevices?: readonly string[]
}

/** Finds other nodes on the machine's networks by IPv6 multicast; each is an interface (docs/spec/reticulum.md). */
export class AutoTransport implements Transport {
  readonly name: string
  readonly #options: AutoOptions
  readonly #bitrateBps: number
  readonly #groupId: string
  readonly #group: string
  readonly #discoveryPort: number
  readonly #dataPort: number
  readonly #networks = new Map<string, AutoNetwork>()
  readonly #opening = new Set<string>()
  readonly #peers = new AutoPeers<AutoPeer>()
  #gate: HostGate | undefined
  #listener: Socket | undefined
  #timer: NodeJS.Timeout | undefined
  #unicastMs = 0
  #stopped = false
  #fullTold = false

  constructor(options: AutoOptions, bitrateBps: number) {
    const { groupId = AUTO_GROUP_ID, discoveryPort = AUTO_DISCOVERY_PORT, dataPort = AUTO_DATA_PORT } = options
    this.#options = options
    this.#bitrateBps = bitrateBps
    this.#groupId = groupId
    this.#discoveryPort = discoveryPort
    this.#dataPort = dataPort
    this.name = `auto:${groupId}`
    this.#group = autoGroupAddress(hashing, groupId, {
      ...(options.discoveryScope === undefined ? {} : { scope: options.discoveryScope }),
      ...(options.multicastAddressType === undefined ? {} : { addressType: options.multicastAddressType }),
    })
  }

  async start(host: TransportHost): Promise<void> {
    if (this.#gate !== undefined) throw new TypeError('a transport starts once')
    this.#gate = new HostGate(this.name, host)
    this.#listener = await this.#listen()
    await this.#beat()
  }

  async stop(): Promise<void> {
    this.#stopped = true
    clearTimeout(this.#timer)
    for (const peer of this.#peers.values()) this.#drop(peer, 'stopped')
    for (const network of this.#networks.values()) network.close()
    this.#networks.clear()
    this.#gate?.shut()
    const listener = this.#listener
    this.#listener = undefined
    if (listener !== undefined) await new Promise<void>((resolve) => listener.close(() => resolve()))
  }

  kick(): void {
    if (this.#stopped || this.#listener === undefined) return
    clearTimeout(this.#timer)
    void this.#beat()
  }

  /** The socket that hears the group, on all networks. @throws {TransportError} `transport/bind` */
  async #listen(): Promise<Socket> {
    // Reticulum itself may run beside this node on other networks of the machine.
    const socket = createSocket({ type: 'udp6', ipv6Only: true, reuseAddr: true })
    await new Promise<void>((resolve, reject) => {
      socket.once('error', (error: NodeJS.ErrnoException) => {
        socket.close()
        const address = `[::]:${this.#discoveryPort}`
        reject(new TransportError({ code: 'transport/bind', address, why: error.code ?? error.message }))
      })
      socket.bind({ address: '::', port: this.#discoveryPort }, () => {
        socket.removeAllListeners('error')
        resolve()
      })
    })
    socket.on('error', (error) => this.#trouble(error))
    socket.on('message', (bytes, { address }) => {
      const zone = address.slice(address.indexOf('%') + 1)
      const network = [...this.#networks.values()].find((one) => one.zone === zone)
      if (network !== undefined) this.#hearToken(network, bytes, withoutZone(address))
    })
    return socket
  }

  /** Follows the machine's networks, lets go of silent peers, says that this node is there. */
  async #beat(): Promise<void> {
    const nowMs = performance.now()
    // The system may not say which networks there are; the next beat asks again.
    await this.#follow().catch((error: Error) => this.#trouble(error))
    if (this.#stopped) return
    for (const peer of this.#peers.silent(nowMs)) this.#drop(peer, 'silent')
    for (const network of this.#networks.values()) network.sayToken(this.#group, this.#discoveryPort)
    if (nowMs - this.#unicastMs >= AUTO_UNICAST_MS) {
      this.#unicastMs = nowMs
      for (const { network, address } of this.#peers.values()) network.sayToken(address, this.#discoveryPort + 1)
    }
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => void this.#beat(), AUTO_ANNOUNCE_MS)
  }

  async #follow(): Promise<void> {
    const usable = this.#usable()
    for (const [key, network] of this.#networks) {
      if (usable.some((one) => keyOf(one) === key)) continue
      this.#networks.delete(key)
      this.#leave(network, 'the network went')
    }
    await Promise.all(
      usable.map(async (at) => {
        const key = keyOf(at)
        if (this.#networks.has(key) || this.#opening.has(key)) return
        this.#opening.add(key)
        try {
          await this.#join(key, new AutoNetwork(at, autoToken(hashing, this.#groupId, at.address)))
        } finally {
          this.#opening.delete(key)
        }
      }),
    )
  }

  #usable(): { name: string; scopeId: number; address: string }[] {
    const { devices, ignoredDevices = [] } = this.#options
    return machineInterfaces()
      .filter(({ name, internal }) => devices?.includes(name) ?? (!internal && !ignoredDevices.includes(name)))
      .flatMap(({ name, scopeId, addresses }) => {
        const address = addresses.find((each) => LINK_LOCAL.test(each))
        return address === undefined ? [] : [{ name, scopeId, address }]
      })
      .slice(0, NETWORKS_MAX)
  }

  async #join(key: string, network: AutoNetwork): Promise<void> {
    try {
      await network.open(
        { unicast: this.#discoveryPort + 1, data: this.#dataPort },
        {
          token: (on, bytes, from) => this.#hearToken(on, bytes, from),
          data: (on, bytes, from) => this.#hearData(on, bytes, from),
          failed: (_, error) => this.#trouble(error),
        },
      )
      this.#listener?.addMembership(this.#group, `::%${network.zone}`)
    } catch (error) {
      network.close()
      // An address that is still being checked for duplicates (RFC 4862): tried again with the next beat.
      if ((error as NodeJS.ErrnoException).code !== 'EADDRNOTAVAIL') this.#trouble(error as Error, network.name)
      return
    }
    if (this.#stopped) network.close()
    else this.#networks.set(key, network)
  }

  #leave(network: AutoNetwork, why: string): void {
    for (const peer of this.#peers.values()) if (peer.network === network) this.#drop(peer, why)
    network.close()
    try {
      this.#listener?.dropMembership(this.#group, `::%${network.zone}`)
    } catch {
      // The membership went with the interface.
    }
  }

  #hearToken(network: AutoNetwork, datagram: Uint8Array, from: string): void {
    if (!LINK_LOCAL.test(from) || !isAutoToken(hashing, this.#groupId, from, datagram)) return
    // The group's datagrams come back, from each of the machine's own networks that share a cable.
    if ([...this.#networks.values()].some(({ address }) => address === from)) return
    const key = `${from}%${network.zone}`
    if (this.#peers.get(key) !== undefined) this.#peers.heard(key, performance.now())
    else if (!this.#peers.isFull) this.#greet(key, network, from)
    else if (!this.#fullTold) {
      this.#fullTold = true
      this.#gate?.problem({ code: 'transport/limit', interfaceId: this.name, why: `more than ${AUTO_PEERS_MAX} peers` })
    }
  }

  #greet(key: string, network: AutoNetwork, address: string): void {
    const gate = this.#gate
    if (gate === undefined) return
    const peer = new AutoPeer(network, address, {
      bitrateBps: this.#bitrateBps,
      port: this.#dataPort,
      queueBytesMax: QUEUE_BYTES_MAX,
      gate,
      close: (closed) => this.#drop(closed, 'closed'),
    })
    this.#peers.add(key, peer, performance.now())
    // Before anything is sent over the new interface, so that the peer knows where it comes from.
    network.sayToken(address, this.#discoveryPort + 1)
    gate.up(peer)
  }

  #hearData(network: AutoNetwork, datagram: Uint8Array, from: string): void {
    const key = `${from}%${network.zone}`
    const peer = this.#peers.get(key)
    if (peer === undefined || datagram.length === 0 || datagram.length > AUTO_FRAME_BYTES_MAX) return
    this.#peers.heard(key, performance.now())
    this.#gate?.frame(peer, datagram)
  }

  #drop(peer: AutoPeer, why: string): void {
    this.#peers.delete(peer.key)
    this.#fullTold = false
    this.#gate?.down(peer, why)
  }

  #trouble(error: NodeJS.ErrnoException, network?: string): void {
    const why = `${network === undefined ? '' : `${network}: `}${error.code ?? error.message}`
    this.#gate?.problem({ code: 'transport/device', interfaceId: this.name, why })
  }
}

function keyOf({ name, scopeId, address }: { name: string; scopeId: number; address: string }): string {
  return `${name} ${scopeId} ${address}`
}
