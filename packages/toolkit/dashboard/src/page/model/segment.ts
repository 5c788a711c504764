import type { SegmentInterface } from '@nexus/node/api'
import type { Place } from './layout.ts'
import type { ShownNode } from './topology.ts'

/** A node in the picture of a segment: one that is shown, or a member that a shown node has heard. */
export interface Station {
  /** NodeID, or `name:…` of a shown node that was never heard of. */
  readonly key: string
  readonly name: string
  readonly type: string
  readonly zone: string
  readonly ego: number
  /** A node of the server's list, which can be looked at. */
  readonly shown: boolean
  readonly running: boolean
  readonly isAnchor: boolean
  /** Key of the anchor that it follows, as it says itself; of a member that is only heard, the anchor of who heard it. */
  readonly follows: string | undefined
}

/** The segment of a node that is on most cables at once, or on one: where most others are heard. */
export function mainInterface(node: ShownNode): SegmentInterface | undefined {
  return [...(node.segment?.interfaces ?? [])].sort((a, b) => b.members.length - a.members.length)[0]
}

/** All that the shown nodes tell of one segment, each station once, in an order that stays: shown nodes, then others. */
export function stationsOf(nodes: readonly ShownNode[]): Station[] {
  const stations = new Map<string, Station>()
  for (const node of nodes.filter(({ views }) => views.includes('segment'))) {
    const one = mainInterface(node)
    const key = node.segment?.nodeId ?? `name:${node.name}`
    const isLeading = node.running && one?.phase === 'anchor'
    stations.set(key, {
      ...{ key, name: node.name, shown: true, running: node.running },
      type: node.segment?.type ?? '',
      zone: node.segment?.zone ?? '',
      ego: one?.ego ?? 0,
      isAnchor: isLeading,
      follows: node.running && !isLeading ? one?.anchor?.nodeId : undefined,
    })
  }
  for (const node of nodes) {
    const one = node.running ? mainInterface(node) : undefined
    for (const { nodeId, name, type, zone, ego, isAnchor } of one?.members ?? []) {
      if (stations.has(nodeId)) continue
      stations.set(nodeId, {
        ...{ key: nodeId, name: name || nodeId.slice(0, 8), type, zone, ego, isAnchor },
        ...{ shown: false, running: true },
        follows: isAnchor ? undefined : one?.anchor?.nodeId,
      })
    }
  }
  return [...stations.values()]
}

/** Who leads, by most accounts; undefined while nobody does. */
export function anchorOf(stations: readonly Station[]): Station | undefined {
  return stations.find(({ isAnchor, shown }) => isAnchor && shown) ?? stations.find(({ isAnchor }) => isAnchor)
}

/** Stations on a ring, the first at the top, clockwise. */
export function ringOf(stations: readonly Station[]): Map<string, Place> {
  const turn = (2 * Math.PI) / Math.max(1, stations.length)
  return new Map(stations.map(({ key }, at) => [key, { x: Math.sin(at * turn), y: -Math.cos(at * turn) }] as const))
}

/** Zones in the order in which they are first met: each has one of the colours of the page. */
export function zonesOf(stations: readonly Station[]): string[] {
  return [...new Set(stations.map(({ zone }) => zone))].filter((zone) => zone !== '').sort()
}

/** Reasons for drops that count anything, the most frequent first. */
export function dropsOf({ drops }: SegmentInterface): [string, number][] {
  return Object.entries(drops)
    .filter(([, count]) => count > 0)
    .sort(([, a], [, b]) => b - a)
}
