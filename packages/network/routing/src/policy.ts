import { compareBytes } from '@nexus/codec'
import { COST_MAX, costMicroPerMib, costTable } from '@nexus/compact-path-cost'

/** Which arithmetic scores use: `f64` where there is an FPU, `q16` (Q0.16) elsewhere. Both choose the same hop. */
export type Numbers = 'f64' | 'q16'

/** How a node weighs its routes. */
export interface Policy {
  /** Weights that sum to 1, and the same in 2^-16 with a sum of exactly 65 536. */
  readonly weights: Weights
  readonly weightsQ16: Weights
  /** The most reliable candidate wins, and the weights only decide between equally reliable ones. */
  readonly reliabilityFirst: boolean
}

export interface Weights {
  readonly cost: number
  readonly latency: number
  readonly reliability: number
}

/** What a policy sees of one feasible candidate. */
export interface RouteCandidate {
  /** The neighbour, 16 bytes: the last tie-break. */
  readonly nodeId: Uint8Array
  /** Encoded cost e, 0…640. */
  readonly cost: number
  /** Milliseconds of the slowest hop, the link to the neighbour included. */
  readonly latencyMs: number
  /** Delivery probability in 255ths; 0 where nothing is known. */
  readonly reliability: number
  readonly hops: number
}

/** A choice: the index of the best candidate (-1 for none), and every score, lower being better. */
export interface Selection {
  readonly index: number
  /** f64: 0…1. Q0.16: a whole number in 2^-32, 0…2^32. */
  readonly scores: readonly number[]
}

/**
 * A policy of three weights, rescaled to a sum of 1. In 2^-16 each is rounded to nearest, and the difference to 65 536
 * goes to the largest (the first of equals, in the order cost, latency, reliability).
 * @throws {RangeError} for a negative weight or a sum of 0
 */
export function createPolicy(weights: Weights, reliabilityFirst = false): Policy {
  const given = [weights.cost, weights.latency, weights.reliability]
  const sum = given.reduce((total, weight) => total + weight, 0)
  if (!given.every((weight) => weight >= 0) || !(sum > 0 && sum < Number.POSITIVE_INFINITY)) {
    throw new RangeError('weights are not negative, and not all 0')
  }
  const q16 = given.map((weight) => Math.round((weight / sum) * 0x10000))
  const largest = given.indexOf(Math.max(...given))
  q16[largest]! += 0x10000 - q16.reduce((total, weight) => total + weight, 0)
  const named = (values: readonly number[]): Weights => ({
    cost: values[0]!,
    latency: values[1]!,
    reliability: values[2]!,
  })
  return { weights: named(given.map((weight) => weight / sum)), weightsQ16: named(q16), reliabilityFirst }
}

/** The policies that have a name. */
export const POLICIES = {
  cheapest: createPolicy({ cost: 0.8, latency: 0.1, reliability: 0 }),
  fastest: createPolicy({ cost: 0.1, latency: 0.8, reliability: 0 }),
  mostReliable: createPolicy({ cost: 0.4, latency: 0.2, reliability: 0.2 }, true),
  balanced: createPolicy({ cost: 0.4, latency: 0.2, reliability: 0.2 }),
} as const satisfies Record<string, Policy>

/** Name of one of {@link POLICIES}. */
export type PolicyName = keyof typeof POLICIES

/**
 * Scores candidates and chooses (docs/spec/routing.md): score = β·cost + γ·latency + δ·(1 − reliability), each term on
 * decoded values divided by the largest among the candidates, 0 where that is 0. Ties: cost, hops, NodeID.
 * @throws {RangeError} for a cost above 640
 */
export function selectRoute(policy: Policy, numbers: Numbers, candidates: readonly RouteCandidate[]): Selection {
  for (const { cost } of candidates) {
    if (!(cost <= COST_MAX)) throw new RangeError(`${cost} is not the cost of a reachable path`)
  }
  const scores = numbers === 'f64' ? scoreF64(policy, candidates) : scoreQ16(policy, candidates)
  let index = -1
  for (let at = 0; at < candidates.length; at++) {
    if (index < 0 || isBetter(policy, candidates, scores, at, index)) index = at
  }
  return { index, scores }
}

const RELIABILITY_MAX = 255

function scoreF64(policy: Policy, candidates: readonly RouteCandidate[]): number[] {
  const { cost, latency, reliability } = policy.weights
  let costMax = 0
  let latencyMax = 0
  let unreliableMax = 0
  for (const candidate of candidates) {
    costMax = Math.max(costMax, costMicroPerMib(candidate.cost))
    latencyMax = Math.max(latencyMax, candidate.latencyMs)
    unreliableMax = Math.max(unreliableMax, RELIABILITY_MAX - candidate.reliability)
  }
  const costFactor = costMax === 0 ? 0 : cost / costMax
  const latencyFactor = latencyMax === 0 ? 0 : latency / latencyMax
  const reliabilityFactor = unreliableMax === 0 ? 0 : reliability / unreliableMax
  return candidates.map(
    (candidate) =>
      costFactor * costMicroPerMib(candidate.cost) +
      latencyFactor * candidate.latencyMs +
      reliabilityFactor * (RELIABILITY_MAX - candidate.reliability),
  )
}

// D[e] reaches 57 bits. The 24 leading ones of the largest carry the ratio, and all values are cut at the same bit:
// D[e] >> shift[e] is kept here, so that any further cut is a 32-bit shift.
const COST_BITS = 24
const costShift = Uint8Array.from(costTable, (value) => Math.max(0, value.toString(2).length - COST_BITS))
const costMantissa = Uint32Array.from(costTable, (value, cost) => Number(value >> BigInt(costShift[cost]!)))
const ONE_Q16 = 0x10000

function scoreQ16(policy: Policy, candidates: readonly RouteCandidate[]): number[] {
  const { cost, latency, reliability } = policy.weightsQ16
  let costMax = 0
  let latencyMax = 0
  let unreliableMax = 0
  for (const candidate of candidates) {
    costMax = Math.max(costMax, candidate.cost)
    latencyMax = Math.max(latencyMax, candidate.latencyMs)
    unreliableMax = Math.max(unreliableMax, RELIABILITY_MAX - candidate.reliability)
  }
  const shift = costShift[costMax]!
  return candidates.map((candidate) => {
    const cut = shift - costShift[candidate.cost]!
    const costCut = cut > 31 ? 0 : costMantissa[candidate.cost]! >>> cut
    return (
      cost * ratioQ16(costCut, costMantissa[costMax]!) +
      latency * ratioQ16(candidate.latencyMs, latencyMax) +
      reliability * ratioQ16(RELIABILITY_MAX - candidate.reliability, unreliableMax)
    )
  })
}

/** floor(value · 2^16 / largest): 0…65 536. */
function ratioQ16(value: number, largest: number): number {
  return largest === 0 ? 0 : Math.floor((value * ONE_Q16) / largest)
}

function isBetter(
  policy: Policy,
  candidates: readonly RouteCandidate[],
  scores: readonly number[],
  at: number,
  than: number,
): boolean {
  const a = candidates[at]!
  const b = candidates[than]!
  if (policy.reliabilityFirst && a.reliability !== b.reliability) return a.reliability > b.reliability
  const difference =
    scores[at]! - scores[than]! || a.cost - b.cost || a.hops - b.hops || compareBytes(a.nodeId, b.nodeId)
  return difference < 0
}
