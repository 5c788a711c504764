import type { Tier } from '@nexus/gossip'
import type { Link } from '@nexus/link'
import type { InterfaceFacts } from '@nexus/transport'
import { type ControlFrame, Egress, type Priority } from './egress.ts'

/** Kind, id, counter of the wider form, type and tag: what a link adds to a body; padding is found out when sent. */
const LINK_OVERHEAD_BYTES = 7 + 1 + 16

/** What an interface has carried, its control traffic apart. */
export interface InterfaceTraffic {
  readonly facts: InterfaceFacts
  readonly index: number
  readonly egress: Egress
  sentBytes: number
  controlBytes: number
  sentFrames: number
}

export interface InterfacesPorts {
  transmit(interfaceId: string, frame: Uint8Array, to: string | undefined): boolean
  seal(nowMs: number, link: Link, type: number, body: Uint8Array): boolean
  hasControl(link: Link, tier: Tier): boolean
  pullControl(nowMs: number, link: Link, tier: Tier, bytesMax: number): ControlFrame | undefined
  dropped(packet: Uint8Array, reason: string): void
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
    const egress = new Egress(nowMs, usableBps(facts, 0), mediumBytes(facts, LINK_OVERHEAD_BYTES), {
      send: (atMs, link, type, body) => this.#send(atMs, link, type, body),
      hasControl: (link, tier) => this.#ports.hasControl(this.#links.get(link)!.link, tier),
      pullControl: (atMs, id, tier, bytesMax) => {
        const { link } = this.#links.get(id)!
        return this.#ports.pullControl(atMs, link, tier, Math.min(bytesMax, link.payloadBytesMax))
      },
      dropped: (_link, packet, reason) => this.#ports.dropped(packet, reason),
    })
    this.#byId.set(facts.id, { facts, index: this.#nextIndex++, egress, sentBytes: 0, controlBytes: 0, sentFrames: 0 })
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

  linkUp(nowMs: number, link: Link): void {
    const traffic = this.#byId.get(link.interfaceId)!
    this.#links.set(link.id, { link, traffic })
    traffic.egress.linkUp(link.id)
    this.#share(nowMs, traffic)
  }

  /** Returns the packets that waited for the link, most urgent first. */
  linkDown(nowMs: number, link: Link): { priority: Priority; packet: Uint8Array }[] {
    const entry = this.#links.get(link.id)
    if (entry === undefined) return []
    this.#links.delete(link.id)
    const waiting = entry.traffic.egress.linkDown(link.id)
    this.#share(nowMs, entry.traffic)
    return waiting
  }

  /** A frame of the link layer's own, or of a message that is being sealed, on its way to the medium. */
  transmit(nowMs: number, interfaceId: string, frame: Uint8Array, to: string | undefined): boolean {
    const traffic = this.#byId.get(interfaceId)
    const taken = this.#ports.transmit(interfaceId, frame, to)
    if (!taken || traffic === undefined) return taken
    traffic.sentBytes += frame.length
    traffic.sentFrames++
    if (!this.#sealing) {
      traffic.controlBytes += frame.length
      traffic.egress.budget.spendControl(nowMs, mediumBytes(traffic.facts, frame.length))
    }
    return true
  }

  /** Sends or queues a packet. False: no such link, or no room. */
  offer(nowMs: number, link: number, packet: Uint8Array, priority: Priority): boolean {
    return this.#links.get(link)?.traffic.egress.offer(nowMs, link, packet, priority) ?? false
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
    const before = traffic.sentBytes
    this.#sealing = true
    try {
      if (!this.#ports.seal(nowMs, link, type, body)) return 0
    } finally {
      this.#sealing = false
    }
    const bytes = traffic.sentBytes - before
    if (type !== PACKET || isAnnounce(body)) traffic.controlBytes += bytes
    return mediumBytes(traffic.facts, bytes)
  }

  #share(nowMs: number, { facts, egress }: InterfaceTraffic): void {
    const bps = usableBps(facts, egress.linkCount)
    egress.budget.setUsableBps(nowMs, bps)
    this.#ports.shared(nowMs, facts.id, bps)
  }
}

const PACKET = 1
/** Of a shared radio: what the limits of each node do not plan with. */
const ANSWERS_SHARE = 0.08
const ANNOUNCE = 1

const isAnnounce = (packet: Uint8Array): boolean => (packet[0]! & 3) === ANNOUNCE

/** What a frame takes of the medium, in bytes at its nominal rate: on radio a short frame is mostly preamble. */
function mediumBytes({ airtimeSeconds, bitrateBps }: InterfaceFacts, bytes: number): number {
  return airtimeSeconds === undefined ? bytes : Math.ceil((airtimeSeconds(bytes) * bitrateBps) / 8)
}

/**
 * On a medium where everyone hears everyone, the nodes heard share it, and a part is left for what waits for no budget:
 * answers to handshakes and probes, of which there are the more, the more nodes there are.
 */
function usableBps(facts: InterfaceFacts, links: number): number {
  const bps = facts.bitrateBps * facts.dutyCycle
  return facts.reach === 'shared' && !facts.addressed ? (bps * (1 - ANSWERS_SHARE)) / (links + 1) : bps
}
