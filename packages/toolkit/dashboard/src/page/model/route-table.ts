import type { Status } from '@nexus/node/api'
import { nameOf } from './format.ts'

type Route = Status['routes'][number]

export type Column = 'destination' | 'nextHop' | 'hops' | 'latencyMs' | 'bandwidthBps' | 'cost'

export interface Order {
  readonly column: Column
  readonly descending: boolean
}

/** Routes whose destination's or next hop's name, or NodeID, contains the text. */
export function filterRoutes(routes: readonly Route[], text: string, names: ReadonlyMap<string, string>): Route[] {
  const wanted = text.trim().toLowerCase()
  if (wanted === '') return [...routes]
  return routes.filter(({ destination, label, nextHop }) =>
    [destination, label, names.get(destination), nextHop, names.get(nextHop)].some((each) =>
      each?.toLowerCase().includes(wanted),
    ),
  )
}

/** Routes in the order of a column; equal ones by the destination's name, so that rows stay where they are. */
export function sortRoutes(routes: readonly Route[], order: Order, names: ReadonlyMap<string, string>): Route[] {
  const { column, descending } = order
  const name = (nodeId: string, label?: string): string => names.get(nodeId) ?? nameOf(nodeId, label)
  const byName = (a: Route, b: Route): number =>
    name(a.destination, a.label).localeCompare(name(b.destination, b.label)) || (a.destination < b.destination ? -1 : 1)
  const byColumn = (a: Route, b: Route): number => {
    if (column === 'destination') return byName(a, b)
    if (column === 'nextHop') return name(a.nextHop).localeCompare(name(b.nextHop))
    return a[column] - b[column]
  }
  const sign = descending ? -1 : 1
  return [...routes].sort((a, b) => sign * byColumn(a, b) || byName(a, b))
}
