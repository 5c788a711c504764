import type { ComponentChildren } from 'preact'
import { duration, grouped } from '../model/format.ts'
import type { ShownNode } from '../model/topology.ts'
import type { PageState } from '../state.ts'
import type { Watcher } from '../watcher.ts'
import { Figure } from './parts.tsx'

interface NodeBarProps {
  readonly node: ShownNode
  readonly state: PageState
  readonly watcher: Watcher
  /** Figures to show instead of those of a mesh. */
  readonly children?: ComponentChildren
}

/** The node that is looked at: what it is, how it is, and its switch. */
export function NodeBar({ node, state, watcher, children }: NodeBarProps) {
  const { name, role, running, switchable, status } = node
  const switching = state.switching.has(name)
  return (
    <div class="node-bar">
      <div class="node-title">
        <h3>
          <span class={running ? 'dot on' : 'dot off'} aria-hidden="true" />
          {name}
        </h3>
        <p class="muted" role="status">
          {role}
          {running ? '' : ' · unplugged'}
        </p>
        {switchable && (
          <button
            type="button"
            class={running ? 'power' : 'power primary'}
            aria-disabled={switching}
            onClick={() => !switching && void watcher.setPower(name, !running)}
          >
            {switching ? (running ? 'Unplugging …' : 'Plugging in …') : running ? `Unplug ${name}` : `Plug ${name} in`}
          </button>
        )}
      </div>
      {running && children}
      {status !== undefined && running && (
        <dl class="figures five">
          <Figure name="Up for">{duration(status.node.upForMs)}</Figure>
          <Figure name="Links">{status.links.length}</Figure>
          <Figure name="Destinations">{status.routesTotal}</Figure>
          <Figure name="Relayed">{grouped(status.counters.forwarded)}</Figure>
          <Figure name="NodeID">
            <code title={status.node.nodeId}>{status.node.nodeId.slice(0, 8)}…</code>
          </Figure>
        </dl>
      )}
    </div>
  )
}
