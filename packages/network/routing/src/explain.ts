import { COST_UNREACHABLE, decodeBandwidth } from '@nexus/compact-path-cost'
import { HOP_NONE, METRIC_NONE, NONE, SLOT } from './destinations.ts'
import { PATH_HOPS_MAX } from './limits.ts'
import { ringDistance } from './ring.ts'
import type { Selector } from './selection.ts'
import type { RouterState } from './state.ts'

/**
 * Why a candidate is used or not: it serves; it would serve next; it is feasible and dearer; its lamport is older than
 * another's; using it could close a loop; its neighbour withdrew it; its neighbour is gone; its path is too long.
 */
export type CandidateVerdict =
  | 'chosen'
  | 'second'
  | 'worse'
  | 'older-lamport'
  | 'infeasible'
  | 'withdrawn'
  | 'neighbour-down'
  | 'too-long'

export interface ExplainedCandidate {
  readonly adjacency: number
  readonly nodeId: Uint8Array
  readonly interfaceId: number
  readonly verdict: CandidateVerdict
  /** Encoded cost and hops as advertised; the link to the neighbour is in the latency and the bandwidth. */
  readonly cost: number
  readonly hops: number
  readonly latencyMs: number
  readonly bandwidthBps: number
  /** Delivery probability in 255ths; 0 where nothing is known. */
  readonly reliability: number
  readonly lamport: bigint
  /** The least (cost, hops) that the neighbour advertised at this lamport: what feasibility is judged by. */
  readonly leastCost: number
  readonly leastHops: number
  readonly isFeasible: boolean
  /** Lower is better; only among candidates that compete. */
  readonly score: number | undefined
}

export interface RouteExplanation {
  readonly destination: Uint8Array
  /** `greedy`: unknown, and a neighbour is nearer on the ring. `lost`: known without a path. `evicted`: see limits. */
  readonly state: 'self' | 'routed' | 'lost' | 'evicted' | 'greedy' | 'unknown'
  readonly lamport: bigint | undefined
  readonly ageMs: number | undefined
  readonly isStale: boolean
  /** What this node advertised: only neighbours below it are feasible. `undefined` where it advertised nothing. */
  readonly feasibleDistance: { readonly lamport: bigint; readonly cost: number; readonly hops: number } | undefined
  /** Best first. */
  readonly candidates: readonly ExplainedCandidate[]
  readonly greedy: { readonly adjacency: number; readonly distance: bigint; readonly ownDistance: bigint } | undefined
}

/** Everything that led to the choice for one destination. */
export function explainRoute(
  state: RouterState,
  selector: Selector,
  destination: Uint8Array,
  greedyHop: number,
): RouteExplanation {
  const { table } = state
  const slot = table.find(destination)
  if (slot === NONE) return explainUnknown(state, destination, greedyHop)
  const metric = table.feasibleMetric[slot]!
  return {
    destination: destination.slice(),
    state: nameState(state, slot),
    lamport: table.lamport[slot],
    ageMs: slot === state.selfSlot ? undefined : state.ageMs(slot),
    isStale: slot !== state.selfSlot && state.isStale(slot),
    feasibleDistance:
      metric === METRIC_NONE
        ? undefined
        : { lamport: table.feasibleLamport[slot]!, cost: metric >>> 8, hops: metric & 0xff },
    candidates: explainCandidates(state, selector, slot),
    greedy: undefined,
  }
}

function explainUnknown(state: RouterState, destination: Uint8Array, greedyHop: number): RouteExplanation {
  const adjacency = state.byId.get(greedyHop)
  return {
    destination: destination.slice(),
    state: adjacency === undefined ? 'unknown' : 'greedy',
    lamport: undefined,
    ageMs: undefined,
    isStale: false,
    feasibleDistance: undefined,
    candidates: [],
    greedy:
      adjacency === undefined
        ? undefined
        : {
            adjacency: greedyHop,
            distance: ringDistance(adjacency.nodeId, destination),
            ownDistance: ringDistance(state.selfId, destination),
          },
  }
}

function nameState(state: RouterState, slot: number): RouteExplanation['state'] {
  if (slot === state.selfSlot) return 'self'
  if (state.table.state[slot] === SLOT.GHOST) return 'evicted'
  return state.table.hop[slot] === HOP_NONE ? 'lost' : 'routed'
}

function explainCandidates(state: RouterState, selector: Selector, slot: number): ExplainedCandidate[] {
  const { table, candidates, adjacencies } = state
  const contenders = selector.contenders(slot, NONE)
  const scores = selector.scores(contenders)
  const chosen = state.chosenRow(slot)
  const second = chosen === NONE ? NONE : selector.best(slot, chosen)
  const explained: ExplainedCandidate[] = []
  for (let row = table.firstCandidate[slot]!; row !== NONE; row = candidates.next[row]!) {
    const adjacency = adjacencies[candidates.adjacency[row]!]!
    const place = contenders.indexOf(row)
    explained.push({
      adjacency: adjacency.id,
      nodeId: adjacency.nodeId,
      interfaceId: adjacency.interfaceId,
      verdict: row === chosen ? 'chosen' : row === second ? 'second' : place >= 0 ? 'worse' : whyNot(state, row),
      cost: candidates.cost[row]!,
      hops: candidates.hops[row]!,
      latencyMs: Math.max(candidates.latencyMs[row]!, adjacency.latencyMs),
      bandwidthBps: decodeBandwidth(Math.min(candidates.bandwidth[row]!, adjacency.bandwidth)),
      reliability: candidates.reliability[row]!,
      lamport: candidates.lamport[row]!,
      leastCost: candidates.leastMetric[row]! >>> 8,
      leastHops: candidates.leastMetric[row]! & 0xff,
      isFeasible: state.isFeasible(row),
      score: place < 0 ? undefined : scores[place],
    })
  }
  return explained.sort((a, b) => VERDICTS.indexOf(a.verdict) - VERDICTS.indexOf(b.verdict))
}

const VERDICTS: readonly CandidateVerdict[] = [
  'chosen',
  'second',
  'worse',
  'older-lamport',
  'infeasible',
  'withdrawn',
  'too-long',
  'neighbour-down',
]

function whyNot(state: RouterState, row: number): CandidateVerdict {
  const { candidates, adjacencies } = state
  if (!adjacencies[candidates.adjacency[row]!]!.isUp) return 'neighbour-down'
  if (candidates.hops[row]! > PATH_HOPS_MAX) return 'too-long'
  if (candidates.cost[row] === COST_UNREACHABLE) return 'withdrawn'
  return state.isFeasible(row) ? 'older-lamport' : 'infeasible'
}
