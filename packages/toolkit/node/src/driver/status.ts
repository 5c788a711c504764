import { toHex } from '@nexus/codec'
import { costMicroPerMib } from '@nexus/compact-path-cost'
import { RECORD_TIERS } from '@nexus/gossip'
import type { Listening } from '@nexus/transport'
import type { Status } from '../api/schemas.ts'
import type { NodeCore } from '../core/node-core.ts'
import { interfaceCongestionOf, linkCongestionOf } from './congestion-status.ts'
import { economyStatusOf } from './economy-status.ts'

type InterfaceStatus = Status['interfaces'][number]

/** Share of the usable bandwidth that control may take. */
const CONTROL_SHARE = 0.1

export interface StatusFacts {
  readonly version: string
  readonly crypto: string
  readonly routesMax: number
  queuedBytes(interfaceId: string): number
  /** The transports that wait for others to connect, by name. */
  listening(): ReadonlyMap<string, Listening>
}

/** A snapshot of a node, as `nexus-status/1`. */
export function statusOf(core: NodeCore, nowMs: number, facts: StatusFacts): Status {
  const { options } = core
  const stats = core.routes.router.stats()
  const states = { queued: 0, sent: 0, delivered: 0, failed: 0 }
  for (const { state } of core.messenger.list(nowMs)) states[state]++
  return {
    schema: 'nexus-status/1',
    node: {
      nodeId: toHex(core.nodeId),
      publicKey: toHex(options.identity.publicKey),
      ...(options.label === undefined ? {} : { label: options.label }),
      version: facts.version,
      upForMs: Math.round(nowMs - core.startedMs),
      roundMs: core.clock.roundMs,
      policy: options.policy ?? 'balanced',
      crypto: facts.crypto,
      admission: options.admission ?? 'open',
      networkKey: options.networkKey !== undefined,
    },
    interfaces: interfacesOf(core, nowMs, facts),
    links: linksOf(core, nowMs),
    routes: routesOf(core, nowMs, facts.routesMax),
    routesTotal: stats.routes,
    knownNodes: core.contacts.knownCount,
    gossip: RECORD_TIERS.map((tier) => ({ tier, records: core.gossip.summary(tier).count })),
    messages: { ...states, inbox: core.messenger.stats().inboxMessages },
    counters: {
      forwarded: core.packets.forwarded,
      delivered: core.packets.delivered,
      announcesVerified: core.routes.verified,
      announcesRefused: core.routes.refused,
      dropped: { ...core.packets.dropped },
    },
    ...(core.economy === undefined ? {} : { economy: economyStatusOf(core.economy) }),
  }
}

function interfacesOf(core: NodeCore, nowMs: number, facts: StatusFacts): Status['interfaces'] {
  return [...openInterfaces(core, nowMs, facts), ...[...facts.listening()].map(listeningInterface)]
}

/** A server before, and beside, the interfaces that its connections are. */
function listeningInterface([id, { kind, address, mtuBytes, bitrateBps }]: [string, Listening]): InterfaceStatus {
  const nothing = { links: 0, queuedBytes: 0, sentBytes: 0, receivedBytes: 0, sentFrames: 0, receivedFrames: 0 }
  return {
    id,
    kind,
    listens: address,
    mtuBytes,
    bitrateBps,
    duplex: 'full',
    dutyCycle: 1,
    ...nothing,
    controlBytes: 0,
    controlBudgetBps: 0,
    congestion: { measuredBps: bitrateBps, severity: 0, gaveUp: 0 },
    refused: {},
  }
}

function openInterfaces(core: NodeCore, nowMs: number, facts: StatusFacts): InterfaceStatus[] {
  const { interfaces: heard } = core.links.stats()
  return [...core.interfaces.values()].map((traffic) => {
    const { facts: medium, egress, sentBytes, sentFrames, controlBytes } = traffic
    const stats = heard.get(medium.id)
    const refused = Object.entries(stats?.refused ?? {}).filter(([, count]) => count > 0)
    return {
      id: medium.id,
      kind: medium.kind,
      mtuBytes: medium.mtuBytes,
      bitrateBps: medium.bitrateBps,
      duplex: medium.duplex,
      dutyCycle: medium.dutyCycle,
      links: egress.linkCount,
      queuedBytes: egress.queuedBytes + facts.queuedBytes(medium.id),
      sentBytes,
      receivedBytes: stats?.bytesIn ?? 0,
      sentFrames,
      receivedFrames: stats?.framesIn ?? 0,
      controlBytes,
      controlBudgetBps: egress.budget.usableBps * CONTROL_SHARE,
      congestion: interfaceCongestionOf(traffic, nowMs),
      refused: {
        ...Object.fromEntries(refused),
        ...(stats !== undefined && stats.forged > 0 ? { forged: stats.forged } : {}),
      },
    }
  })
}

function linksOf(core: NodeCore, nowMs: number): Status['links'] {
  return [...core.links.links()].map((link) => {
    const { nodeId } = link.peer
    const label = core.contacts.labelOf(nodeId)
    return {
      id: link.id,
      interfaceId: link.interfaceId,
      peer: toHex(nodeId),
      ...(label === undefined ? {} : { label }),
      trusted: core.contacts.isTrusted(nodeId),
      ...(link.address === undefined ? {} : { address: link.address }),
      rttMs: link.rttMs ?? null,
      bitrateBps: link.bitrateBps,
      upForMs: Math.max(0, nowMs - link.upSinceMs),
      heardAgoMs: Math.max(0, nowMs - link.lastHeardMs),
      congestion: linkCongestionOf(core, nowMs, link.id),
      queueFill: (core.interfaces.of(link.id)?.egress.fill(link.id) ?? 0) / 255,
      sentBytes: link.counters.bytesOut,
      receivedBytes: link.counters.bytesIn,
      addedCost: costMicroPerMib(core.neighbours.addedCost(link)),
    }
  })
}

function routesOf(core: NodeCore, nowMs: number, routesMax: number): Status['routes'] {
  const routes: Status['routes'] = []
  const protocolMs = core.clock.toProtocolMs(nowMs)
  for (const destination of core.routes.destinations()) {
    if (routes.length >= routesMax) break
    const { candidates, isStale, ageMs } = core.routes.router.explain(protocolMs, destination)
    const chosen = candidates.find(({ verdict }) => verdict === 'chosen')
    const traffic = chosen && core.interfaces.of(chosen.adjacency)
    if (chosen === undefined || traffic === undefined) continue
    const label = core.contacts.labelOf(destination)
    routes.push({
      destination: toHex(destination),
      ...(label === undefined ? {} : { label }),
      nextHop: toHex(chosen.nodeId),
      interfaceId: traffic.facts.id,
      cost: costMicroPerMib(chosen.cost),
      latencyMs: chosen.latencyMs,
      bandwidthBps: chosen.bandwidthBps,
      hops: chosen.hops,
      reliability: chosen.reliability / 255,
      state: isStale ? 'stale' : 'live',
      expiresInMs: Math.max(0, EXPIRES_MS - (ageMs ?? 0)),
      alternatives: candidates.filter(({ verdict }) => verdict === 'second' || verdict === 'worse').length,
    })
  }
  return routes
}

/** Three refresh intervals of protocol time. */
const EXPIRES_MS = 3 * 1_800_000
