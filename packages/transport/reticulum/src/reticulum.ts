import { toHex } from '@nexus/codec'
import { Agenda } from './agenda.ts'
import { BroadcastDestination } from './broadcast.ts'
import { addressKey } from './bytes.ts'
import {
  Destination,
  type DestinationHost,
  type DestinationOptions,
  RATCHET_TRIES_BURST,
  RATCHET_TRIES_PER_SECOND,
} from './destination.ts'
import { ReticulumError } from './errors.ts'
import { Feed } from './feed.ts'
import { type Agreed, Handshakes } from './handshake.ts'
import type { Identity, RemoteIdentity } from './identity.ts'
import { type HeardAnnounce, Inbound } from './inbound.ts'
import { type InterfaceOptions, ReticulumInterface } from './interface.ts'
import { type Known, KnownDestinations, RATCHET_LIFETIME_MS } from './known.ts'
import { MTU_BYTES, PLAINTEXT_BYTES_MAX } from './limits.ts'
import { Link, type PacketReceipt } from './link.ts'
import { destinationHash, nameHash } from './name.ts'
import { CONTEXT, DESTINATION_TYPE, decodePacket, encodePacket, PACKET_TYPE, packetHash } from './packet.ts'
import { PathFinder } from './path-finder.ts'
import type { CallOptions, Ports } from './ports.ts'
import { RateLimit } from './rate-limit.ts'
import { Receipts } from './receipts.ts'
import { Relay } from './relay.ts'
import { Seen } from './seen.ts'
import { serveRequest } from './serve.ts'
import { Slices } from './slices.ts'
import type { ResourcePolicy } from './transfers.ts'

/** Destinations of this node. */
export const DESTINATIONS_MAX = 1_024
/** Links that end here; a peer that asks for more is not answered. */
export const LINKS_MAX = 1_024
const RECEIPT_MS = 6_000

export interface ReticulumOptions {
  /** Passes packets on for others, under this identity. */
  readonly transport?: Identity
  /** Proves packets with their hash before the signature, as older peers do; default false. */
  readonly explicitProofs?: boolean
}

/** Someone else's destination. */
export interface RemoteDestination {
  readonly hash: Uint8Array
  readonly identity: RemoteIdentity
}

export interface ConnectOptions extends CallOptions {
  /** Whether packets of the peer are proved as they come; default true. */
  readonly proves?: boolean
  /** What becomes of resources that the peer offers; default `none`. */
  readonly resources?: ResourcePolicy
}

export interface ServeOptions extends DestinationOptions {
  /** What becomes of resources that come over links; default `none`. */
  readonly resources?: ResourcePolicy
}

/**
 * A Reticulum node without sockets, clocks or randomness of its own (docs/spec/reticulum.md): frames go in by
 * {@link Reticulum.receive}, time by {@link Reticulum.tick}, and what is to be sent leaves by the interfaces.
 */
export class Reticulum {
  /** Announces of others, as they are heard. */
  readonly announces: Feed<HeardAnnounce> = new Feed()
  readonly known: KnownDestinations
  readonly #ports: Ports
  readonly #agenda: Agenda
  readonly #slices: Slices
  readonly #interfaces = new Set<ReticulumInterface>()
  readonly #attached = new Feed<ReticulumInterface>()
  readonly #destinations = new Map<string, Destination>()
  readonly #broadcasts = new Map<string, BroadcastDestination>()
  readonly #resources = new Map<Destination, ResourcePolicy>()
  readonly #links = new Map<string, Link>()
  readonly #ratchetTries = new RateLimit(RATCHET_TRIES_BURST, RATCHET_TRIES_PER_SECOND)
  readonly #seen: Seen
  readonly #receipts: Receipts
  readonly #paths: PathFinder
  readonly #handshakes: Handshakes
  readonly #relay: Relay | undefined
  readonly #inbound: Inbound

  constructor(ports: Ports, options: ReticulumOptions = {}) {
    this.#ports = ports
    const agenda = new Agenda(ports)
    this.#agenda = agenda
    this.#slices = new Slices(agenda)
    this.known = new KnownDestinations(ports.crypto)
    this.#seen = new Seen(ports.random)
    this.#receipts = new Receipts(agenda)
    const { known } = this
    const interfaces = this.#interfaces
    const broadcast = (packet: Uint8Array, on?: ReticulumInterface) => this.#broadcast(packet, on)
    const relay = options.transport && new Relay({ ports, agenda, known, interfaces }, options.transport.hash)
    this.#relay = relay
    this.#paths = new PathFinder({
      ports,
      agenda,
      known,
      transportId: relay?.id,
      interfaces,
      broadcast,
      answerLocal: (hash, on) => this.#answerLocal(hash, on),
      answerKnown: (path, on, asker) => relay?.answerPath(path, on, asker),
    })
    this.#handshakes = new Handshakes({
      ports,
      agenda,
      dispatch: (request) => this.#dispatch(request),
      mtuBytesOf: (hash) => known.path(hash, ports.nowMs())?.iface.mtuBytes ?? MTU_BYTES,
    })
    this.#inbound = new Inbound({
      ports,
      known,
      announces: this.announces,
      destinations: this.#destinations,
      broadcasts: this.#broadcasts,
      links: this.#links,
      seen: this.#seen,
      receipts: this.#receipts,
      paths: this.#paths,
      handshakes: this.#handshakes,
      relay,
      explicitProofs: options.explicitProofs ?? false,
      begin: (agreed, destination) => this.#begin(agreed, destination),
    })
  }

  get interfaces(): ReadonlySet<ReticulumInterface> {
    return this.#interfaces
  }

  get links(): IterableIterator<Link> {
    return this.#links.values()
  }

  /** What is carried for others; undefined unless this is a transport node. */
  get relay(): Relay | undefined {
    return this.#relay
  }

  /** When {@link Reticulum.tick} is wanted next; Infinity for never. */
  get nextWakeMs(): number {
    return this.#agenda.nextMs
  }

  /** Adds an interface, for {@link Reticulum.receive} and {@link Reticulum.detach}. @throws {RangeError} for settings that cannot work */
  attach(options: InterfaceOptions): ReticulumInterface {
    const iface = new ReticulumInterface(options, this.#agenda, this.#ports.nowMs)
    this.#interfaces.add(iface)
    this.#attached.publish(iface)
    return iface
  }

  /** Resolves once there is an interface. @throws what `signal` says */
  async online(options: { readonly signal?: AbortSignal } = {}): Promise<void> {
    if (this.#interfaces.size === 0) await this.#attached.first(options)
  }

  /** Takes an interface away, and the links that were made over it. */
  detach(iface: ReticulumInterface): void {
    this.#interfaces.delete(iface)
    iface.close()
    for (const link of [...this.#links.values()]) if (link.iface === iface) link.detached()
  }

  /** Does what is due. */
  tick(): void {
    this.#agenda.tick()
  }

  /** Ends all links, and all loops over feeds. */
  close(): void {
    for (const link of [...this.#links.values()]) link.close()
    this.#handshakes.close('the node stops')
    this.#paths.close('the node stops')
    for (const destination of [...this.#destinations.values()]) destination.close()
    for (const destination of [...this.#broadcasts.values()]) destination.close()
    this.#receipts.close()
    this.announces.end()
    this.#attached.end()
    for (const iface of [...this.#interfaces]) this.detach(iface)
    this.#agenda.clear()
  }

  /**
   * Opens a destination of this node.
   * @param name app name and aspects, joined by dots
   * @throws {ReticulumError} `reticulum/limit`; {TypeError} where it is open already
   */
  serve(identity: Identity, name: string, options: ServeOptions = {}): Destination {
    const { crypto } = this.#ports
    const hash = destinationHash(crypto, nameHash(crypto, name), identity.hash)
    const key = addressKey(hash)
    if (this.#destinations.has(key)) throw new TypeError(`${name} is open already`)
    if (this.#destinations.size >= DESTINATIONS_MAX) {
      throw new ReticulumError({ code: 'reticulum/limit', what: 'destinations', max: DESTINATIONS_MAX })
    }
    const host: DestinationHost = {
      ports: this.#ports,
      admitRatchetTries: (count) => this.#ratchetTries.take(count, this.#ports.nowMs()),
      broadcast: (packet, on) => this.#broadcast(packet, on),
      close: (destination) => {
        this.#destinations.delete(key)
        this.#resources.delete(destination)
      },
    }
    const destination = new Destination(host, identity, name, hash, options)
    this.#destinations.set(key, destination)
    this.#resources.set(destination, options.resources ?? 'none')
    return destination
  }

  /** Opens a PLAIN destination, or with `key` a GROUP one, for direct neighbours. @param identityHash of a GROUP */
  openBroadcast(
    name: string,
    group?: { readonly key: Uint8Array; readonly identityHash: Uint8Array },
  ): BroadcastDestination {
    const { crypto, random } = this.#ports
    const hash = destinationHash(crypto, nameHash(crypto, name), group?.identityHash)
    const host = {
      crypto,
      random,
      broadcast: (packet: Uint8Array) => this.#broadcast(packet),
      close: (destination: BroadcastDestination) => this.#broadcasts.delete(addressKey(destination.hash)),
    }
    const destination = new BroadcastDestination(host, name, hash, group?.key)
    this.#broadcasts.set(addressKey(hash), destination)
    return destination
  }

  /** Asks everyone in reach for the way to a destination, without waiting for an answer. */
  requestPath(hash: Uint8Array): void {
    this.#paths.request(hash)
  }

  /** The destination of this hash, once a path to it is known: asks for one where there is none. @throws {ReticulumError} `reticulum/no-path` */
  async resolve(hash: Uint8Array, options: CallOptions = {}): Promise<Known & RemoteDestination> {
    const known = await this.#paths.resolve(hash, options)
    return { ...known, hash: known.destination }
  }

  /** Hops to a destination: 1 for a neighbour, undefined without a path. */
  hopsTo(hash: Uint8Array): number | undefined {
    return this.known.path(hash, this.#ports.nowMs())?.hops
  }

  /**
   * Sends one encrypted packet.
   * @throws {RangeError} over {@link PLAINTEXT_BYTES_MAX}
   * @throws {ReticulumError} `reticulum/no-path`: {@link Reticulum.resolve} finds one
   */
  send(to: RemoteDestination, data: Uint8Array, options: { readonly timeoutMs?: number } = {}): PacketReceipt {
    if (data.length > PLAINTEXT_BYTES_MAX) throw new RangeError(`${data.length} bytes, over ${PLAINTEXT_BYTES_MAX}`)
    const { crypto, random, nowMs } = this.#ports
    const packet = encodePacket({
      destinationType: DESTINATION_TYPE.single,
      packetType: PACKET_TYPE.data,
      hops: 0,
      destination: to.hash,
      context: CONTEXT.none,
      data: to.identity.encrypt(data, random, this.#ratchetOf(to.hash)),
    })
    const hash = packetHash(crypto, packet)
    const { iface, hops } = this.#dispatch(packet)
    const timeoutMs = options.timeoutMs ?? RECEIPT_MS + 4_000_000 / iface.bitrateBps + RECEIPT_MS * hops
    const proved = new Promise<number | undefined>((resolve) => {
      this.#receipts.expect(hash, to.identity, timeoutMs, nowMs(), resolve)
    })
    return { hash, proved }
  }

  /** Opens a link to a destination. @throws {ReticulumError} `reticulum/no-path`, `reticulum/timeout`, `reticulum/signature` */
  async connect(to: RemoteDestination, options: ConnectOptions = {}): Promise<Link> {
    const agreed = await this.#handshakes.ask(to.hash, to.identity, options)
    return this.#open(agreed, { proves: options.proves ?? true, resources: options.resources ?? 'none' })
  }

  /** A frame from an interface of {@link Reticulum.attach}. Never throws for what a peer sent. */
  receive(iface: ReticulumInterface, frame: Uint8Array): void {
    const packet = iface.open ? iface.receive(frame) : undefined
    if (packet === undefined) return
    try {
      this.#inbound.take(packet, iface)
    } catch (error) {
      if (!(error instanceof ReticulumError)) throw error
      iface.counts.refused++
    }
  }

  #begin(agreed: Agreed, destination: Destination): void {
    if (this.#links.size >= LINKS_MAX) {
      agreed.wipe()
      return
    }
    const resources = this.#resources.get(destination) ?? 'none'
    const link = this.#open(agreed, { proves: destination.options.proves !== 'none', resources })
    destination.links.publish(link)
  }

  #open(agreed: Agreed, options: { readonly proves: boolean; readonly resources: ResourcePolicy }): Link {
    const host = {
      ports: this.#ports,
      agenda: this.#agenda,
      slices: this.#slices,
      ended: (link: Link) => this.#links.delete(addressKey(link.id)),
    }
    const link = new Link(host, {
      ...agreed,
      ...options,
      answer: (of, request, requestId) => {
        const destination = agreed.isInitiator ? undefined : this.#destinations.get(addressKey(agreed.destination))
        return serveRequest(destination, of, request, requestId)
      },
    })
    this.#links.set(addressKey(link.id), link)
    return link
  }

  #answerLocal(hash: Uint8Array, on: ReticulumInterface): boolean {
    const destination = this.#destinations.get(addressKey(hash))
    if (destination !== undefined && on.admitPathAnswer(MTU_BYTES)) destination.answerPathRequest(on)
    return destination !== undefined
  }

  #ratchetOf(hash: Uint8Array): Uint8Array | undefined {
    const known = this.known.get(hash)
    const isFresh = known !== undefined && this.#ports.nowMs() - known.ratchetHeardMs < RATCHET_LIFETIME_MS
    return isFresh ? known.ratchet : undefined
  }

  /** Sends a packet of this node towards its destination: by way of the next hop where that is not the destination itself. */
  #dispatch(packet: Uint8Array): { readonly iface: ReticulumInterface; readonly hops: number } {
    const { destination } = decodePacket(packet)
    const path = this.known.path(destination, this.#ports.nowMs())
    if (path === undefined) throw new ReticulumError({ code: 'reticulum/no-path', destination: toHex(destination) })
    this.#seen.add(packetHash(this.#ports.crypto, packet))
    const { iface, hops, nextHop } = path
    iface.send(hops > 1 ? encodePacket({ ...decodePacket(packet), transport: true, transportId: nextHop }) : packet)
    return { iface, hops }
  }

  #broadcast(packet: Uint8Array, on?: ReticulumInterface): void {
    this.#seen.add(packetHash(this.#ports.crypto, packet))
    for (const iface of on === undefined ? this.#interfaces : [on]) iface.send(packet)
  }
}
