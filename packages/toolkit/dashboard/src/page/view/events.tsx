import type { NodeEvent } from '@nexus/node/api'
import { useState } from 'preact/hooks'
import { GROUPS, type Group, groupOf } from '../model/event-groups.ts'
import { clock } from '../model/format.ts'
import type { ShownNode } from '../model/topology.ts'
import { Card, Empty, Scroll } from './parts.tsx'

/** What happened at the node that is looked at, newest first. */
export function EventsCard({ node, events }: { node: ShownNode; events: readonly NodeEvent[] }) {
  const [group, setGroup] = useState<Group | 'all'>('all')
  const shown = events.filter(({ kind }) => group === 'all' || groupOf(kind) === group)
  return (
    <Card id="events" title={`Events at ${node.name}`}>
      <fieldset class="chips">
        <legend class="unseen">Show</legend>
        {(['all', ...GROUPS] as const).map((each) => (
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
