/** The order of the house: which layer may import which, and that nothing goes round in circles. */

/** From the ground up. A package may import from its own layer and from those before it. */
const STAIRCASE = ['base', 'transport', 'network', 'economy', 'market', 'services', 'applications', 'toolkit'] as const

/** Layers beside the staircase, and the layers that they stand on. */
const BESIDE: Readonly<Record<string, readonly string[]>> = {
  gateway: ['base'],
  segment: ['base', 'transport'],
}

/** Why a source of layer `from` must not import a package of layer `to`; undefined when it may. */
export function layerFault(from: string, to: string): string | undefined {
  if (from === to && to !== 'apps') return undefined
  if (to === 'apps' || to === 'tools') return `nothing imports ${to}`
  if (from === 'apps' || from === 'tools') return undefined
  const beside = BESIDE[from]
  if (beside !== undefined) {
    return beside.includes(to) ? undefined : `${from} stands on ${beside.join(' and ')} alone`
  }
  if (to in BESIDE) return from === 'toolkit' ? undefined : `only the toolkit and apps stand on ${to}`
  const height = (layer: string) => STAIRCASE.indexOf(layer as (typeof STAIRCASE)[number])
  if (height(from) === -1) return `packages/${from} is no layer`
  return height(to) <= height(from) ? undefined : `${to} is above ${from}`
}

/** The circles of a graph, one for each strongly connected part: the shortest way round from its first member. */
export function circles(graph: ReadonlyMap<string, readonly string[]>): string[][] {
  const found: string[][] = []
  const seen = new Set<string>()
  for (const start of [...graph.keys()].sort()) {
    if (seen.has(start)) continue
    const circle = wayRound(graph, start)
    if (circle === undefined) continue
    found.push(circle)
    for (const node of circle) seen.add(node)
  }
  return found
}

function wayRound(graph: ReadonlyMap<string, readonly string[]>, start: string): string[] | undefined {
  const cameFrom = new Map<string, string>()
  const queue = [start]
  for (let at = queue.shift(); at !== undefined; at = queue.shift()) {
    for (const next of graph.get(at) ?? []) {
      if (next === start) return pathTo(cameFrom, start, at)
      if (cameFrom.has(next)) continue
      cameFrom.set(next, at)
      queue.push(next)
    }
  }
  return undefined
}

function pathTo(cameFrom: ReadonlyMap<string, string>, start: string, end: string): string[] {
  const path = [end]
  for (let at = end; at !== start; ) {
    at = cameFrom.get(at) as string
    path.unshift(at)
  }
  return [...path, start]
}
