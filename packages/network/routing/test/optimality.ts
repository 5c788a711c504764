import { createPolicy, type Policy, type PolicyName } from '@nexus/routing'
import { dijkstra, dijkstraEncoded, pathCost } from './dijkstra.ts'
import { connectRandomly, Mesh } from './mesh.ts'

/** Weighs nothing but cost. */
export const COST_ONLY: Policy = createPolicy({ cost: 1, latency: 0, reliability: 0 })

export interface Optimality {
  readonly pairs: number
  readonly reached: number
  /** Cost of all chosen paths over that of all cheapest paths, in decoded costs. */
  readonly totalRatio: number
  /** The same pair by pair, of pairs whose cheapest path is not free. */
  readonly ratios: readonly number[]
  /** Pairs whose route is dearer than the cheapest in encoded steps. */
  readonly aboveEncoded: number
}

/** A random network settles; its paths are compared with those of Dijkstra's algorithm. */
export function measureOptimality(seed: number, policy: Policy | PolicyName): Optimality {
  const nodes = 8 + (seed % 33)
  const mesh = new Mesh({ seed, nodes, policies: [policy], priceMax: 160 })
  connectRandomly(mesh, nodes + (seed % 3) * nodes)
  mesh.advance(180_000, 1_000)
  const ratios: number[] = []
  let pairs = 0
  let reached = 0
  let chosenTotal = 0
  let bestTotal = 0
  let aboveEncoded = 0
  for (const target of mesh.nodes) {
    const best = dijkstra(mesh, target.index)
    const bestEncoded = dijkstraEncoded(mesh, target.index)
    for (const from of mesh.nodes) {
      if (from === target) continue
      pairs += 1
      const path = mesh.path(from.index, target.index)
      if (path.at(-1) !== target.index) continue
      reached += 1
      const cost = pathCost(mesh, path)
      chosenTotal += cost
      bestTotal += best[from.index]!
      if (best[from.index]! > 0) ratios.push(cost / best[from.index]!)
      const explained = from.router.explain(mesh.nowMs, target.nodeId).candidates[0]!
      if (explained.cost > bestEncoded[from.index]!) aboveEncoded += 1
    }
  }
  return { pairs, reached, totalRatio: bestTotal === 0 ? 1 : chosenTotal / bestTotal, ratios, aboveEncoded }
}
