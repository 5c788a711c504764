import type { NodeLook, Status } from '@nexus/node/api'

/** A node that the page's server has in its list, with what it last said of itself. */
export type ShownNode = NodeLook

export type Medium = Status['interfaces'][number]['kind']

/** A place in the graph: a shown node, or one that a shown node knows of. */
export interface Vertex {
  /** NodeID, or `name:…` for a shown node that was never heard of. */
  readonly key: string
  readonly name: string
  readonly role: string
  /** Media of its interfaces, where known. */
  readonly media: readonly Medium[]
  /** A node of the server's list, which can be looked at. */
  readonly shown: boolean
  readonly running: boolean
  /** Relays between it and the nearest shown node, as routes have it; 0 for a shown node or its neighbour. */
  readonly hops: number
  /** Vertex that it hangs on: the neighbour through which it is reached. */
  readonly via?: string | undefined
}

/** A link, as both of its ends together see it. */
export interface Edge {
  readonly key: string
  /** Keys of its ends, in the order of their texts. */
  readonly ends: readonly [string, string]
  readonly medium: Medium
  readonly rttMs: number | null
  readonly bitrateBps: number
  readonly queueFill: number
  /** Bytes sent so far from the first end to the second, and back. */
  readonly bytes: readonly [number, number]
  /** μNXS per MiB that each end adds, where that end is shown. */
  readonly addedCost: readonly [number | null, number | null]
}

export interface Topology {
  readonly vertices: ReadonlyMap<string, Vertex>
  readonly edges: ReadonlyMap<string, Edge>
  /** Destinations that were left out of the graph. */
  readonly beyond: number
}

/** Vertices drawn at most beside the shown nodes and their neighbours. */
export const FAR_VERTICES_MAX = 80

/** Merges what the shown nodes say into one graph. `keys`: NodeIDs by name from earlier, for nodes that are off now. */
export function mergeTopology(nodes: readonly ShownNode[], keys: ReadonlyMap<string, string>): Topology {
  const vertices = new Map<string, Vertex>()
  for (const node of nodes) {
    const { name, role, running, status } = node
    const key = status?.node.nodeId ?? keys.get(name) ?? `name:${name}`
    const media = [...new Set(status?.interfaces.map(({ kind }) => kind) ?? [])]
    vertices.set(key, { key, name, role, media, shown: true, running, hops: 0 })
  }
  const edges = new Map<string, Edge>()
  for (const { running, status } of nodes) if (running && status !== undefined) addLinks(status, vertices, edges)
  const beyond = addFar(nodes, vertices)
  return { vertices, edges, beyond }
}

function addLinks(status: Status, vertices: Map<string, Vertex>, edges: Map<string, Edge>): void {
  const self = status.node.nodeId
  const kinds = new Map(status.interfaces.map(({ id, kind }) => [id, kind]))
  for (const link of status.links) {
    const { peer, label } = link
    const medium = kinds.get(link.interfaceId)
    const known = vertices.get(peer)
    // A neighbour that is switched off stays in the list until it was silent for long enough.
    if (medium === undefined || known?.running === false) continue
    if (known === undefined) {
      const name = label ?? peer.slice(0, 8)
      vertices.set(peer, { key: peer, name, role: '', media: [], shown: false, running: true, hops: 0, via: self })
    }
    const ends: [string, string] = self < peer ? [self, peer] : [peer, self]
    const key = `${ends[0]} ${ends[1]} ${medium}`
    const side = self === ends[0] ? 0 : 1
    const before = edges.get(key)
    const heard: [number, number] =
      side === 0 ? [link.sentBytes, link.receivedBytes] : [link.receivedBytes, link.sentBytes]
    const addedCost: [number | null, number | null] = before === undefined ? [null, null] : [...before.addedCost]
    addedCost[side] = link.addedCost
    edges.set(key, {
      key,
      ends,
      medium,
      rttMs: lowest(before?.rttMs ?? null, link.rttMs),
      bitrateBps: link.bitrateBps,
      queueFill: Math.max(before?.queueFill ?? 0, link.queueFill),
      bytes: [Math.max(before?.bytes[0] ?? 0, heard[0]), Math.max(before?.bytes[1] ?? 0, heard[1])],
      addedCost,
    })
  }
}

/** Destinations beyond the neighbours, nearest first; returns how many found no room. */
function addFar(nodes: readonly ShownNode[], vertices: Map<string, Vertex>): number {
  const far = new Map<string, Vertex>()
  for (const { running, status } of nodes) {
    if (!running || status === undefined) continue
    for (const { destination, label, nextHop, hops } of status.routes) {
      if (vertices.has(destination) || (far.get(destination)?.hops ?? Number.POSITIVE_INFINITY) <= hops) continue
      const name = label ?? destination.slice(0, 8)
      far.set(destination, {
        key: destination,
        name,
        role: '',
        media: [],
        shown: false,
        running: true,
        hops: Math.max(1, hops),
        via: nextHop,
      })
    }
  }
  const nearest = [...far.values()].sort((a, b) => a.hops - b.hops || (a.key < b.key ? -1 : 1))
  for (const vertex of nearest.slice(0, FAR_VERTICES_MAX)) vertices.set(vertex.key, vertex)
  const untold = nodes.reduce(
    (sum, { status }) => Math.max(sum, (status?.routesTotal ?? 0) - (status?.routes.length ?? 0)),
    0,
  )
  return Math.max(0, nearest.length - FAR_VERTICES_MAX) + untold
}

/** The keys along the way that packets from one vertex to another take now, as far as shown nodes tell. */
export function routeBetween(nodes: readonly ShownNode[], from: string, to: string): string[] {
  const byId = new Map(
    nodes.flatMap(({ status }) => (status === undefined ? [] : [[status.node.nodeId, status] as const])),
  )
  const way = [from]
  for (let at = from; at !== to && way.length <= nodes.length + 1; ) {
    const hop = byId.get(at)?.routes.find(({ destination }) => destination === to)?.nextHop
    if (hop === undefined || way.includes(hop)) break
    way.push(hop)
    at = hop
  }
  return way
}

function lowest(a: number | null, b: number | null): number | null {
  if (a === null || b === null) return a ?? b
  return Math.min(a, b)
}
