import type { Status } from '@nexus/node/api'
import { Figure } from './parts.tsx'

const SEVERITIES = ['clear', 'moderate', 'severe', 'saturated']

/** How the queue to a neighbour stands, what that neighbour was told of the queues it feeds, and what was given up. */
export function CongestionFigures({ congestion }: { congestion: Status['links'][number]['congestion'] }) {
  const { queuedPackets, severity, told, dropped } = congestion
  return (
    <>
      <Figure name="Congestion">{`${SEVERITIES[severity]}, ${queuedPackets} waiting`}</Figure>
      {told > 0 && <Figure name="Told to slow down">{SEVERITIES[told]}</Figure>}
      {dropped.expired + dropped.full > 0 && (
        <Figure name="Given up">{`${dropped.expired} too old, ${dropped.full} without room`}</Figure>
      )}
    </>
  )
}
