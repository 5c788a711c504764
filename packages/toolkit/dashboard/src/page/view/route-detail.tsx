import type { PathResult, Status, TraceResult } from '@nexus/node/api'
import { useEffect, useState } from 'preact/hooks'
import { bitrate, cost, duration, latency, nameOf, percent } from '../model/format.ts'
import type { ShownNode } from '../model/topology.ts'
import type { PageState } from '../state.ts'
import { explain, type Watcher } from '../watcher.ts'
import { mediumName } from './media.ts'
import { Figure } from './parts.tsx'

interface RouteDetailProps {
  readonly route: Status['routes'][number]
  readonly names: ReadonlyMap<string, string>
  readonly node: ShownNode
  readonly state: PageState
  readonly watcher: Watcher
}

/** One route in full: its figures, a trace along it, and why it leads where it leads. */
export function RouteDetail({ route, names, node, state, watcher }: RouteDetailProps) {
  const { destination, label, reliability, alternatives, expiresInMs } = route
  const { trace } = state
  const isTraced = trace?.node === node.name && trace.to === destination
  const isTracing = isTraced && trace.result === undefined && trace.error === undefined
  return (
    <>
      <dl class="figures">
        <Figure name="Bandwidth">{bitrate(route.bandwidthBps)}</Figure>
        <Figure name="Reliability">{reliability === 0 ? 'not known yet' : percent(reliability)}</Figure>
        <Figure name="Other ways ready">{alternatives}</Figure>
        <Figure name="Good for">{duration(expiresInMs)}</Figure>
        <Figure name="NodeID">
          <code title={destination}>{destination.slice(0, 8)}…</code>
        </Figure>
      </dl>
      <button
        type="button"
        class="trace"
        aria-disabled={isTracing}
        onClick={() => !isTracing && void watcher.trace(destination)}
      >
        {isTracing ? 'Tracing …' : `Trace the path to ${names.get(destination) ?? nameOf(destination, label)}`}
      </button>
      <div class="outcome" role="status">
        {isTraced && trace.error !== undefined && <p>{trace.error}</p>}
        {isTraced && trace.result !== undefined && <TraceTable result={trace.result} names={names} from={node.name} />}
      </div>
      <WhyThisPath destination={destination} nextHop={route.nextHop} names={names} watcher={watcher} />
    </>
  )
}

function TraceTable({
  result,
  names,
  from,
}: {
  result: TraceResult
  names: ReadonlyMap<string, string>
  from: string
}) {
  const { outcome, explanation, rttMs, hops } = result
  const name = (node: string, label?: string): string => {
    const full = [...names.keys()].find((key) => key.startsWith(node))
    return label ?? (full === undefined ? undefined : names.get(full)) ?? node.slice(0, 8)
  }
  return (
    <>
      <p>
        <b>{outcome === 'arrived' ? `Arrived in ${latency(rttMs)}, there and back.` : 'Did not arrive.'}</b>{' '}
        {explanation}
      </p>
      {hops.length > 0 && (
        <table class="inner">
          <caption>From {from}, hop by hop</caption>
          <thead>
            <tr>
              <th scope="col">Node</th>
              <th scope="col">Leaves by</th>
              <th scope="col" class="number">
                Next hop
              </th>
              <th scope="col" class="number">
                Queue
              </th>
              <th scope="col" class="number">
                Adds
              </th>
            </tr>
          </thead>
          <tbody>
            {hops.map(({ node, label, medium, rttMs: hopMs, queueFill, addedCost }, at) => (
              <tr key={node}>
                <th scope="row">
                  {at + 1}. {name(node, label)}
                </th>
                <td>{medium === 'none' ? 'is here' : mediumName(medium)}</td>
                <td class="number">{latency(hopMs)}</td>
                <td class="number">{percent(queueFill)}</td>
                <td class="number">{cost(addedCost)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </>
  )
}

interface WhyProps {
  readonly destination: string
  readonly nextHop: string
  readonly names: ReadonlyMap<string, string>
  readonly watcher: Watcher
}

/** All next hops that the node could take, and what speaks for or against each; asked anew when the route changes. */
function WhyThisPath({ destination, nextHop, names, watcher }: WhyProps) {
  const [path, setPath] = useState<PathResult>()
  const [problem, setProblem] = useState<string>()
  useEffect(() => {
    let isWanted = true
    watcher.path(destination).then(
      (result) => isWanted && setPath(result),
      (error: unknown) => isWanted && setProblem(explain(error)),
    )
    return () => {
      isWanted = false
    }
  }, [destination, nextHop])
  if (problem !== undefined) return <p class="muted">{problem}</p>
  if (path === undefined) return <p class="muted">Asking why …</p>
  return (
    <>
      <h4>Why this path</h4>
      <p class="muted small">
        {path.explanation} Policy: {path.policy}.
      </p>
      <ul class="candidates">
        {path.candidates.map((candidate) => (
          <li key={`${candidate.nextHop} ${candidate.interfaceId}`} class={candidate.chosen ? 'chosen' : undefined}>
            <p>
              <b>by way of {names.get(candidate.nextHop) ?? nameOf(candidate.nextHop, candidate.label)}</b>{' '}
              <span class="muted small">
                {latency(candidate.latencyMs)} · {bitrate(candidate.bandwidthBps)} · {cost(candidate.cost)} μNXS/MiB
              </span>
            </p>
            <p class="small">{candidate.why}</p>
          </li>
        ))}
      </ul>
    </>
  )
}
