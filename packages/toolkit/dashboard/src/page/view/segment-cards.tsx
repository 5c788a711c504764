import type { SegmentInterface, SegmentReport } from '@nexus/node/api'
import { counted, duration, grouped, nameOf } from '../model/format.ts'
import { anchorOf, dropsOf, mainInterface, type Station, stationsOf } from '../model/segment.ts'
import type { ShownNode } from '../model/topology.ts'
import type { PageState } from '../state.ts'
import type { Watcher } from '../watcher.ts'
import { NodeBar } from './node-bar.tsx'
import { Card, Empty, Figure, Meter, Scroll } from './parts.tsx'
import { SegmentPicture, ZoneLegend } from './segment-picture.tsx'

/** An epoch lasts so long (docs/spec/anchor-truth.md). */
const EPOCH_MS = 60_000
const PHASES = { down: 'down', asking: 'asks who leads', member: 'member', anchor: 'anchor' } as const
const ADMISSIONS = {
  open: 'open: the key proves one voice, and no more',
  passphrase: 'by passphrase',
  'allow-list': 'by allow-list',
} as const

/** The picture of a segment that the server runs nodes of, with the node that is looked at. */
export function SegmentPictureCard(props: { state: PageState; node: ShownNode | undefined; watcher: Watcher }) {
  const { state, node, watcher } = props
  const stations = stationsOf(state.nodes)
  const anchor = anchorOf(stations)
  return (
    <Card id="segment-picture" title="Segment" aside={<ZoneLegend stations={stations} />}>
      <SegmentPicture stations={stations} selected={node?.name} onSelect={(name) => watcher.select(name)} />
      <AnchorLine anchor={anchor} stations={stations} state={state} watcher={watcher} />
      {node !== undefined && (
        <NodeBar node={node} state={state} watcher={watcher}>
          <Standing node={node} />
        </NodeBar>
      )}
    </Card>
  )
}

/** Who leads, and the way to see another one rise. */
function AnchorLine(props: {
  anchor: Station | undefined
  stations: readonly Station[]
  state: PageState
  watcher: Watcher
}) {
  const { anchor, stations, state, watcher } = props
  const followers = stations.filter(({ running, follows }) => running && follows === anchor?.key).length
  const isSwitchable = state.nodes.some(({ name, switchable }) => switchable && name === anchor?.name)
  const isSwitching = anchor !== undefined && state.switching.has(anchor.name)
  return (
    <div class="anchor-line">
      <p role="status">
        {anchor === undefined
          ? 'Nobody leads: the nodes wait until they may.'
          : `${anchor.name} is the anchor; ${counted(followers, 'node')} ${followers === 1 ? 'follows' : 'follow'}.`}
      </p>
      {anchor !== undefined && isSwitchable && (
        <button
          type="button"
          aria-disabled={isSwitching}
          onClick={() => !isSwitching && void watcher.setPower(anchor.name, false)}
        >
          Kill the anchor
        </button>
      )}
    </div>
  )
}

function Standing({ node }: { node: ShownNode }) {
  const one = mainInterface(node)
  if (node.segment === undefined || one === undefined) return null
  return (
    <dl class="figures five">
      <Figure name="Part">{PHASES[one.phase]}</Figure>
      <Figure name="Ego">{one.ego}</Figure>
      <Figure name="Type">{node.segment.type}</Figure>
      <Figure name="Zone">{node.segment.zone}</Figure>
      <Figure name="NodeID">
        <code title={node.segment.nodeId}>{node.segment.nodeId.slice(0, 8)}…</code>
      </Figure>
    </dl>
  )
}

/** Every segment that a node takes part in: anchor, epoch, members, drops. */
export function SegmentCard({ node }: { node: ShownNode }) {
  const { segment, name, running } = node
  const title = `Segment of ${name}`
  if (segment === undefined || !running) {
    return (
      <Card id="segment" title={title}>
        <Empty>{running ? 'It has not said anything yet.' : `${name} is unplugged.`}</Empty>
      </Card>
    )
  }
  return (
    <Card id="segment" title={title}>
      {segment.interfaces.length === 0 && <Empty>No network interface has an IPv6 link-local address.</Empty>}
      {segment.interfaces.map((one) => (
        <OneSegment key={one.interface} report={segment} one={one} />
      ))}
    </Card>
  )
}

function OneSegment({ report, one }: { report: SegmentReport; one: SegmentInterface }) {
  const { anchor, epoch } = one
  return (
    <section class="one-segment" aria-label={`On ${one.interface}`}>
      <div class="row-head">
        <h3>{one.interface}</h3>
        <span class="tag">{PHASES[one.phase]}</span>
        <span class="muted small">Admission {ADMISSIONS[one.admission]}</span>
      </div>
      <dl class="figures four">
        <Figure name="Anchor">{anchor === null ? 'none yet' : called(report, one, anchor.nodeId)}</Figure>
        <Figure name="Heard">{anchor === null ? '–' : heard(report, anchor)}</Figure>
        <Figure name="Epoch">{epoch === null ? 'no key' : grouped(epoch.number)}</Figure>
        <Figure name="Age of its key">{epoch === null ? '–' : duration(epoch.ageMs)}</Figure>
      </dl>
      {epoch !== null && <Meter label="Age of the epoch of 60 s" share={epoch.ageMs / EPOCH_MS} warnAt={1} />}
      <div class="members">
        <Members one={one} />
      </div>
      <Drops one={one} />
    </section>
  )
}

function Members({ one }: { one: SegmentInterface }) {
  if (one.members.length === 0) return <Empty>Nobody else is here.</Empty>
  const members = [...one.members].sort(
    (a, b) => Number(b.isAnchor) - Number(a.isAnchor) || compareNames(a.name, b.name),
  )
  return (
    <Scroll label={`Members on ${one.interface}`} capped>
      <table>
        <thead>
          <tr>
            <th scope="col">Member</th>
            <th scope="col">Type</th>
            <th scope="col">Zone</th>
            <th scope="col" class="number">
              Ego
            </th>
            <th scope="col" class="number">
              Heard
            </th>
            <th scope="col" class="number wide-only">
              Up for
            </th>
          </tr>
        </thead>
        <tbody>
          {members.map(({ nodeId, name, type, zone, ego, isAnchor, heardAgoMs, uptimeSeconds }) => (
            <tr key={nodeId}>
              <th scope="row">
                {nameOf(nodeId, name || undefined)} {isAnchor && <span class="tag anchor-tag">anchor</span>}
              </th>
              <td>{type}</td>
              <td>{zone}</td>
              <td class="number">{ego}</td>
              <td class="number">{duration(heardAgoMs)} ago</td>
              <td class="number wide-only">{duration(uptimeSeconds * 1_000)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  )
}

function Drops({ one }: { one: SegmentInterface }) {
  const drops = dropsOf(one)
  const { sent, received } = one
  return (
    <p class="muted small drops">
      Sent {counted(sent.pulse, 'pulse')}, {counted(sent.epoch, 'EPOCH')}, {counted(sent.request, 'request')}; heard{' '}
      {counted(received.pulse, 'pulse')}, {counted(received.epoch, 'EPOCH')}, {counted(received.request, 'request')}.{' '}
      {drops.length === 0
        ? 'Nothing was dropped.'
        : `Dropped: ${drops.map(([reason, count]) => `${grouped(count)} ${reason}`).join(', ')}.`}
    </p>
  )
}

function called(report: SegmentReport, one: SegmentInterface, nodeId: string): string {
  if (nodeId === report.nodeId) return `${report.name} itself`
  return nameOf(nodeId, one.members.find((member) => member.nodeId === nodeId)?.name || undefined)
}

function heard(report: SegmentReport, { nodeId, heardAgoMs }: { nodeId: string; heardAgoMs: number }): string {
  return nodeId === report.nodeId ? '–' : `${duration(heardAgoMs)} ago`
}

const compareNames = new Intl.Collator('en', { numeric: true }).compare
