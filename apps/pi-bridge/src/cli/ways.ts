import { type Column, printable } from './table.ts'
import { bitRate, cost, duration, percent } from './units.ts'

/** What routes and candidates for one have in common. */
export interface Way {
  readonly interfaceId: string
  readonly hops: number
  /** μNXS per MiB for the whole way; null where it is not known. */
  readonly cost: number | null
  readonly latencyMs: number
  readonly bandwidthBps: number
  /** 0 unknown to 1. */
  readonly reliability: number
}

/** Columns of a way; the cells are those of {@link wayCells}. */
export const WAY_COLUMNS: readonly Column[] = [
  { title: 'NEXT HOP' },
  { title: 'OVER' },
  { title: 'RELAYS', align: 'right' },
  { title: 'COST', align: 'right' },
  { title: 'LATENCY', align: 'right' },
  { title: 'BANDWIDTH', align: 'right' },
  { title: 'RELIABLE', align: 'right' },
]

export function wayCells(nextHop: string, way: Way): string[] {
  return [
    nextHop,
    printable(way.interfaceId),
    String(way.hops),
    cost(way.cost),
    duration(way.latencyMs),
    bitRate(way.bandwidthBps),
    way.reliability === 0 ? '–' : percent(way.reliability),
  ]
}

/** A node for people: its name, else the first digits of its NodeID. */
export function called(label: string | undefined, nodeId: string): string {
  return label === undefined ? nodeId.slice(0, 12) : `${printable(label)} (${nodeId.slice(0, 8)})`
}
