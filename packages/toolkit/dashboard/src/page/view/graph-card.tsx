import { useMemo, useState } from 'preact/hooks'
import { bitrate, cost, counted, latency } from '../model/format.ts'
import { Layout } from '../model/layout.ts'
import { routeBetween } from '../model/topology.ts'
import { type PageState, selectedNode } from '../state.ts'
import type { Watcher } from '../watcher.ts'
import { Graph } from './graph.tsx'
import { MEDIUM_NAMES } from './media.ts'
import { MeshMoney } from './money.tsx'
import { NodeBar } from './node-bar.tsx'
import { Card, MediumBadge, Scroll } from './parts.tsx'

export function GraphCard({ state, watcher }: { state: PageState; watcher: Watcher }) {
  const [layout] = useState(() => new Layout())
  const { topology } = state
  const places = useMemo(() => layout.place(topology), [topology])
  const node = selectedNode(state)
  const media = [...new Set([...topology.edges.values()].map(({ medium }) => medium))].sort()
  const legend = (
    <p class="legend">
      {media.map((medium) => (
        <MediumBadge key={medium} medium={medium} />
      ))}
    </p>
  )
  return (
    <Card id="mesh" title="Mesh" aside={legend}>
      <Graph
        topology={topology}
        places={places}
        selected={node}
        flows={state.flows}
        look={state.look}
        payments={state.money.payments}
        path={tracedPath(state)}
        journey={journeyOf(state)}
        onSelect={(name) => watcher.select(name)}
      />
      {topology.beyond > 0 && (
        <p class="muted small">{counted(topology.beyond, 'further destination')} in the routes.</p>
      )}
      <MeshMoney state={state} />
      {node !== undefined && <NodeBar node={node} state={state} watcher={watcher} />}
      <MeshTable state={state} />
    </Card>
  )
}

/** All links as a table: the same as the picture, for those who cannot or would rather not look at it. */
function MeshTable({ state: { topology } }: { state: PageState }) {
  const name = (key: string) => topology.vertices.get(key)?.name ?? key.slice(0, 8)
  return (
    <details class="mesh-table">
      <summary>The mesh as a table</summary>
      <Scroll label="Links of the mesh">
        <table>
          <thead>
            <tr>
              <th scope="col">Between</th>
              <th scope="col">Medium</th>
              <th scope="col" class="number">
                Latency
              </th>
              <th scope="col" class="number">
                Bandwidth
              </th>
              <th scope="col" class="number">
                Adds, μNXS/MiB
              </th>
            </tr>
          </thead>
          <tbody>
            {[...topology.edges.values()].map(({ key, ends, medium, rttMs, bitrateBps, addedCost }) => (
              <tr key={key}>
                <th scope="row">
                  {name(ends[0])} – {name(ends[1])}
                </th>
                <td>{MEDIUM_NAMES[medium]}</td>
                <td class="number">{latency(rttMs)}</td>
                <td class="number">{bitrate(bitrateBps)}</td>
                <td class="number">{cost(addedCost[0] ?? addedCost[1])}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
    </details>
  )
}

/** Keys along the way that a trace has shown; a destination that answered is the last. */
function tracedPath({ trace, nodes, topology }: PageState): string[] {
  const start = nodes.find(({ name }) => name === trace?.node)?.status?.node.nodeId
  if (trace?.result === undefined || start === undefined) return []
  const keys = trace.result.hops.map(({ node }) => [...topology.vertices.keys()].find((key) => key.startsWith(node)))
  return [start, ...keys.filter((key) => key !== undefined)]
}

/** The way that the newest message from this page takes, for as long as that message is the newest. */
function journeyOf({ sent, nodes }: PageState): { readonly id: string; readonly way: readonly string[] } | undefined {
  const [newest] = sent
  const start = nodes.find(({ name }) => name === newest?.from)?.status?.node.nodeId
  if (newest?.at === undefined || start === undefined) return undefined
  return { id: `${newest.from} ${newest.status.id}`, way: routeBetween(nodes, start, newest.status.to) }
}
