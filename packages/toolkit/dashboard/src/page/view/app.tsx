import type { ViewName } from '@nexus/node/api'
import { useEffect, useState } from 'preact/hooks'
import type { ShownNode } from '../model/topology.ts'
import { type PageState, selectedNode } from '../state.ts'
import type { Watcher } from '../watcher.ts'
import { EventsCard } from './events.tsx'
import { GraphCard } from './graph-card.tsx'
import { Header } from './header.tsx'
import { InterfacesCard } from './interfaces.tsx'
import { LinksCard } from './links.tsx'
import { MessagesCard } from './messages.tsx'
import { MoneyCard } from './money.tsx'
import { Connecting, Lost, Unauthorised } from './notices.tsx'
import { RoutesCard } from './routes.tsx'
import { SegmentCard, SegmentPictureCard } from './segment-cards.tsx'

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
          <Pictures state={state} node={node} watcher={watcher} />
          {node !== undefined && has(node, 'status') && <MessagesCard state={state} node={node} watcher={watcher} />}
          {node !== undefined && <EventsCard node={node} state={state} />}
        </div>
        {node !== undefined && (
          <div class="column">
            <Details state={state} node={node} watcher={watcher} />
          </div>
        )}
      </main>
    </>
  )
}

/** The mesh where there is one; a segment has its own picture where it is all that there is. */
function Pictures({ state, node, watcher }: { state: PageState; node: ShownNode | undefined; watcher: Watcher }) {
  if (state.nodes.length === 0 || state.nodes.some((each) => has(each, 'status'))) {
    return <GraphCard state={state} watcher={watcher} />
  }
  return <SegmentPictureCard state={state} node={node} watcher={watcher} />
}

/** What the node that is looked at has to show, a card for each of its views or more. */
function Details({ state, node, watcher }: { state: PageState; node: ShownNode; watcher: Watcher }) {
  return (
    <>
      {has(node, 'status') && (
        <>
          <LinksCard node={node} state={state} watcher={watcher} />
          <MoneyCard node={node} state={state} />
          <InterfacesCard node={node} watcher={watcher} />
        </>
      )}
      {has(node, 'segment') && <SegmentCard node={node} />}
      {has(node, 'status') && <RoutesCard node={node} state={state} watcher={watcher} />}
    </>
  )
}

const has = ({ views }: ShownNode, view: ViewName): boolean => views.includes(view)
