import type { Status } from '../api/schemas.ts'
import type { PageNode } from './page-node.ts'

interface Metric {
  readonly name: string
  readonly type: 'gauge' | 'counter'
  readonly help: string
  readonly samples: (status: Status) => { labels?: Record<string, string>; value: number }[]
}

const perInterface = (value: (iface: Status['interfaces'][number]) => number) => (status: Status) =>
  status.interfaces.map((iface) => ({ labels: { interface: iface.id, kind: iface.kind }, value: value(iface) }))
const byReason = (counts: Record<string, number>): { labels: Record<string, string>; value: number }[] =>
  Object.entries(counts).map(([reason, value]) => ({ labels: { reason }, value }))

const METRICS: readonly Metric[] = [
  {
    name: 'nexus_uptime_seconds',
    type: 'gauge',
    help: 'Seconds since the node started.',
    samples: (status) => [{ value: status.node.upForMs / 1000 }],
  },
  {
    name: 'nexus_links',
    type: 'gauge',
    help: 'Links up, by interface.',
    samples: perInterface((iface) => iface.links),
  },
  {
    name: 'nexus_routes',
    type: 'gauge',
    help: 'Destinations with a route.',
    samples: (status) => [{ value: status.routesTotal }],
  },
  {
    name: 'nexus_interface_sent_bytes_total',
    type: 'counter',
    help: 'Bytes handed to the medium.',
    samples: perInterface((iface) => iface.sentBytes),
  },
  {
    name: 'nexus_interface_received_bytes_total',
    type: 'counter',
    help: 'Bytes heard on the medium.',
    samples: perInterface((iface) => iface.receivedBytes),
  },
  {
    name: 'nexus_interface_control_bytes_total',
    type: 'counter',
    help: 'Bytes of routing, gossip, handshakes, beacons and probes sent.',
    samples: perInterface((iface) => iface.controlBytes),
  },
  {
    name: 'nexus_interface_queued_bytes',
    type: 'gauge',
    help: 'Bytes that wait for the medium.',
    samples: perInterface((iface) => iface.queuedBytes),
  },
  {
    name: 'nexus_interface_measured_bps',
    type: 'gauge',
    help: 'Bit/s that the medium was measured to carry.',
    samples: perInterface((iface) => iface.congestion.measuredBps),
  },
  {
    name: 'nexus_link_congestion_severity',
    type: 'gauge',
    help: '0 clear, 1 moderate, 2 severe, 3 saturated, by neighbour.',
    samples: (status) => status.links.map(({ peer, congestion }) => ({ labels: { peer }, value: congestion.severity })),
  },
  {
    name: 'nexus_frames_refused_total',
    type: 'counter',
    help: 'Frames and handshakes refused, by reason.',
    samples: (status) =>
      status.interfaces.flatMap((iface) =>
        byReason(iface.refused).map(({ labels, value }) => ({ labels: { interface: iface.id, ...labels }, value })),
      ),
  },
  {
    name: 'nexus_packets_forwarded_total',
    type: 'counter',
    help: 'Packets passed on for others.',
    samples: (status) => [{ value: status.counters.forwarded }],
  },
  {
    name: 'nexus_packets_delivered_total',
    type: 'counter',
    help: 'Packets that were for this node.',
    samples: (status) => [{ value: status.counters.delivered }],
  },
  {
    name: 'nexus_packets_dropped_total',
    type: 'counter',
    help: 'Packets given up, by reason.',
    samples: (status) => byReason(status.counters.dropped),
  },
  {
    name: 'nexus_announces_verified_total',
    type: 'counter',
    help: 'Announces whose signature held.',
    samples: (status) => [{ value: status.counters.announcesVerified }],
  },
  {
    name: 'nexus_messages',
    type: 'gauge',
    help: 'Messages in the outbox and inbox, by state.',
    samples: (status) => Object.entries(status.messages).map(([state, value]) => ({ labels: { state }, value })),
  },
]

/** The nodes' figures in the Prometheus text format, version 0.0.4. */
export async function metricsText(nodes: readonly PageNode[]): Promise<string> {
  const statuses: { name: string; status: Status }[] = []
  for (const node of nodes) {
    const status = await node
      .api()
      ?.call('status', { routesMax: 0 })
      .catch(() => undefined)
    if (status !== undefined) statuses.push({ name: node.name, status })
  }
  const lines: string[] = []
  for (const metric of METRICS) {
    lines.push(`# HELP ${metric.name} ${metric.help}`, `# TYPE ${metric.name} ${metric.type}`)
    for (const { name, status } of statuses) {
      for (const { labels, value } of metric.samples(status)) {
        lines.push(`${metric.name}{${labelText({ node: name, ...labels })}} ${value}`)
      }
    }
  }
  return `${lines.join('\n')}\n`
}

function labelText(labels: Record<string, string>): string {
  const escaped = (value: string): string =>
    value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
  return Object.entries(labels)
    .map(([key, value]) => `${key}="${escaped(value)}"`)
    .join(',')
}
