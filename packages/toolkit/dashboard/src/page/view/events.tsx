import { useState } from 'preact/hooks'
import { GROUPS, type Group, groupOf, VIEW_OF, withNames } from '../model/event-groups.ts'
import { clock } from '../model/format.ts'
import { withNxs } from '../model/money.ts'
import type { ShownNode } from '../model/topology.ts'
import type { PageState } from '../state.ts'
import { Card, Empty, Scroll } from './parts.tsx'

/** What happened at the node that is looked at, newest first. */
export function EventsCard({ node, state: { events, topology } }: { node: ShownNode; state: PageState }) {
  const [group, setGroup] = useState<Group | 'all'>('all')
  const names = new Map([...topology.vertices.values()].map(({ key, name }) => [key.slice(0, 8), name]))
  const isPaid = node.status?.economy !== undefined
  const groups = GROUPS.filter(
    (each) => (VIEW_OF[each] === undefined || node.views.includes(VIEW_OF[each])) && (each !== 'payments' || isPaid),
  )
  const shown = events.filter(({ kind }) => group === 'all' || groupOf(kind) === group)
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
              {shown.map(({ sequence, at, kind, text }) => (
                <li key={sequence}>
                  <time dateTime={at}>{clock(at)}</time>
                  <span class={`event-dot group-${groupOf(kind)}`} aria-hidden="true" />
                  <span>{withNxs(withNames(text, names))}</span>
                </li>
              ))}
            </ol>
          </div>
        </Scroll>
      </div>
    </Card>
  )
}
