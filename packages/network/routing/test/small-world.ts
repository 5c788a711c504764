import { greedyStep } from '@nexus/routing'
import { Dice } from './mesh.ts'

/** A ring of nodes at random addresses, each linked to its two neighbours on it and by long-range links. */
export interface SmallWorld {
  /** Four words per node, in the order of the ring. */
  readonly ids: Uint32Array
  readonly neighbours: readonly Uint32Array[]
}

/**
 * Long-range links as Kleinberg draws them: the probability of a length d along the ring is proportional to 1/d. Each node
 * makes `longLinks`, and as a link serves both its ends, has twice as many on average.
 */
export function createSmallWorld(seed: number, nodes: number, longLinks: number): SmallWorld {
  const dice = new Dice(seed)
  const leading = Float64Array.from({ length: nodes }, () => dice.unit()).sort()
  const ids = new Uint32Array(4 * nodes)
  const links: Set<number>[] = Array.from({ length: nodes }, () => new Set())
  const link = (a: number, b: number): void => {
    if (a === b) return
    links[a]!.add(b)
    links[b]!.add(a)
  }
  for (let node = 0; node < nodes; node++) {
    ids[4 * node] = leading[node]! * 2 ** 32
    for (let word = 1; word < 4; word++) ids[4 * node + word] = dice.below(2 ** 32)
    link(node, (node + 1) % nodes)
    for (let count = 0; count < longLinks; count++) {
      const length = Math.floor((nodes / 2) ** dice.unit())
      link(node, (node + (dice.chance(0.5) ? length : nodes - length)) % nodes)
    }
  }
  return { ids, neighbours: links.map((peers) => Uint32Array.from(peers)) }
}

/** Hops of the greedy walk between `pairs` random pairs of nodes, sorted; throws where a walk does not arrive. */
export function walkGreedily(world: SmallWorld, seed: number, pairs: number): number[] {
  const dice = new Dice(seed)
  const { ids, neighbours } = world
  return Array.from({ length: pairs }, () => {
    const target = dice.below(neighbours.length)
    let at = dice.below(neighbours.length)
    let hops = 0
    while (at !== target) {
      const peers = neighbours[at]!
      at = greedyStep(ids, at, peers, peers.length, ids, 4 * target)
      if (at < 0) throw new Error(`a walk to ${target} ended after ${hops} hops`)
      hops += 1
    }
    return hops
  }).sort((a, b) => a - b)
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}
