import type { Status } from '@nexus/node/api'
import { useState } from 'preact/hooks'
import { bitrate, cost, latency, nameOf } from '../model/format.ts'
import { type Column, filterRoutes, type Order, sortRoutes } from '../model/route-table.ts'
import type { ShownNode } from '../model/topology.ts'
import type { PageState } from '../state.ts'
import type { Watcher } from '../watcher.ts'
import { Card, Empty, Scroll } from './parts.tsx'
import { RouteDetail } from './route-detail.tsx'

type Route = Status['routes'][number]

/** From here on there is a field to filter by. */
const FILTER_FROM = 9
const ROWS_MAX = 100

const COLUMNS: readonly {
  readonly column: Column
  readonly title: string
  readonly number?: true
  readonly wide?: true
}[] = [
  { column: 'destination', title: 'Destination' },
  { column: 'nextHop', title: 'Next hop' },
  { column: 'hops', title: 'Relays', number: true },
  { column: 'latencyMs', title: 'Latency', number: true },
  { column: 'bandwidthBps', title: 'Bandwidth', number: true, wide: true },
  { column: 'cost', title: 'μNXS/MiB', number: true },
]

/** Where the node that is looked at would send what is for others. */
export function RoutesCard({ node, state, watcher }: { node: ShownNode; state: PageState; watcher: Watcher }) {
  const [order, setOrder] = useState<Order>({ column: 'hops', descending: false })
  const [filter, setFilter] = useState('')
  const [open, setOpen] = useState<string>()
  const { name, running, status } = node
  const routes = running ? (status?.routes ?? []) : []
  const names = new Map([...state.topology.vertices].map(([key, vertex]) => [key, vertex.name]))
  const found = sortRoutes(filterRoutes(routes, filter, names), order, names)
  const toggle = (destination: string): void => {
    setOpen(open === destination ? undefined : destination)
    watcher.clearTrace()
  }
  return (
    <Card
      id="routes"
      title={`Routes of ${name}`}
      aside={<span class="muted small">{running ? status?.routesTotal : ''}</span>}
    >
      {routes.length >= FILTER_FROM && (
        <label class="filter">
          <span>Filter</span>
          <input type="search" value={filter} onInput={(event) => setFilter(event.currentTarget.value)} />
        </label>
      )}
      {routes.length === 0 ? (
        <Empty>
          {running
            ? 'No destination known yet. Announces spread once per round; give it two or three.'
            : `${name} is unplugged: it has no routes.`}
        </Empty>
      ) : (
        <Scroll labelledBy="routes" capped={open === undefined}>
          <table class="routes">
            <RouteHead order={order} onOrder={setOrder} />
            {found.slice(0, ROWS_MAX).map((route) => (
              <RouteRows
                key={route.destination}
                route={route}
                names={names}
                open={open === route.destination}
                onToggle={() => toggle(route.destination)}
                node={node}
                state={state}
                watcher={watcher}
              />
            ))}
          </table>
        </Scroll>
      )}
      {found.length > ROWS_MAX && (
        <p class="muted small">{found.length - ROWS_MAX} more; filter by name or NodeID to see them.</p>
      )}
    </Card>
  )
}

function RouteHead({ order, onOrder }: { order: Order; onOrder: (order: Order) => void }) {
  return (
    <thead>
      <tr>
        {COLUMNS.map(({ column, title, number, wide }) => {
          const isOrder = order.column === column
          const sort = isOrder ? (order.descending ? 'descending' : 'ascending') : 'none'
          return (
            <th key={column} scope="col" aria-sort={sort} class={classOf(number, wide)}>
              <button
                type="button"
                class="sort"
                onClick={() => onOrder({ column, descending: isOrder && !order.descending })}
              >
                {title}
                <span aria-hidden="true">{isOrder ? (order.descending ? ' ↓' : ' ↑') : ''}</span>
              </button>
            </th>
          )
        })}
      </tr>
    </thead>
  )
}

interface RouteRowsProps {
  readonly route: Route
  readonly names: ReadonlyMap<string, string>
  readonly open: boolean
  readonly onToggle: () => void
  readonly node: ShownNode
  readonly state: PageState
  readonly watcher: Watcher
}

function RouteRows({ route, names, open, onToggle, node, state, watcher }: RouteRowsProps) {
  const { destination, label, nextHop, hops, latencyMs, bandwidthBps, state: life } = route
  const id = `route-${destination}`
  return (
    <tbody class={open ? 'open' : undefined}>
      <tr class={life === 'stale' ? 'stale' : undefined}>
        <th scope="row">
          <button
            type="button"
            class="expand"
            aria-expanded={open}
            {...(open ? { 'aria-controls': id } : {})}
            onClick={onToggle}
          >
            <svg viewBox="0 0 10 10" aria-hidden="true">
              <path d="M3 1.5 7 5 3 8.5" />
            </svg>
            {names.get(destination) ?? nameOf(destination, label)}
          </button>
          {life === 'stale' && <span class="tag">stale</span>}
        </th>
        <td>{nextHop === destination ? 'direct' : (names.get(nextHop) ?? nextHop.slice(0, 8))}</td>
        <td class="number">{hops}</td>
        <td class="number">{latency(latencyMs)}</td>
        <td class={classOf(true, true)}>{bitrate(bandwidthBps)}</td>
        <td class="number">{cost(route.cost)}</td>
      </tr>
      {open && (
        <tr>
          <td colSpan={COLUMNS.length} id={id} class="detail">
            <RouteDetail route={route} names={names} node={node} state={state} watcher={watcher} />
          </td>
        </tr>
      )}
    </tbody>
  )
}

const classOf = (number?: boolean, wide?: boolean): string =>
  [number && 'number', wide && 'wide-only'].filter(Boolean).join(' ')
