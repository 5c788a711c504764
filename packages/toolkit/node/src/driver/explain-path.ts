import { toHex } from '@nexus/codec'
import { COST_UNREACHABLE, costMicroPerMib } from '@nexus/compact-path-cost'
import type { CandidateVerdict, RouteExplanation } from '@nexus/routing'
import type { PathResult } from '../api/schemas.ts'
import type { NodeCore } from '../core/node-core.ts'

const WHY: Record<CandidateVerdict, string> = {
  chosen: 'Chosen: the lowest score among those that cannot loop.',
  second: 'Second best: takes over in the same moment if the chosen one goes.',
  worse: 'Could serve, but scores worse.',
  'older-lamport': 'Its word is older than the newest announce of the destination.',
  infeasible: 'Might lead back here: it is not nearer than what this node itself has advertised.',
  withdrawn: 'It says that it has no way any more.',
  'neighbour-down': 'The link to it is down.',
  'too-long': 'Its path has more than 128 relays.',
}

const STATES: Record<RouteExplanation['state'], string> = {
  self: 'This node itself is the destination.',
  routed: 'There is a route.',
  lost: 'The destination is known, but no neighbour offers a way that cannot loop; a newer announce was asked for.',
  evicted: 'The destination was forgotten to make room; it is searched for when something is sent to it.',
  greedy: 'No announce of the destination was heard; packets go to the neighbour whose NodeID is nearest to it.',
  unknown: 'No announce of the destination was heard, and no neighbour is nearer to it than this node.',
}

/** All next hops towards a destination, with the reason for each. */
export function explainPath(core: NodeCore, nowMs: number, destination: Uint8Array): PathResult {
  const { router } = core.routes
  const explanation = router.explain(core.clock.toProtocolMs(nowMs), destination)
  const interfaces = new Map([...core.interfaces.values()].map(({ index, facts }) => [index, facts.id]))
  return {
    to: toHex(destination),
    known: explanation.state === 'routed' || explanation.state === 'self',
    policy: core.options.policy ?? 'balanced',
    explanation: STATES[explanation.state],
    candidates: explanation.candidates.map((candidate) => {
      const label = core.contacts.labelOf(candidate.nodeId)
      return {
        nextHop: toHex(candidate.nodeId),
        ...(label === undefined ? {} : { label }),
        interfaceId: interfaces.get(candidate.interfaceId) ?? 'gone',
        cost: candidate.cost === COST_UNREACHABLE ? null : costMicroPerMib(candidate.cost),
        latencyMs: candidate.latencyMs,
        bandwidthBps: candidate.bandwidthBps,
        hops: candidate.hops,
        reliability: candidate.reliability / 255,
        feasible: candidate.isFeasible,
        score: candidate.score ?? null,
        chosen: candidate.verdict === 'chosen',
        why: WHY[candidate.verdict],
      }
    }),
  }
}
