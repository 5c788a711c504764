import type { Random } from '@nexus/crypto'

/** Pairs of node numbers that are wired. */
export type Edge = readonly [number, number]

/** A line, and from 3 nodes on the edge that closes it. */
export function ring(count: number): Edge[] {
  const edges = Array.from({ length: Math.max(0, count - 1) }, (_, at): Edge => [at, at + 1])
  return count > 2 ? [...edges, [count - 1, 0]] : edges
}

/**
 * A ring whose nodes know their `reach` next ones on each side, and of which a share of edges leads to a random node
 * instead (Watts and Strogatz 1998): short ways between any two, as among people. Connected: the ring itself stays.
 */
export function smallWorld(random: Random, count: number, reach: number, rewiredRatio: number): Edge[] {
  const edges = new Map<string, Edge>(ring(count).map((edge) => [keyOf(edge), edge]))
  for (let at = 0; at < count; at++) {
    for (let step = 2; step <= reach; step++) {
      const isRewired = fraction(random) < rewiredRatio
      const to = isRewired ? Math.floor(fraction(random) * count) : (at + step) % count
      if (to !== at) edges.set(keyOf([at, to]), [at, to])
    }
  }
  return [...edges.values()]
}

/**
 * Nodes at random places of a unit square, each wired with the `nearest` closest ones; parts that are apart are joined
 * where they are closest. The shape of radio networks.
 */
export function geometric(random: Random, count: number, nearest: number): Edge[] {
  const places = Array.from({ length: count }, () => [fraction(random), fraction(random)] as const)
  const distance = (a: number, b: number): number =>
    Math.hypot(places[a]![0] - places[b]![0], places[a]![1] - places[b]![1])
  const edges = new Map<string, Edge>()
  for (let at = 0; at < count; at++) {
    const others = places.map((_, other) => other).filter((other) => other !== at)
    others.sort((a, b) => distance(at, a) - distance(at, b))
    for (const other of others.slice(0, nearest)) edges.set(keyOf([at, other]), [at, other])
  }
  for (let parts = partsOf(count, [...edges.values()]); parts.length > 1; parts = partsOf(count, [...edges.values()])) {
    const [first, ...rest] = parts
    let best: Edge = [first![0]!, rest[0]![0]!]
    for (const a of first!) for (const b of rest.flat()) if (distance(a, b) < distance(...best)) best = [a, b]
    edges.set(keyOf(best), best)
  }
  return [...edges.values()]
}

/** The connected parts of a graph. */
function partsOf(count: number, edges: readonly Edge[]): number[][] {
  const near = Array.from({ length: count }, (): number[] => [])
  for (const [a, b] of edges) {
    near[a]!.push(b)
    near[b]!.push(a)
  }
  const seen = new Set<number>()
  const parts: number[][] = []
  for (let start = 0; start < count; start++) {
    if (seen.has(start)) continue
    const part = [start]
    seen.add(start)
    for (const at of part) {
      for (const other of near[at]!) {
        if (seen.has(other)) continue
        seen.add(other)
        part.push(other)
      }
    }
    parts.push(part)
  }
  return parts
}

const keyOf = ([a, b]: Edge): string => (a < b ? `${a}-${b}` : `${b}-${a}`)

const fraction = (random: Random): number => new DataView(random(4).buffer).getUint32(0) / 0x1_0000_0000
