import { decodeUtf8, encodeUtf8, fromHex, toHex } from '@nexus/codec'
import { encodePathCost, PATH_COST_ORIGIN } from '@nexus/compact-path-cost'
import type { Crypto, Random } from '@nexus/crypto'
import { EXTENSION_TLV, encodeAnnouncePacket, FramingError, packetDestination, signAnnounce } from '@nexus/framing'
import { ROUND_MS } from '@nexus/gossip'
import type { Identity, ReservedCounter } from '@nexus/identity'
import { type Link, MESSAGE } from '@nexus/link'
import { NO_HOP, type PolicyName, Router, RoutingError } from '@nexus/routing'
import { AnnounceGate, type VerifiedAnnounce, type VerifyPort } from './announcing.ts'
import type { Contacts } from './contacts.ts'
import type { ControlFrame } from './egress.ts'
import type { EventFacts, EventKind } from './events.ts'
import type { ProtocolClock } from './protocol-clock.ts'
import type { Store } from './store.ts'

const ROUTES_KEY = 'routes'
const DAMAGED_KEY = 'routes.damaged'
/** Packet header, sealed box and link frame around a message's body. */
const PACKET_OVERHEAD_BYTES = 196
/** No control frame is longer. */
const FRAME_BYTES_MAX = 484

export interface RoutesOptions {
  readonly crypto: Crypto
  readonly identity: Identity
  readonly random: Random
  readonly store: Store
  readonly lamports: ReservedCounter
  readonly contacts: Contacts
  readonly clock: ProtocolClock
  readonly verify: VerifyPort
  readonly policy?: PolicyName
  readonly label?: string
  readonly capabilities?: number
}

export interface RoutesPorts {
  want(link: number): void
  /** The node's clock, for what the router asks within a call. */
  nowMs(): number
  /** Peer of a link that is up. */
  peerOf(link: number): Uint8Array | undefined
  /** A destination was heard of for the first time or anew. */
  heard(nowMs: number, destination: Uint8Array): void
  event(kind: EventKind, text: string, facts: EventFacts): void
}

/** The routing core with what it needs around it: signature checks, own announces, the copy on disk, news of changes. */
export class Routes {
  readonly router: Router
  verified = 0
  refused = 0
  readonly #options: RoutesOptions
  readonly #ports: RoutesPorts
  readonly #gate: AnnounceGate
  /** Links for which the router has control frames. */
  readonly #due = new Set<number>()
  /** Who serves a destination, as last told. */
  readonly #told = new Map<string, number>()

  constructor(options: RoutesOptions, ports: RoutesPorts) {
    const { crypto, identity, random, policy, verify } = options
    this.#options = options
    this.#ports = ports
    this.#gate = new AnnounceGate(
      crypto,
      verify,
      (nowMs, announce) => this.#verified(nowMs, announce),
      () => this.refused++,
    )
    this.router = new Router(
      {
        selfId: identity.nodeId,
        crypto,
        hashSeed: new DataView(random(4).buffer).getUint32(0, true),
        roundPhaseMs: (new DataView(random(4).buffer).getUint32(0, true) / 2 ** 32) * ROUND_MS,
        ...(policy === undefined ? {} : { policy }),
      },
      {
        want: (link) => {
          this.#due.add(link)
          ports.want(link)
        },
        selfAnnounce: (atLeast) => this.announceSelf(ports.nowMs(), atLeast),
        changed: (destination) => this.#changed(destination),
        duplicateIdentity: (destination) => this.#duplicate(destination),
      },
    )
  }

  /** Takes what the disk holds. A snapshot that cannot be read is kept aside and told of. */
  restore(nowMs: number): void {
    const { store } = this.#options
    const bytes = store.get(ROUTES_KEY)
    if (bytes === undefined) return
    try {
      this.router.restore(this.#protocolMs(nowMs), bytes)
    } catch (error) {
      if (!(error instanceof RoutingError)) throw error
      store.put(DAMAGED_KEY, bytes)
      store.delete(ROUTES_KEY)
      this.#ports.event(
        'problem',
        `The stored routing table cannot be read (${error.message}); it is kept as ${DAMAGED_KEY}.`,
        {
          code: error.detail.code,
        },
      )
    }
  }

  save(nowMs: number): void {
    this.#options.store.put(ROUTES_KEY, this.router.snapshot(this.#protocolMs(nowMs)))
  }

  /** Signs and spreads an announce of this node, with a lamport of at least `atLeast` and above all before. */
  announceSelf(nowMs: number, atLeast: bigint): void {
    const { identity, lamports, label, capabilities = 0 } = this.#options
    if (atLeast > 0n) lamports.raiseTo(atLeast - 1n)
    const tlvs = [
      { type: EXTENSION_TLV.CAPABILITIES, data: Uint8Array.of(capabilities & 0xff, capabilities >> 8) },
      ...(label === undefined ? [] : [{ type: EXTENSION_TLV.COMMUNITY, data: encodeUtf8(label) }]),
    ]
    const announce = signAnnounce(identity, { lamport: lamports.next(), cost: encodePathCost(PATH_COST_ORIGIN), tlvs })
    this.router.announceSelf(this.#protocolMs(nowMs), encodeAnnouncePacket(identity.nodeId, announce))
  }

  /** An announce packet from a neighbour. Returns why it was dropped, if it was. */
  announce(nowMs: number, link: Link, packet: Uint8Array): string | undefined {
    try {
      const assessment = this.router.assess(this.#protocolMs(nowMs), link.id, packet)
      if (assessment === 'drop') return 'announce-not-needed'
      if (assessment === 'verify') return this.#gate.offer(link.id, packet) ? undefined : 'announce-no-room'
      this.#receive(nowMs, link.id, packet.slice())
      return undefined
    } catch (error) {
      if (!(error instanceof FramingError || error instanceof RoutingError)) throw error
      this.refused++
      return 'announce-malformed'
    }
  }

  /** The body of a route message. Returns why it was dropped, if it was. */
  frame(nowMs: number, link: Link, body: Uint8Array): string | undefined {
    try {
      this.router.receiveRouteFrame(this.#protocolMs(nowMs), link.id, body)
      return undefined
    } catch (error) {
      if (!(error instanceof RoutingError)) throw error
      return 'route-malformed'
    }
  }

  /** Destinations that have a route now. */
  *destinations(): IterableIterator<Uint8Array> {
    for (const key of this.#told.keys()) yield fromHex(key)
  }

  /**
   * What a packet of `bytes` and its answer take at most by what is known of the path: its slowest hop's latency and its
   * narrowest hop's airtime, at every hop, both ways. Undefined without a route.
   */
  roundTripMs(nowMs: number, destination: Uint8Array, bytes: number): number | undefined {
    const { candidates } = this.router.explain(this.#protocolMs(nowMs), destination)
    const chosen = candidates.find(({ verdict }) => verdict === 'chosen')
    if (chosen === undefined) return undefined
    const hopMs = chosen.latencyMs + (8_000 * (bytes + PACKET_OVERHEAD_BYTES)) / Math.max(1, chosen.bandwidthBps)
    return 2 * (chosen.hops + 1) * hopMs
  }

  hasControl(link: number): boolean {
    return this.#due.has(link)
  }

  /** The next frame, at most as long as the link carries. */
  pullControl(nowMs: number, link: number, linkBytesMax: number): ControlFrame | undefined {
    const frame = this.router.pull(this.#protocolMs(nowMs), link, Math.min(linkBytesMax, FRAME_BYTES_MAX))
    if (frame === undefined) {
      this.#due.delete(link)
      return undefined
    }
    return { type: frame.kind === 'packet' ? MESSAGE.packet : MESSAGE.route, body: frame.bytes }
  }

  linkDown(nowMs: number, link: number): void {
    this.#due.delete(link)
    this.router.adjacencyDown(this.#protocolMs(nowMs), link)
  }

  tick(nowMs: number): void {
    this.router.tick(this.#protocolMs(nowMs))
    this.#gate.flush()
  }

  nextWakeMs(): number {
    return this.#gate.isIdle ? this.#options.clock.toRealMs(this.router.nextWakeMs()) : 0
  }

  #verified(nowMs: number, { link, packet, destination, announce }: VerifiedAnnounce): void {
    this.verified++
    const label = announce.extension.tlvs.find(({ type }) => type === EXTENSION_TLV.COMMUNITY)
    this.#options.contacts.heard(destination, announce.publicKey, label && decodeUtf8(label.data))
    if (this.#ports.peerOf(link) === undefined) return
    try {
      this.#receive(nowMs, link, packet)
    } catch (error) {
      if (!(error instanceof RoutingError)) throw error
      this.refused++
    }
  }

  #receive(nowMs: number, link: number, packet: Uint8Array): void {
    const verdict = this.router.receiveAnnounce(this.#protocolMs(nowMs), link, packet)
    if (verdict === 'new' || verdict === 'newer') this.#ports.heard(nowMs, packetDestination(packet))
  }

  #changed(destination: Uint8Array): void {
    const key = toHex(destination)
    const hop = this.router.nextHop(destination)
    const before = this.#told.get(key) ?? NO_HOP
    if (hop === before) return
    if (hop === NO_HOP) this.#told.delete(key)
    else this.#told.set(key, hop)
    const kind = hop === NO_HOP ? 'route-down' : before === NO_HOP ? 'route-up' : 'route-changed'
    const name = this.#options.contacts.labelOf(destination) ?? key.slice(0, 8)
    const via = hop === NO_HOP ? undefined : this.#ports.peerOf(hop)
    const viaName = via && (this.#options.contacts.labelOf(via) ?? toHex(via).slice(0, 8))
    const text = {
      'route-down': `No route to ${name} any more.`,
      'route-up': `Found ${name} by way of ${viaName}.`,
      'route-changed': `The way to ${name} now leads by ${viaName}.`,
    }
    this.#ports.event(kind, text[kind], { destination: key, nextHop: via ? toHex(via) : null })
    if (hop !== NO_HOP) this.#ports.heard(this.#ports.nowMs(), destination)
  }

  #duplicate(destination: Uint8Array): void {
    const isSelf = toHex(destination) === toHex(this.#options.identity.nodeId)
    const text = isSelf
      ? 'Another node announces itself with this node’s key: the seed was copied. Stop one of the two.'
      : 'Two nodes announce themselves with one key.'
    this.#ports.event('duplicate-identity', text, { nodeId: toHex(destination), self: isSelf })
  }

  #protocolMs(nowMs: number): number {
    return this.#options.clock.toProtocolMs(nowMs)
  }
}
