import type { Status } from '@nexus/node/api'
import { counted } from '../model/format.ts'
import { Figure } from './parts.tsx'

const SEVERITIES = ['clear', 'moderate', 'severe', 'saturated']

/** How the queue to a neighbour stands, what that neighbour was told of the queues it feeds, and what was given up. */
export function CongestionFigures({ congestion }: { congestion: Status['links'][number]['congestion'] }) {
  const { queuedPackets, severity, told, dropped } = congestion
  return (
    <>
      <Figure name="Congestion">
        {queuedPackets === 0
          ? SEVERITIES[severity]
          : `${SEVERITIES[severity]}, ${counted(queuedPackets, 'packet')} waiting`}
      </Figure>
      {told > 0 && <Figure name="Told to slow down">{SEVERITIES[told]}</Figure>}
      {dropped.expired + dropped.full > 0 && (
        <Figure name="Given up">{`${counted(dropped.expired, 'packet')} too old, ${dropped.full} without room`}</Figure>
      )}
    </>
  )
}
