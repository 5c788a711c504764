import type { Status } from '@nexus/node/api'
import type { ShownNode } from '../src/page/model/topology.ts'

export const idOf = (name: string): string =>
  Array.from(name, (letter) => letter.charCodeAt(0).toString(16).padStart(2, '0'))
    .join('')
    .padEnd(32, '0')

export interface Neighbour {
  readonly to: string
  readonly over?: 'lora' | 'udp'
  readonly rttMs?: number | null
  readonly sent?: number
  readonly received?: number
}

/** A status with these links, and routes as `destination: [next hop, relays]`. */
export function statusOf(
  name: string,
  links: readonly Neighbour[],
  routes: Readonly<Record<string, readonly [string, number]>> = {},
): Status {
  return {
    schema: 'nexus-status/1',
    node: {
      nodeId: idOf(name),
      publicKey: '00'.repeat(32),
      label: name,
      version: '0.0.0',
      upForMs: 1_000,
      roundMs: 2_000,
      policy: 'balanced',
      crypto: 'portable',
      admission: 'open',
      networkKey: false,
    },
    interfaces: (['lora', 'udp'] as const).map((kind) => ({
      id: kind,
      kind,
      mtuBytes: 222,
      bitrateBps: 5_470,
      duplex: 'half',
      dutyCycle: 1,
      links: 0,
      queuedBytes: 0,
      sentBytes: 0,
      receivedBytes: 0,
      sentFrames: 0,
      receivedFrames: 0,
      controlBytes: 0,
      controlBudgetBps: 547,
      congestion: { measuredBps: 5_470, severity: 0, gaveUp: 0 },
      refused: {},
    })),
    links: links.map(({ to, over = 'lora', rttMs = 20, sent = 0, received = 0 }, at) => ({
      id: at,
      interfaceId: over,
      peer: idOf(to),
      label: to,
      trusted: false,
      rttMs,
      bitrateBps: 5_470,
      upForMs: 1_000,
      heardAgoMs: 10,
      queueFill: 0,
      congestion: { queuedBytes: 0, queuedPackets: 0, severity: 0, told: 0, dropped: { expired: 0, full: 0 } },
      sentBytes: sent,
      receivedBytes: received,
      addedCost: 1_000,
    })),
    routes: Object.entries(routes).map(([destination, [nextHop, hops]]) => ({
      destination: idOf(destination),
      label: destination,
      nextHop: idOf(nextHop),
      interfaceId: 'lora',
      cost: 1_000 * hops,
      latencyMs: 20 * (hops + 1),
      bandwidthBps: 5_470,
      hops,
      reliability: 0,
      state: 'live',
      expiresInMs: 1_000,
      alternatives: 0,
    })),
    routesTotal: Object.keys(routes).length,
    knownNodes: 0,
    gossip: [],
    messages: { queued: 0, sent: 0, delivered: 0, failed: 0, inbox: 0 },
    counters: { forwarded: 0, delivered: 0, announcesVerified: 0, announcesRefused: 0, dropped: {} },
  }
}

export function shown(name: string, status?: Status, running = true): ShownNode {
  return {
    ...{ name, role: 'node', running, switchable: true, views: ['status'] },
    ...(status === undefined ? {} : { status }),
  }
}
