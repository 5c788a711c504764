import { useEffect, useState } from 'preact/hooks'
import { selectedNode } from '../state.ts'
import type { Watcher } from '../watcher.ts'
import { EventsCard } from './events.tsx'
import { GraphCard } from './graph-card.tsx'
import { Header } from './header.tsx'
import { InterfacesCard } from './interfaces.tsx'
import { LinksCard } from './links.tsx'
import { MessagesCard } from './messages.tsx'
import { Connecting, Lost, Unauthorised } from './notices.tsx'
import { RoutesCard } from './routes.tsx'

/** The whole page, drawn anew with each state of the watcher. */
export function App({ watcher }: { watcher: Watcher }) {
  const [state, setState] = useState(watcher.state)
  useEffect(() => watcher.subscribe(setState), [watcher])
  const node = selectedNode(state)
  useEffect(() => {
    document.title = node === undefined ? 'NEXUS' : `${node.name} · NEXUS`
  }, [node?.name])
  const { connection } = state
  if (connection.state === 'unauthorised') return <Unauthorised />
  const lost = connection.state === 'lost' && (
    <Lost retryAtMs={connection.retryAtMs} onRetry={() => watcher.lookNow()} />
  )
  if (state.look === 0) return lost ? <main class="notice">{lost}</main> : <Connecting />
  return (
    <>
      <Header state={state} />
      {lost}
      {state.problem !== undefined && (
        <p class="problem" role="alert">
          {state.problem}
        </p>
      )}
      <main class={connection.state === 'live' ? 'columns' : 'columns dimmed'}>
        <div class="column">
          <GraphCard state={state} watcher={watcher} />
          {node !== undefined && <MessagesCard state={state} node={node} watcher={watcher} />}
          {node !== undefined && <EventsCard node={node} state={state} />}
        </div>
        {node !== undefined && (
          <div class="column">
            <LinksCard node={node} state={state} watcher={watcher} />
            <InterfacesCard node={node} watcher={watcher} />
            <RoutesCard node={node} state={state} watcher={watcher} />
          </div>
        )}
      </main>
    </>
  )
}
