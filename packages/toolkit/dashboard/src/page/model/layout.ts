import type { Topology, Vertex } from './topology.ts'

/** A place in the picture, each coordinate from −1 to 1. */
export interface Place {
  readonly x: number
  readonly y: number
}

/** Up to here every order of the ring is tried; above, neighbours are exchanged until nothing improves. */
const EXHAUSTIVE_MAX = 8
const MEMORY_MAX = 512
const TURN = 2 * Math.PI
/** How far from the middle neighbours are where farther nodes are behind them, and the nearest of those. */
const NEAR_RADIUS = 0.58
const FAR_RADIUS = 0.8

/**
 * Places vertices so that they stay where they are. Shown nodes stand on a ring, in the order that makes their links
 * short; it is sought anew only when a node or a link appears that was never seen before, so nothing moves when one goes
 * and comes back. A single shown node stands in the middle, with its neighbours around it and farther nodes behind them.
 */
export class Layout {
  readonly #seen = new Set<string>()
  #order: readonly string[] = []
  #members = ''

  /** Places for all vertices of the graph. */
  place(topology: Topology): Map<string, Place> {
    const vertices = [...topology.vertices.values()]
    const shown = vertices.filter((vertex) => vertex.shown).map(({ key }) => key)
    const places = new Map<string, Place>()
    if (shown.length === 1) {
      places.set(shown[0]!, { x: 0, y: 0 })
      placeAround(vertices, undefined, places, vertices.some(({ hops }) => hops > 0) ? NEAR_RADIUS : 1)
    } else {
      const order = this.#orderOf(shown, topology)
      const radius = vertices.length > shown.length ? 0.66 : 1
      for (const [at, place] of ring(order.length, radius).entries()) places.set(order[at]!, place)
      placeAround(vertices, order, places, 0.9)
    }
    return places
  }

  #orderOf(shown: readonly string[], { edges }: Topology): readonly string[] {
    const inRing = new Set(shown)
    let isNew = shown.join() !== this.#members
    for (const { ends } of edges.values()) {
      const pair = ends.join(' ')
      if (!ends.every((end) => inRing.has(end)) || this.#seen.has(pair) || this.#seen.size >= MEMORY_MAX) continue
      this.#seen.add(pair)
      isNew = true
    }
    if (isNew) {
      this.#members = shown.join()
      const pairs = [...this.#seen].map((pair) => pair.split(' ') as [string, string])
      this.#order = ringOrder(
        shown,
        pairs.filter((ends) => ends.every((end) => inRing.has(end))),
      )
    }
    return this.#order
  }
}

/** The order around a ring that makes the sum of the links' lengths small; the first stays first. */
export function ringOrder(keys: readonly string[], pairs: readonly (readonly [string, string])[]): string[] {
  if (keys.length < 4) return [...keys]
  const length = (order: readonly string[]): number => {
    const at = new Map(order.map((key, index) => [key, index]))
    return pairs.reduce((sum, [a, b]) => {
      const apart = Math.abs(at.get(a)! - at.get(b)!)
      return sum + Math.min(apart, order.length - apart)
    }, 0)
  }
  return keys.length <= EXHAUSTIVE_MAX ? bestOrder(keys, length) : improvedOrder(keys, length)
}

function bestOrder(keys: readonly string[], length: (order: readonly string[]) => number): string[] {
  let best = [...keys]
  let bestLength = length(best)
  const order = [...keys]
  const permute = (from: number): void => {
    if (from === order.length) {
      const found = length(order)
      if (found < bestLength) [best, bestLength] = [[...order], found]
      return
    }
    for (let at = from; at < order.length; at++) {
      swap(order, from, at)
      permute(from + 1)
      swap(order, from, at)
    }
  }
  permute(1)
  return best
}

function improvedOrder(keys: readonly string[], length: (order: readonly string[]) => number): string[] {
  const order = [...keys]
  let best = length(order)
  for (let round = 0, improved = true; improved && round < keys.length; round++) {
    improved = false
    for (let a = 1; a < order.length; a++) {
      for (let b = a + 1; b < order.length; b++) {
        swap(order, a, b)
        const found = length(order)
        if (found < best) [best, improved] = [found, true]
        else swap(order, a, b)
      }
    }
  }
  return order
}

/** Places what hangs on placed vertices: neighbours first, then farther ones, each near the one it is reached by. */
function placeAround(
  vertices: readonly Vertex[],
  ring: readonly string[] | undefined,
  places: Map<string, Place>,
  radius: number,
): void {
  const guests = vertices.filter(({ key }) => !places.has(key))
  const near = guests.filter(({ hops }) => hops === 0).sort(byKey)
  const step = TURN / Math.max(near.length, 1)
  const angles = new Map<string, number>()
  for (const [at, { key, via }] of near.entries()) {
    const host = ring?.indexOf(via ?? '') ?? -1
    // Beside a ring, guests fan out behind their host; around a single node they share the whole turn.
    const angle = host === -1 ? at * step : (host / ring!.length) * TURN + spread(at)
    angles.set(key, angle)
    places.set(key, atAngle(angle, radius))
  }
  const far = guests.filter(({ hops }) => hops > 0)
  const deepest = Math.max(...far.map(({ hops }) => hops))
  const depth = (hops: number): number => (deepest === 1 ? 0 : (hops - 1) / (deepest - 1))
  const groups = new Map<string, Vertex[]>()
  for (const vertex of far) groups.set(vertex.via ?? '', [...(groups.get(vertex.via ?? '') ?? []), vertex])
  for (const [via, members] of groups) {
    const placed = places.get(via)
    const middle = angles.get(via) ?? (placed === undefined ? 0 : Math.atan2(placed.x, -placed.y))
    const share = Math.min(step, TURN / 3) * 0.8
    members.sort(byKey)
    for (const [at, { key, hops }] of members.entries()) {
      const offset = members.length === 1 ? 0 : (at / (members.length - 1) - 0.5) * share
      places.set(key, atAngle(middle + offset, FAR_RADIUS + (1 - FAR_RADIUS) * depth(hops)))
    }
  }
}

const byKey = (a: Vertex, b: Vertex): number => (a.key < b.key ? -1 : 1)
/** 0, then to the right and left in turns, in steps of a tenth of a turn. */
const spread = (at: number): number => (at % 2 === 0 ? 1 : -1) * Math.ceil(at / 2) * (TURN / 24)

/** Places on a ring, the first at the top, stretched so that the ring fills its square whatever their number. */
function ring(count: number, radius: number): Place[] {
  const places = Array.from({ length: count }, (_, at) => atAngle((at / count) * TURN, 1))
  const fit = (values: readonly number[]) => {
    const [low, high] = [Math.min(...values), Math.max(...values)]
    return (value: number): number => (high - low < 1e-6 ? 0 : (((value - low) / (high - low)) * 2 - 1) * radius)
  }
  const [fitX, fitY] = [fit(places.map(({ x }) => x)), fit(places.map(({ y }) => y))]
  return places.map(({ x, y }) => ({ x: fitX(x), y: fitY(y) }))
}

/** Clockwise from the top. */
function atAngle(angle: number, radius: number): Place {
  return { x: Math.sin(angle) * radius, y: -Math.cos(angle) * radius }
}

function swap(order: string[], a: number, b: number): void {
  const kept = order[a]!
  order[a] = order[b]!
  order[b] = kept
}

/** The place that an arrow key leads to: the nearest in that direction, sideways counting double. */
export function towards(places: ReadonlyMap<string, Place>, from: string, key: string): string | undefined {
  const directions: Record<string, readonly [number, number]> = {
    ArrowLeft: [-1, 0],
    ArrowRight: [1, 0],
    ArrowUp: [0, -1],
    ArrowDown: [0, 1],
  }
  const direction = directions[key]
  const origin = places.get(from)
  if (direction === undefined || origin === undefined) return undefined
  const [dx, dy] = direction
  let best: string | undefined
  let bestDistance = Number.POSITIVE_INFINITY
  for (const [candidate, { x, y }] of places) {
    const ahead = (x - origin.x) * dx + (y - origin.y) * dy
    const aside = Math.abs((x - origin.x) * dy) + Math.abs((y - origin.y) * dx)
    if (candidate === from || ahead <= 1e-6) continue
    const distance = ahead + 2 * aside
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance]
  }
  return best
}
