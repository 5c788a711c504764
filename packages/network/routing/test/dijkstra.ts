import { addCost, costMicroPerMib } from '@nexus/compact-path-cost'
import type { Mesh } from './mesh.ts'

// The plain twin: shortest paths over the whole graph, which no node sees.

/** Cheapest cost in μNXS per MiB from every node to `target`: the prices of the relays between them. */
export function dijkstra(mesh: Mesh, target: number): number[] {
  return settle(mesh, target, (cost, price) => cost + costMicroPerMib(price))
}

/** The same in encoded steps, each sum rounded up: what the protocol can see at best. */
export function dijkstraEncoded(mesh: Mesh, target: number): number[] {
  return settle(mesh, target, addCost)
}

/** What the relays of a path ask for in all, in μNXS per MiB. */
export function pathCost(mesh: Mesh, path: readonly number[]): number {
  return path.slice(1, -1).reduce((sum, node) => sum + costMicroPerMib(mesh.nodes[node]!.price), 0)
}

function settle(mesh: Mesh, target: number, add: (cost: number, price: number) => number): number[] {
  const costs = mesh.nodes.map(() => Number.POSITIVE_INFINITY)
  const open = new Set([target])
  const done = new Set<number>()
  costs[target] = 0
  while (open.size > 0) {
    let at = target
    let least = Number.POSITIVE_INFINITY
    for (const node of open) {
      if (costs[node]! > least) continue
      at = node
      least = costs[node]!
    }
    open.delete(at)
    done.add(at)
    const cost = at === target ? 0 : add(least, mesh.nodes[at]!.price)
    for (const { peer } of mesh.nodes[at]!.sessions.values()) {
      if (done.has(peer) || cost >= costs[peer]!) continue
      costs[peer] = cost
      open.add(peer)
    }
  }
  return costs
}
