import type { Priority, Severity } from '@nexus/congestion'
import type { Tier } from '@nexus/gossip'
import type { Link } from '@nexus/link'
import type { InterfaceFacts } from '@nexus/transport'
import { type ControlFrame, Egress, type EgressFacts, type WaitingPacket } from './egress.ts'

/** What an interface has carried, its control traffic apart. */
export interface InterfaceTraffic {
  readonly facts: InterfaceFacts
  readonly index: number
  readonly egress: Egress
  /** Other nodes on the medium, as far as they were heard. */
  others: number
  sentBytes: number
  controlBytes: number
  sentFrames: number
}

export interface InterfacesPorts {
  transmit(interfaceId: string, frame: Uint8Array, to: string | undefined): boolean
  /** Bytes that wait in the interface. */
  queuedBytes(interfaceId: string): number
  /** `isControl`: the node's own talk, not its user's. */
  seal(nowMs: number, link: Link, type: number, body: Uint8Array, isControl: boolean): boolean
  /** Whether a packet that could be sealed now has to wait elsewhere; it comes back by {@link Interfaces.offer}. */
  holds?(nowMs: number, link: Link, packet: Uint8Array): boolean
  /** A packet was sealed, and its frame, or the first part of it, taken by the medium. */
  sealed?(nowMs: number, link: Link, packet: Uint8Array): void
  /** Seals a packet in parts and sends the first; how many are left. */
  sealParts(nowMs: number, link: Link, packet: Uint8Array): number
  nextPart(nowMs: number, link: Link): number
  hasControl(link: Link, tier: Tier): boolean
  pullControl(nowMs: number, link: Link, tier: Tier): ControlFrame | undefined
  dropped(packet: Uint8Array, reason: string): void
  /** Weight of a neighbour among those that share a medium; equal for all unless given. */
  weight?(link: Link): number
  /** As more or fewer nodes share a medium, this much of it is this node's. */
  shared(nowMs: number, interfaceId: string, usableBps: number): void
}

/** The interfaces that are up, the links over them, and what waits to leave by each. */
export class Interfaces {
  readonly #ports: InterfacesPorts
  readonly #byId = new Map<string, InterfaceTraffic>()
  readonly #links = new Map<number, { readonly link: Link; readonly traffic: InterfaceTraffic }>()
  #nextIndex = 1
  /** Set while a message of the layers above is being sealed: other frames are the link's own control. */
  #sealing = false

  constructor(ports: InterfacesPorts) {
    this.#ports = ports
  }

  up(nowMs: number, facts: InterfaceFacts): void {
    const { weight } = this.#ports
    const egress = new Egress(nowMs, egressFacts(facts), {
      send: (atMs, link, type, body) => this.#send(atMs, link, type, body),
      sendFirstPart: (atMs, link, packet) => this.#sendFirstPart(atMs, link, packet),
      sendNextPart: (atMs, link) => this.#sendNextPart(atMs, link),
      mediumQueueBytes: () => this.#ports.queuedBytes(facts.id),
      hasControl: (link, tier) => this.#ports.hasControl(this.#links.get(link)!.link, tier),
      pullControl: (atMs, id, tier) => this.#ports.pullControl(atMs, this.#links.get(id)!.link, tier),
      dropped: (_link, packet, reason) => this.#ports.dropped(packet, reason),
      ...(weight === undefined ? {} : { weight: (link) => weight(this.#links.get(link)!.link) }),
    })
    const index = this.#nextIndex++
    this.#byId.set(facts.id, { facts, index, egress, others: 0, sentBytes: 0, controlBytes: 0, sentFrames: 0 })
  }

  down(interfaceId: string): void {
    this.#byId.delete(interfaceId)
  }

  get(interfaceId: string): InterfaceTraffic | undefined {
    return this.#byId.get(interfaceId)
  }

  values(): IterableIterator<InterfaceTraffic> {
    return this.#byId.values()
  }

  link(id: number): Link | undefined {
    return this.#links.get(id)?.link
  }

  /** The interface of a link that is up. */
  of(link: number): InterfaceTraffic | undefined {
    return this.#links.get(link)?.traffic
  }

  /** False where there are as many links on the interface as the limit allows. */
  linkUp(nowMs: number, link: Link): boolean {
    const traffic = this.#byId.get(link.interfaceId)!
    this.#links.set(link.id, { link, traffic })
    return traffic.egress.linkUp(nowMs, link.id)
  }

  /** Returns the packets that waited for the link, most urgent first. */
  linkDown(link: Link): WaitingPacket[] {
    const entry = this.#links.get(link.id)
    if (entry === undefined) return []
    this.#links.delete(link.id)
    return entry.traffic.egress.linkDown(link.id)
  }

  /** So many other nodes were heard on a medium. */
  heard(nowMs: number, interfaceId: string, others: number): void {
    const traffic = this.#byId.get(interfaceId)
    if (traffic === undefined || traffic.others === others) return
    traffic.others = others
    this.#share(nowMs, traffic)
  }

  /** A frame of the link layer's own, or of a message that is being sealed, on its way to the medium. */
  transmit(nowMs: number, interfaceId: string, frame: Uint8Array, to: string | undefined): boolean {
    const traffic = this.#byId.get(interfaceId)
    const taken = this.#ports.transmit(interfaceId, frame, to)
    if (!taken || traffic === undefined) return taken
    traffic.sentBytes += frame.length
    traffic.sentFrames++
    traffic.egress.used(nowMs, frame.length)
    if (!this.#sealing) {
      traffic.controlBytes += frame.length
      traffic.egress.budget.spendControl(nowMs, mediumBytes(traffic.facts, frame.length))
    }
    return true
  }

  /** Sends or queues a packet that came over link `source`. False: no such link, or no room. */
  offer(nowMs: number, link: number, packet: Uint8Array, priority: Priority, source: number): boolean {
    return this.#links.get(link)?.traffic.egress.offer(nowMs, link, packet, priority, source) ?? false
  }

  /** The worse of what the neighbour signalled, what its queue has come to, and how its medium fares. */
  severity(nowMs: number, link: number): Severity {
    return this.#links.get(link)?.traffic.egress.severity(nowMs, link) ?? 0
  }

  want(link: number): void {
    this.#links.get(link)?.traffic.egress.want(link)
  }

  drained(nowMs: number, interfaceId: string): void {
    const egress = this.#byId.get(interfaceId)?.egress
    egress?.unblock()
    egress?.pump(nowMs)
  }

  /** Lets every interface send what it may. Returns true where more would go at once. */
  pump(nowMs: number): boolean {
    let more = false
    for (const { egress } of this.#byId.values()) more = egress.pump(nowMs) || more
    return more
  }

  nextWakeMs(): number {
    let wake = Number.POSITIVE_INFINITY
    for (const { egress } of this.#byId.values()) wake = Math.min(wake, egress.nextWakeMs())
    return wake
  }

  #send(nowMs: number, id: number, type: number, body: Uint8Array): number {
    const { link, traffic } = this.#links.get(id)!
    const isControl = type !== PACKET || isAnnounce(body)
    if (!isControl && this.#ports.holds?.(nowMs, link, body)) return 1
    const before = traffic.sentBytes
    this.#sealing = true
    try {
      if (!this.#ports.seal(nowMs, link, type, body, isControl)) return 0
    } finally {
      this.#sealing = false
    }
    if (!isControl) this.#ports.sealed?.(nowMs, link, body)
    const bytes = traffic.sentBytes - before
    if (isControl) traffic.controlBytes += bytes
    return mediumBytes(traffic.facts, bytes)
  }

  #sendFirstPart(nowMs: number, id: number, packet: Uint8Array): number {
    const { link, traffic } = this.#links.get(id)!
    if (this.#ports.holds?.(nowMs, link, packet)) return 0
    const before = traffic.sentFrames
    this.#sealing = true
    try {
      const left = this.#ports.sealParts(nowMs, link, packet)
      if (traffic.sentFrames === before) return -1
      this.#ports.sealed?.(nowMs, link, packet)
      return left
    } finally {
      this.#sealing = false
    }
  }

  #sendNextPart(nowMs: number, id: number): number {
    const { link } = this.#links.get(id)!
    this.#sealing = true
    try {
      return this.#ports.nextPart(nowMs, link)
    } finally {
      this.#sealing = false
    }
  }

  /** What was measured since counts from now on. */
  remeasure(nowMs: number): void {
    for (const traffic of this.#byId.values()) this.#share(nowMs, traffic)
  }

  #share(nowMs: number, { facts, egress, others }: InterfaceTraffic): void {
    const bps = usableBps(facts, others, egress.shaper.meter.bps)
    egress.budget.setUsableBps(nowMs, bps)
    this.#ports.shared(nowMs, facts.id, bps)
  }
}

const PACKET = 1
/** Of a shared radio, what the limits of each node do not plan with: collisions and repeats are nobody's plan. */
const RESERVED_SHARE = 0.08
/** More than this is never reserved, however little a medium carries. */
const RESERVED_SHARE_MAX = 0.5
/** Of the usable bandwidth, what all control traffic keeps to. */
const CONTROL_SHARE = 0.1
/** A padded announce. */
const ANNOUNCE_FRAME_BYTES = 181
const HOUR_S = 3_600
const ANNOUNCE = 1

const isAnnounce = (packet: Uint8Array): boolean => (packet[0]! & 3) === ANNOUNCE

/** What a frame takes of the medium, in bytes at its nominal rate: on radio a short frame is mostly preamble. */
function mediumBytes({ airtimeSeconds, bitrateBps }: InterfaceFacts, bytes: number): number {
  return airtimeSeconds === undefined ? bytes : Math.ceil((airtimeSeconds(bytes) * bitrateBps) / 8)
}

function egressFacts(facts: InterfaceFacts): EgressFacts {
  const { airtimeSeconds, bitrateBps } = facts
  return {
    nominalBps: bitrateBps,
    usableBps: usableBps(facts, 0, bitrateBps),
    ...(airtimeSeconds === undefined ? {} : { airtimeMs: (bytes) => 1_000 * airtimeSeconds(bytes) }),
  }
}

/**
 * On a medium where everyone hears everyone, the nodes heard share it. An hour may begin with an announce of each node that
 * is earned only in it: so much less is planned with.
 */
function usableBps(facts: InterfaceFacts, others: number, measuredBps: number): number {
  // By airtime a node on radio plans at the nominal rate: there each frame is counted by what it takes of the medium.
  const bps = (facts.airtimeSeconds === undefined ? measuredBps : facts.bitrateBps) * facts.dutyCycle
  if (facts.reach !== 'shared' || facts.addressed) return bps
  const ownBps = bps / (others + 1)
  const owedBps = (8 * mediumBytes(facts, ANNOUNCE_FRAME_BYTES)) / (CONTROL_SHARE * HOUR_S)
  return ownBps - Math.min(RESERVED_SHARE_MAX * ownBps, RESERVED_SHARE * ownBps + owedBps)
}
