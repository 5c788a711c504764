import { bitrate, bytes, counted, percent } from '../model/format.ts'
import type { ShownNode } from '../model/topology.ts'
import type { Watcher } from '../watcher.ts'
import { Card, Empty, Figure, MediumBadge, Meter } from './parts.tsx'

/** The media of the node that is looked at, and how much of each its own control traffic takes. */
export function InterfacesCard({ node, watcher }: { node: ShownNode; watcher: Watcher }) {
  const { name, running, status } = node
  if (!running || status === undefined) return null
  return (
    <Card id="interfaces" title="Interfaces and budget">
      {status.interfaces.length === 0 && <Empty>{name} has no interface that is up.</Empty>}
      <ul class="rows">
        {status.interfaces.map((iface) => {
          const { id, kind, controlBudgetBps, controlBytes, sentBytes, receivedBytes, queuedBytes } = iface
          const control = 8 * (watcher.rates.perSecond(`${name}/${id} control`) ?? 0)
          const share = controlBudgetBps === 0 ? 0 : control / controlBudgetBps
          const refused = Object.entries(iface.refused)
          return (
            <li key={id}>
              <div class="row-head">
                <h3>{id}</h3>
                <MediumBadge medium={kind} />
                <span class="muted small">
                  {bitrate(iface.bitrateBps)} · {iface.duplex} duplex
                  {iface.dutyCycle < 1 ? ` · duty cycle ${percent(iface.dutyCycle)}` : ''}
                </span>
              </div>
              <p class="budget">
                <span>
                  Control traffic: {bitrate(control)} of {bitrate(controlBudgetBps)} allowed
                </span>
                <b>{percent(share)}</b>
              </p>
              <Meter label={`Budget of ${id} for control traffic that is used`} share={share} warnAt={0.95} />
              <dl class="figures four">
                <Figure name="Sent">{bytes(sentBytes)}</Figure>
                <Figure name="of it control">{bytes(controlBytes)}</Figure>
                <Figure name="Received">{bytes(receivedBytes)}</Figure>
                <Figure name="Waiting">{bytes(queuedBytes)}</Figure>
              </dl>
              {refused.length > 0 && (
                <p class="muted small">
                  Refused: {refused.map(([reason, count]) => `${counted(count, 'frame')} (${reason})`).join(', ')}
                </p>
              )}
            </li>
          )
        })}
      </ul>
    </Card>
  )
}
