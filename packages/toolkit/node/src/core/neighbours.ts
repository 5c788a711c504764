import { toHex } from '@nexus/codec'
import { encodeBandwidth, encodeCost } from '@nexus/compact-path-cost'
import { effectiveCost } from '@nexus/congestion'
import type { Gossip } from '@nexus/gossip'
import type { DownReason, Link, LinkLayer, Target } from '@nexus/link'
import type { Router } from '@nexus/routing'
import { type InterfaceFacts, parseAddress } from '@nexus/transport'
import type { Contacts, TrustedPeer } from './contacts.ts'
import type { EventFacts, EventKind } from './events.ts'
import type { Interfaces } from './interfaces.ts'
import { MET_MAX } from './limits.ts'
import type { Packets } from './packets.ts'
import type { ProtocolClock } from './protocol-clock.ts'
import type { Routes } from './routes.ts'

/** Own price in μNXS per MiB where none is set. */
const PRICE_DEFAULT = 1_000
/** On media of this rate the price is as set; slower ones are scarce, so they are dearer in proportion. */
const FULL_PRICE_BPS = 1_000_000
const LATENCY_MS_MAX = 0xffff
/** A latency that moved by less is not worth telling anyone. */
const LATENCY_STEP = 0.25

const DOWN_TEXT: Record<DownReason, string> = {
  closed: 'it was closed here',
  'peer-closed': 'the neighbour closed it',
  silent: 'the neighbour fell silent',
  replaced: 'a newer link took its place',
  'interface-down': 'the interface went down',
}

export interface NeighbourParts {
  readonly contacts: Contacts
  readonly interfaces: Interfaces
  readonly links: LinkLayer
  readonly routes: Routes
  readonly gossip: Gossip
  readonly packets: Packets
  readonly clock: ProtocolClock
  readonly priceMicroPerMib: number | undefined
  readonly closed: boolean
  event(kind: EventKind, text: string, facts: EventFacts): void
}

/** Links as they come and go: who is told, what they cost, whom to dial. */
export class Neighbours {
  readonly #parts: NeighbourParts
  readonly #latencies = new Map<number, number>()
  /** By link: how full its queue was in the last round. */
  readonly #fills = new Map<number, number>()
  /** Nodes that were found, in the order of when, by NodeID in hex. */
  readonly #met = new Map<string, { readonly interfaceId: string; readonly target: Target }>()

  constructor(parts: NeighbourParts) {
    this.#parts = parts
  }

  linkUp(nowMs: number, link: Link): void {
    const { interfaces, gossip, event, contacts } = this.#parts
    const hasRoom = interfaces.linkUp(nowMs, link)
    const { nodeId, publicKey } = link.peer
    contacts.heard(nodeId, publicKey, contacts.labelOf(nodeId))
    const latencyMs = this.#latencyMs(link)
    this.#latencies.set(link.id, latencyMs)
    const isTaken =
      hasRoom &&
      this.#router.adjacencyUp(this.#parts.clock.toProtocolMs(nowMs), link.id, {
        nodeId,
        interfaceId: interfaces.of(link.id)!.index,
        addCost: this.addedCost(link),
        latencyMs,
        bandwidth: this.#bandwidth(link),
        free: contacts.terms.isFree(nodeId),
        charge: contacts.terms.costFor(nodeId),
      })
    if (!isTaken) return this.#parts.links.close(nowMs, link, CLOSE_CAPACITY)
    gossip.neighbourUp(nowMs, link.id, link.bitrateBps)
    event('link-up', `Linked with ${this.#name(nodeId)} over ${link.interfaceId}.`, this.#facts(link))
  }

  linkDown(nowMs: number, link: Link, reason: DownReason): void {
    const { interfaces, routes, gossip, packets, event } = this.#parts
    const waiting = interfaces.linkDown(link)
    this.#latencies.delete(link.id)
    this.#fills.delete(link.id)
    routes.linkDown(nowMs, link.id)
    gossip.neighbourDown(link.id)
    packets.reroute(nowMs, waiting, 'link-down')
    const text = `The link with ${this.#name(link.peer.nodeId)} over ${link.interfaceId} ended: ${DOWN_TEXT[reason]}.`
    event('link-down', text, { ...this.#facts(link), reason })
  }

  /** Tells routing what was measured since it was last told: latency, bandwidth, and what the queues make links cost. */
  remeasure(nowMs: number): void {
    for (const link of this.#parts.links.links()) {
      const measured = this.#latencyMs(link)
      const before = this.#latencies.get(link.id)
      if (before === undefined) continue
      const latencyMs = Math.abs(measured - before) <= LATENCY_STEP * before ? before : measured
      this.#latencies.set(link.id, latencyMs)
      this.#fills.set(link.id, this.#parts.interfaces.of(link.id)!.egress.takeFillPeak(link.id))
      this.#router.adjacencyChanged(this.#parts.clock.toProtocolMs(nowMs), link.id, {
        latencyMs,
        addCost: this.addedCost(link),
        bandwidth: this.#bandwidth(link),
      })
    }
  }

  /** Dials the trusted peers that have an address on an interface that came up. */
  interfaceUp(nowMs: number, facts: InterfaceFacts): void {
    for (const peer of this.#parts.contacts.trusted()) this.#dial(nowMs, peer, facts)
  }

  /** @throws {TypeError} for an address that cannot be dialled, {RangeError} as {@link Contacts.trust} */
  trust(nowMs: number, peer: TrustedPeer): void {
    const { address } = dialOf(peer)?.target ?? {}
    if (address !== undefined) parseAddress(address)
    this.#parts.contacts.trust(peer)
    for (const { facts } of this.#parts.interfaces.values()) this.#dial(nowMs, peer, facts)
    // It may have been refused a moment ago, and would wait before it tries again.
    if (this.#parts.closed) this.#parts.links.admissionChanged(nowMs)
    this.#refreshTerms(nowMs, peer.nodeId)
  }

  /** Dials a node that was found, from now on at this address alone; of too many the one found first is let go. */
  meet(nowMs: number, nodeId: Uint8Array, interfaceId: string, address: string): void {
    const { links } = this.#parts
    const key = toHex(nodeId)
    const before = this.#met.get(key)
    const isKnown = before?.interfaceId === interfaceId && before.target.address === address
    this.#met.delete(key)
    if (before !== undefined && !isKnown) links.forget(before.interfaceId, before.target)
    if (this.#met.size >= MET_MAX) {
      const [oldest, { interfaceId: at, target }] = [...this.#met][0]!
      this.#met.delete(oldest)
      links.forget(at, target)
    }
    const target = { nodeId: nodeId.slice(), address }
    this.#met.set(key, { interfaceId, target })
    links.dial(nowMs, interfaceId, target)
  }

  distrust(nowMs: number, nodeId: Uint8Array): TrustedPeer | undefined {
    const { contacts, links, closed } = this.#parts
    const peer = contacts.distrust(nodeId)
    if (peer === undefined) return undefined
    const dialled = dialOf(peer)
    if (dialled !== undefined) links.forget(dialled.interfaceId, { nodeId, ...dialled.target })
    if (!closed) this.#refreshTerms(nowMs, nodeId)
    else for (const link of this.#linksWith(nodeId)) links.close(nowMs, link, CLOSE_POLICY)
    return peer
  }

  /** Encoded cost that this node adds to what leaves by a link: its price, and more where its queue was long in the last round. */
  addedCost(link: Link): number {
    const price = (this.#parts.priceMicroPerMib ?? PRICE_DEFAULT) * Math.max(1, FULL_PRICE_BPS / link.bitrateBps)
    return encodeCost(BigInt(Math.round(effectiveCost(price, this.#fills.get(link.id) ?? 0))) << 16n)
  }

  get #router(): Router {
    return this.#parts.routes.router
  }

  #dial(nowMs: number, peer: TrustedPeer, facts: InterfaceFacts): void {
    const dialled = dialOf(peer)
    // One that was noted before addresses were looked at must not bring the node down.
    if (dialled?.interfaceId === facts.id && isDiallable(dialled.target))
      this.#parts.links.dial(nowMs, facts.id, { nodeId: peer.nodeId, ...dialled.target })
  }

  #refreshTerms(nowMs: number, nodeId: Uint8Array): void {
    const { terms } = this.#parts.contacts
    const change = { free: terms.isFree(nodeId), charge: terms.costFor(nodeId) }
    for (const link of this.#linksWith(nodeId)) {
      this.#router.adjacencyChanged(this.#parts.clock.toProtocolMs(nowMs), link.id, change)
    }
  }

  #linksWith(nodeId: Uint8Array): Link[] {
    const key = toHex(nodeId)
    return [...this.#parts.links.links()].filter((link) => toHex(link.peer.nodeId) === key)
  }

  /** Encoded bit/s of a link: what its slower end states, or what its medium was measured to carry, if that is less. */
  #bandwidth(link: Link): number {
    const { facts, egress } = this.#parts.interfaces.of(link.id)!
    const bps = Math.min(link.bitrateBps, egress.shaper.meter.bps)
    return encodeBandwidth(Math.max(1, Math.round(bps * facts.dutyCycle)))
  }

  /** Half a round trip, or the airtime of a full frame where none was measured. */
  #latencyMs(link: Link): number {
    const { facts } = this.#parts.interfaces.of(link.id)!
    const airtimeMs = 1_000 * (facts.airtimeSeconds?.(FRAME_BYTES) ?? (8 * FRAME_BYTES) / facts.bitrateBps)
    return Math.min(LATENCY_MS_MAX, Math.max(1, Math.round(link.rttMs === undefined ? airtimeMs : link.rttMs / 2)))
  }

  #name(nodeId: Uint8Array): string {
    return this.#parts.contacts.labelOf(nodeId) ?? toHex(nodeId).slice(0, 8)
  }

  #facts(link: Link): EventFacts {
    return { link: link.id, peer: toHex(link.peer.nodeId), interface: link.interfaceId, address: link.address ?? null }
  }
}

const FRAME_BYTES = 508
const CLOSE_CAPACITY = 2
const CLOSE_POLICY = 3

/** Interface and target of a peer's address, `<interface id>` or `<interface id> <address>`. */
function dialOf(peer: TrustedPeer): { interfaceId: string; target: { address?: string } } | undefined {
  if (peer.address === undefined) return undefined
  const space = peer.address.indexOf(' ')
  if (space < 0) return { interfaceId: peer.address, target: {} }
  return { interfaceId: peer.address.slice(0, space), target: { address: peer.address.slice(space + 1) } }
}

function isDiallable({ address }: { address?: string }): boolean {
  try {
    if (address !== undefined) parseAddress(address)
    return true
  } catch {
    return false
  }
}
