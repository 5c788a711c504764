import { bitrate, cost, duration, latency, nameOf } from '../model/format.ts'
import type { ShownNode } from '../model/topology.ts'
import type { PageState } from '../state.ts'
import type { Watcher } from '../watcher.ts'
import { CongestionFigures } from './congestion.tsx'
import { Card, Empty, Figure, MediumBadge, Meter } from './parts.tsx'

/** The neighbours of the node that is looked at. */
export function LinksCard({ node, state, watcher }: { node: ShownNode; state: PageState; watcher: Watcher }) {
  const { status, running, name } = node
  const links = running ? (status?.links ?? []) : []
  const kinds = new Map(status?.interfaces.map(({ id, kind }) => [id, kind]))
  return (
    <Card id="links" title={`Links of ${name}`}>
      {!running && <Empty>{name} is unplugged: it has no links. Plug it in, and its neighbours find it again.</Empty>}
      {running && links.length === 0 && (
        <Empty>No neighbour yet. One appears within a round or two of coming into reach.</Empty>
      )}
      <ul class="rows">
        {links.map((link) => {
          const kind = kinds.get(link.interfaceId) ?? 'memory'
          const peerIsOff = state.topology.vertices.get(link.peer)?.running === false
          return (
            <li key={link.id} class={peerIsOff ? 'fading' : undefined}>
              <div class="row-head">
                <h3>{nameOf(link.peer, link.label)}</h3>
                <MediumBadge medium={kind} />
                {link.trusted && <span class="tag">trusted</span>}
                {peerIsOff && <span class="tag">fell silent</span>}
              </div>
              <dl class="figures">
                <Figure name="Latency">{latency(link.rttMs)}</Figure>
                <Figure name="Bandwidth">{bitrate(link.bitrateBps)}</Figure>
                <Figure name="Adds, μNXS/MiB">{cost(link.addedCost)}</Figure>
                <Figure name="Up for">{duration(link.upForMs)}</Figure>
                <Figure name="Traffic now">{trafficOf(watcher, status?.node.nodeId ?? '', link.peer, kind)}</Figure>
                <Figure name="Queue">
                  <Meter label={`Queue towards ${nameOf(link.peer, link.label)}`} share={link.queueFill} />
                </Figure>
                <CongestionFigures congestion={link.congestion} />
              </dl>
            </li>
          )
        })}
      </ul>
    </Card>
  )
}

function trafficOf({ rates }: Watcher, self: string, peer: string, medium: string): string {
  const ends = self < peer ? `${self} ${peer}` : `${peer} ${self}`
  const [forth, back] = [rates.perSecond(`${ends} ${medium} forth`), rates.perSecond(`${ends} ${medium} back`)]
  return forth === undefined || back === undefined ? '–' : bitrate(8 * (forth + back))
}
