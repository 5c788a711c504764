import { fromHex, toHex } from '@nexus/codec'
import { costMicroPerMib, isCost } from '@nexus/compact-path-cost'
import type { TraceResult } from '../api/schemas.ts'
import type { NodeCore } from '../core/node-core.ts'
import { MEDIA, type TraceHop } from '../core/trace.ts'
import type { TraceReport } from '../core/traces.ts'

const RTT_UNKNOWN = 0xffff

const EXPLANATIONS: Record<TraceReport['outcome'], string> = {
  arrived: 'The destination answered.',
  'no-route':
    'The last node listed, or this one if none is, knows no way to the destination. It may be off, or out of reach.',
  'hop-limit': 'The trace passed 128 relays: the destination is too far away, or something is wrong on the way.',
  'link-down': 'The link to the next node ended while the trace waited for it.',
  full: 'More than 31 relays are on the way; the trace has no room for further ones.',
  timeout:
    'No answer came in time. The trace or its answer was lost on the way, or the way is slower than the time given.',
}

/** A trace's report for people and programs. */
export function describeTrace(core: NodeCore, destination: Uint8Array, report: TraceReport): TraceResult {
  const { outcome, rttMs, hops } = report
  return {
    to: toHex(destination),
    outcome,
    explanation: EXPLANATIONS[outcome],
    rttMs: rttMs ?? null,
    hops: hops.map((hop, at) => hopOf(core, hop, outcome === 'arrived' && at === hops.length - 1)),
  }
}

function hopOf(core: NodeCore, hop: TraceHop, isEnd: boolean): TraceResult['hops'][number] {
  const head = toHex(hop.nodeIdHead)
  const found = core.contacts.find(head)
  const node = found.length === 1 ? found[0]! : head
  const label = found.length === 1 ? core.contacts.labelOf(fromHex(node)) : undefined
  return {
    node,
    ...(label === undefined ? {} : { label }),
    medium: isEnd ? 'none' : (MEDIA[hop.medium] ?? 'unknown'),
    rttMs: isEnd || hop.rttMs === RTT_UNKNOWN ? null : hop.rttMs,
    queueFill: hop.queueFill / 255,
    addedCost: isCost(hop.addedCost) && hop.addedCost !== 0xffff ? costMicroPerMib(hop.addedCost) : null,
  }
}
