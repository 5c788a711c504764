import { CONTEXT } from '@nexus/framing'
import { Gossip, GossipError, ROUND_MS, type Tier } from '@nexus/gossip'
import { nodeIdOf } from '@nexus/identity'
import { CLOSE, type Link, LinkLayer, MESSAGE } from '@nexus/link'
import type { Messenger, SendOptions, Stream } from '@nexus/session'
import type { InterfaceFacts } from '@nexus/transport'
import { Advisories } from './advisories.ts'
import { Congestion } from './congestion.ts'
import { Contacts, type TrustedPeer } from './contacts.ts'
import type { Economy } from './economy/economy.ts'
import { makeEconomy } from './economy/make-economy.ts'
import type { ControlFrame } from './egress.ts'
import type { CoreEvent } from './events.ts'
import { Interfaces } from './interfaces.ts'
import { LINK_CONTROL_SHARE } from './limits.ts'
import { makeMessenger } from './mail.ts'
import { Neighbours } from './neighbours.ts'
import { News } from './news.ts'
import type { NodeCoreOptions, NodeCorePorts } from './node-options.ts'
import { type PacketService, Packets } from './packets.ts'
import { ProtocolClock } from './protocol-clock.ts'
import { Routes } from './routes.ts'
import { storedCounter } from './stored-counter.ts'
import { type TraceReport, Traces } from './traces.ts'

const SNAPSHOT_ROUNDS = 5
/** So long after a queue became too full its link costs more, whenever the round ends. */
const CONGESTED_MS = 1_000

/**
 * A node without I/O: links, routing, gossip and sessions, wired together. Events go in with the node's clock; frames,
 * messages and news come out by the ports. The driver and the simulator run the very same object.
 */
export class NodeCore {
  readonly options: NodeCoreOptions
  readonly clock: ProtocolClock
  readonly contacts: Contacts
  readonly interfaces: Interfaces
  readonly links: LinkLayer
  readonly routes: Routes
  readonly gossip: Gossip
  readonly packets: Packets
  readonly congestion: Congestion
  readonly messenger: Messenger
  readonly neighbours: Neighbours
  /** Undefined where relaying is free. */
  readonly economy: Economy | undefined
  readonly #ports: NodeCorePorts
  readonly #traces: Traces
  readonly #news: News
  #nowMs = 0
  #startedMs = 0
  #snapshotDueMs = Number.POSITIVE_INFINITY
  #remeasureDueMs = Number.POSITIVE_INFINITY
  #isRunning = false

  /** Loads what the store holds. @throws {import('@nexus/session').SessionError} where a stored message cannot be read */
  constructor(options: NodeCoreOptions, ports: NodeCorePorts) {
    const { crypto, random, store, roundMs = ROUND_MS } = options
    this.options = options
    this.#ports = ports
    this.clock = new ProtocolClock(roundMs)
    this.contacts = new Contacts(crypto, store)
    this.#news = new News(this.contacts)
    this.#traces = new Traces(this.nodeId)
    this.interfaces = this.#makeInterfaces()
    this.links = this.#makeLinks()
    this.routes = this.#makeRoutes()
    this.gossip = new Gossip(
      { crypto, random, roundMs },
      {
        want: (link) => this.interfaces.want(link),
        invalid: () => this.packets.drop('invalid-record'),
        compared: (_link, tier) => this.economy?.compared(tier),
      },
    )
    this.packets = this.#makePackets()
    this.congestion = new Congestion({
      interfaces: this.interfaces,
      packets: this.packets,
      send: (nowMs, link, body) => this.links.send(nowMs, link, MESSAGE.congestion, body),
      began: (nowMs) => {
        this.#remeasureDueMs = Math.min(this.#remeasureDueMs, nowMs + CONGESTED_MS)
      },
    })
    const { contacts, packets, routes, clock, gossip, links, interfaces } = this
    const mail = { options, ports, contacts, packets, routes, clock, news: this.#news, nowMs: () => this.#nowMs }
    this.messenger = makeMessenger(mail)
    this.neighbours = this.#makeNeighbours()
    this.economy = makeEconomy({ options, ports, contacts, gossip, links, interfaces })
    new Advisories(store, (key, verdict) =>
      ports.event(this.#news.keyCompromised(nodeIdOf(crypto, key), key, verdict)),
    ).attach(this.gossip, ports.verify)
  }

  get nodeId(): Uint8Array {
    return this.options.identity.nodeId
  }

  /** When it was started, by its own clock. */
  get startedMs(): number {
    return this.#startedMs
  }

  /** Reads the routes that the disk holds and announces this node. */
  start(nowMs: number): void {
    this.#nowMs = nowMs
    this.#startedMs = nowMs
    this.#isRunning = true
    this.economy?.start()
    this.routes.restore(nowMs)
    this.routes.announceSelf(nowMs, 0n)
    this.#snapshotDueMs = nowMs + SNAPSHOT_ROUNDS * this.clock.roundMs
    this.#remeasureDueMs = nowMs + this.clock.roundMs
  }

  /** Says goodbye to the neighbours and writes what a restart needs. */
  stop(nowMs: number): void {
    if (!this.#isRunning) return
    this.#nowMs = nowMs
    for (const link of [...this.links.links()]) this.links.close(nowMs, link, CLOSE.leaving)
    this.routes.save(nowMs)
    this.economy?.stop()
    this.#isRunning = false
  }

  interfaceUp(nowMs: number, facts: InterfaceFacts): void {
    this.#nowMs = nowMs
    this.interfaces.up(nowMs, facts)
    this.links.interfaceUp(nowMs, facts)
    this.neighbours.interfaceUp(nowMs, facts)
  }

  interfaceDown(nowMs: number, interfaceId: string): void {
    this.#nowMs = nowMs
    this.links.interfaceDown(nowMs, interfaceId)
    this.interfaces.down(interfaceId)
  }

  /** The medium reaches others than before: neighbours are looked for at once. */
  reachChanged(nowMs: number, interfaceId: string): void {
    this.#nowMs = nowMs
    this.links.greet(nowMs, interfaceId)
  }

  /** A frame from a medium; valid during the call. */
  receive(nowMs: number, interfaceId: string, frame: Uint8Array, from: string | undefined): void {
    if (!this.#isRunning) return
    this.#nowMs = nowMs
    this.links.receive(nowMs, interfaceId, frame, from)
  }

  /** The medium takes frames again. */
  drained(nowMs: number, interfaceId: string): void {
    this.#nowMs = nowMs
    this.interfaces.drained(nowMs, interfaceId)
  }

  /** Medium access gave a frame of this interface up: it found the medium busy at every attempt. */
  frameLost(nowMs: number, interfaceId: string): void {
    this.#nowMs = nowMs
    this.congestion.frameLost(nowMs, interfaceId)
  }

  /** Does what is due, and sends what may be sent. */
  tick(nowMs: number): void {
    if (!this.#isRunning) return
    this.#nowMs = nowMs
    this.links.tick(nowMs)
    this.routes.tick(nowMs)
    this.gossip.tick(nowMs)
    this.messenger.tick(nowMs)
    this.#traces.tick(nowMs)
    this.economy?.tick(nowMs)
    if (nowMs >= this.#remeasureDueMs) {
      this.interfaces.remeasure(nowMs)
      this.neighbours.remeasure(nowMs)
      this.#remeasureDueMs = nowMs + this.clock.roundMs
    }
    if (nowMs >= this.#snapshotDueMs) {
      this.routes.save(nowMs)
      this.#snapshotDueMs = nowMs + SNAPSHOT_ROUNDS * this.clock.roundMs
    }
    this.interfaces.pump(nowMs)
    this.congestion.tick(nowMs)
  }

  /** When {@link tick} has something to do. */
  nextWakeMs(): number {
    return Math.min(
      this.links.nextWakeMs(),
      this.routes.nextWakeMs(),
      this.gossip.nextWakeMs(),
      this.messenger.nextWakeMs(),
      this.#traces.nextWakeMs(),
      this.economy?.nextWakeMs() ?? Number.POSITIVE_INFINITY,
      this.interfaces.nextWakeMs(),
      this.congestion.nextWakeMs(),
      this.#remeasureDueMs,
      this.#snapshotDueMs,
    )
  }

  /** Puts a message into the outbox, durably. Returns its handle. @throws {import('@nexus/session').SessionError} */
  send(nowMs: number, destination: Uint8Array, body: Uint8Array, options?: SendOptions): bigint {
    this.#nowMs = nowMs
    const publicKey = this.contacts.publicKeyOf(destination)
    if (publicKey !== undefined) this.contacts.remember(destination, publicKey)
    return this.messenger.send(nowMs, destination, body, options)
  }

  /** Begins a stream to a node. @throws {import('@nexus/session').SessionError} without its key, or with too many streams */
  openStream(nowMs: number, destination: Uint8Array): Stream {
    this.#nowMs = nowMs
    return this.messenger.openStream(nowMs, destination)
  }

  /** Follows a path, or merely asks whether it leads there, and reports once. @throws {RangeError} above the limit of traces */
  trace(
    nowMs: number,
    destination: Uint8Array,
    record: boolean,
    timeoutMs: number,
    report: (report: TraceReport) => void,
  ): void {
    this.#nowMs = nowMs
    const id = new DataView(this.options.random(8).buffer).getBigUint64(0, true)
    const data = this.#traces.begin(nowMs, id, record, timeoutMs, report)
    if (!this.packets.sendData(nowMs, destination, CONTEXT.TRACE, data)) this.#traces.fail(id, 'no-route')
  }

  /** Hands data packets of a context that end here to a service. @throws {RangeError} where the context is taken */
  register(context: number, service: PacketService): void {
    this.packets.register(context, service)
  }

  /** Sends a packet of a service, once and without a receipt; its context says how urgent it is. False: there is no way. */
  sendData(nowMs: number, destination: Uint8Array, context: number, data: Uint8Array): boolean {
    this.#nowMs = nowMs
    return this.packets.sendData(nowMs, destination, context, data)
  }

  trust(nowMs: number, peer: TrustedPeer): void {
    this.#nowMs = nowMs
    this.neighbours.trust(nowMs, peer)
    this.economy?.named(peer)
  }

  /** Dials a node that was found on an interface, which is trusted no more for that. */
  meet(nowMs: number, nodeId: Uint8Array, interfaceId: string, address: string): void {
    this.#nowMs = nowMs
    this.neighbours.meet(nowMs, nodeId, interfaceId, address)
  }

  distrust(nowMs: number, nodeId: Uint8Array): TrustedPeer | undefined {
    this.#nowMs = nowMs
    const peer = this.neighbours.distrust(nowMs, nodeId)
    if (peer !== undefined) this.economy?.unnamed(nodeId)
    return peer
  }

  #makeInterfaces(): Interfaces {
    return new Interfaces({
      transmit: (interfaceId, frame, to) => this.#ports.transmit(interfaceId, frame, to),
      queuedBytes: (interfaceId) => this.#ports.queuedBytes(interfaceId),
      seal: (nowMs, link, type, body, isControl) => this.links.send(nowMs, link, type, body, isControl),
      sealParts: (nowMs, link, packet) => this.links.sendInterruptible(nowMs, link, MESSAGE.packet, packet),
      nextPart: (nowMs, link) => this.links.sendNextPart(nowMs, link),
      weight: (link) => this.#ports.weight?.(link.peer.nodeId) ?? this.economy?.weight(link.peer.nodeId) ?? 1,
      holds: (nowMs, link, packet) => this.economy?.holds(nowMs, link, packet) ?? false,
      sealed: (nowMs, link, packet) => this.economy?.handedOver(nowMs, link, packet),
      hasControl: (link, tier) => (tier === 1 ? this.routes.hasControl(link.id) : this.gossip.hasWork(link.id, tier)),
      pullControl: (nowMs, link, tier) => this.#pullControl(nowMs, link, tier),
      dropped: (_packet, reason) => this.packets.drop(reason),
      shared: (nowMs, interfaceId, usableBps) =>
        this.links.setControlBudget(nowMs, interfaceId, usableBps * LINK_CONTROL_SHARE),
    })
  }

  #makeLinks(): LinkLayer {
    const { crypto, identity, random, networkKey, admission } = this.options
    const admit = (key: Uint8Array): boolean => this.contacts.isTrusted(nodeIdOf(crypto, key))
    return new LinkLayer(
      {
        crypto,
        identity,
        random,
        ...(networkKey === undefined ? {} : { networkKey }),
        ...(admission === 'trusted' ? { admit } : {}),
        pace: this.clock.linkPace,
      },
      {
        transmit: (interfaceId, frame, to) => this.interfaces.transmit(this.#nowMs, interfaceId, frame, to),
        linkUp: (link) => {
          this.economy?.linkUp(this.#nowMs, link)
          this.neighbours.linkUp(this.#nowMs, link)
        },
        linkDown: (link, reason) => {
          this.congestion.linkDown(link.id)
          this.neighbours.linkDown(this.#nowMs, link, reason)
          this.economy?.linkDown(this.#nowMs, link)
        },
        message: (link, type, body) => this.#message(link, type, body),
        refused: (refusal) => this.#tell(this.#news.refused(refusal)),
        heard: (interfaceId, nodes) => this.interfaces.heard(this.#nowMs, interfaceId, nodes),
      },
    )
  }

  #makeRoutes(): Routes {
    const { store } = this.options
    return new Routes(
      {
        ...this.options,
        lamports: storedCounter(store, 'counter/announce'),
        contacts: this.contacts,
        clock: this.clock,
        verify: this.#ports.verify,
      },
      {
        want: (link) => this.interfaces.want(link),
        nowMs: () => this.#nowMs,
        peerOf: (link) => this.interfaces.link(link)?.peer.nodeId,
        heard: (nowMs, destination) => this.messenger.destinationHeard(nowMs, destination),
        event: (kind, text, facts) => this.#ports.event({ kind, text, facts }),
      },
    )
  }

  #makePackets(): Packets {
    const { interfaces } = this
    return new Packets(
      { selfId: this.nodeId, router: this.routes.router, interfaces, traces: this.#traces },
      {
        announce: (nowMs, link, packet) => {
          this.economy?.quoted(link, 'heard', { type: MESSAGE.packet, body: packet })
          this.#count(this.routes.announce(nowMs, link, packet))
        },
        deliver: (nowMs, packet) => void this.messenger.receivePacket(nowMs, packet),
        protocolMs: (nowMs) => this.clock.toProtocolMs(nowMs),
        refuses: (nowMs, link, packet) => this.economy?.refuses(nowMs, link, packet),
        addedCost: (link) => this.neighbours.addedCost(link),
      },
    )
  }

  #makeNeighbours(): Neighbours {
    const { contacts, interfaces, links, routes, gossip, packets, clock } = this
    return new Neighbours({
      contacts,
      interfaces,
      links,
      routes,
      gossip,
      packets,
      clock,
      priceMicroPerMib: this.options.priceMicroPerMib,
      closed: this.options.admission === 'trusted',
      event: (kind, text, facts) => this.#ports.event({ kind, text, facts }),
    })
  }

  #message(link: Link, type: number, body: Uint8Array): void {
    if (type === MESSAGE.packet) this.packets.receive(this.#nowMs, link, body)
    else if (type === MESSAGE.route) {
      this.economy?.quoted(link, 'heard', { type, body })
      this.#count(this.routes.frame(this.#nowMs, link, body))
    } else if (type === MESSAGE.gossip) this.#gossip(link, body)
    else if (type === MESSAGE.congestion) this.#count(this.congestion.receive(this.#nowMs, link, body))
    else if (this.economy !== undefined) this.#count(this.economy.receive(this.#nowMs, link, body))
    else this.packets.drop('unsupported')
  }

  #gossip(link: Link, body: Uint8Array): void {
    try {
      this.gossip.receive(link.id, body)
    } catch (error) {
      if (!(error instanceof GossipError)) throw error
      this.packets.drop('gossip-malformed')
    }
  }

  #pullControl(nowMs: number, link: Link, tier: Tier): ControlFrame | undefined {
    if (tier === 1) {
      const frame = this.routes.pullControl(nowMs, link.id, link.payloadBytesMax)
      if (frame !== undefined) this.economy?.quoted(link, 'given', frame)
      return frame
    }
    const body = this.gossip.pull(link.id, tier, link.payloadBytesMax)
    return body === undefined ? undefined : { type: MESSAGE.gossip, body }
  }

  #count(dropped: string | undefined): void {
    if (dropped !== undefined) this.packets.drop(dropped)
  }

  #tell(event: CoreEvent | undefined): void {
    if (event !== undefined) this.#ports.event(event)
  }
}
