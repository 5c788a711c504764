import type { z } from 'zod'
import type { interfaceCongestionSchema, linkCongestionSchema } from '../api/congestion.ts'
import type { InterfaceTraffic } from '../core/interfaces.ts'
import type { NodeCore } from '../core/node-core.ts'

const NO_QUEUE = { bytes: 0, packets: 0, drops: { expired: 0, full: 0 } }

/** How a medium fares, for `nexus-status/1`. */
export function interfaceCongestionOf(
  { egress }: InterfaceTraffic,
  nowMs: number,
): z.infer<typeof interfaceCongestionSchema> {
  const { shaper, jams } = egress
  const severities = [...shaper.queues()].map(({ id }) => egress.severity(nowMs, id))
  return { measuredBps: shaper.meter.bps, severity: Math.max(0, ...severities), gaveUp: jams }
}

/** How the queue to a neighbour stands. */
export function linkCongestionOf(core: NodeCore, nowMs: number, link: number): z.infer<typeof linkCongestionSchema> {
  const { bytes, packets, drops } = core.interfaces.of(link)?.egress.shaper.queue(link) ?? NO_QUEUE
  return {
    queuedBytes: bytes,
    queuedPackets: packets,
    severity: core.interfaces.severity(nowMs, link),
    told: core.congestion.told(link),
    dropped: { ...drops },
  }
}
