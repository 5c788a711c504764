import type { NodeEvent } from '@nexus/node/api'
import { useState } from 'preact/hooks'
import { GROUPS, type Group, groupOf, VIEW_OF, withNames } from '../model/event-groups.ts'
import { clock, nameOf } from '../model/format.ts'
import { type MoneyEvent, moneyEventsOf, moneySentence } from '../model/money.ts'
import type { ShownNode } from '../model/topology.ts'
import type { PageState } from '../state.ts'
import { Card, Empty, Scroll } from './parts.tsx'

/** A line of the list. */
interface Entry {
  readonly key: string
  readonly at: string
  readonly group: Group
  readonly text: string
}

/** What happened at the node that is looked at, newest first; payments since the page was opened. */
export function EventsCard({ node, state }: { node: ShownNode; state: PageState }) {
  const [group, setGroup] = useState<Group | 'all'>('all')
  const hasMoney = node.status?.economy !== undefined
  const groups = GROUPS.filter((each) =>
    each === 'payments' ? hasMoney : VIEW_OF[each] === undefined || node.views.includes(VIEW_OF[each]),
  )
  const shown = entriesOf(node, state).filter((entry) => group === 'all' || entry.group === group)
  return (
    <Card id="events" title={`Events at ${node.name}`}>
      <fieldset class="chips">
        <legend class="unseen">Show</legend>
        {(['all', ...groups] as const).map((each) => (
          <label key={each}>
            <input type="radio" name="events" checked={group === each} onChange={() => setGroup(each)} />
            <span class="chip">{each}</span>
          </label>
        ))}
      </fieldset>
      {shown.length === 0 && (
        <Empty>
          {node.running
            ? 'Nothing of this kind has happened yet.'
            : `${node.name} is unplugged; its events come with it.`}
        </Empty>
      )}
      <div class="events">
        <Scroll labelledBy="events">
          <div role="log" aria-labelledby="events">
            <ol>
              {shown.map(({ key, at, group: of, text }) => (
                <li key={key}>
                  <time dateTime={at}>{clock(at)}</time>
                  <span class={`event-dot group-${of}`} aria-hidden="true" />
                  <span>{text}</span>
                </li>
              ))}
            </ol>
          </div>
        </Scroll>
      </div>
    </Card>
  )
}

function entriesOf(node: ShownNode, { events, money, topology }: PageState): Entry[] {
  const names = new Map([...topology.vertices.values()].map(({ key, name }) => [key.slice(0, 8), name]))
  const own = events.map(({ sequence, at, kind, text }: NodeEvent): Entry => {
    return { key: `${sequence}`, at, group: groupOf(kind), text: withNames(text, names) }
  })
  const nodeId = node.status?.node.nodeId
  if (nodeId === undefined) return own
  const name = (id: string): string => topology.vertices.get(id)?.name ?? nameOf(id)
  const payments = moneyEventsOf(money.events, nodeId).map((event: MoneyEvent): Entry => {
    return { key: `money ${event.sequence}`, at: event.at, group: 'payments', text: moneySentence(event, name) }
  })
  return payments.length === 0 ? own : merged(own, payments)
}

/** Two lists, each newest first, as one. */
function merged(a: readonly Entry[], b: readonly Entry[]): Entry[] {
  return [...a, ...b].sort((one, other) => Date.parse(other.at) - Date.parse(one.at))
}
