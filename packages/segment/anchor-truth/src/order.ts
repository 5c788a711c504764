import { compareBytes } from '@nexus/codec'
import { LOWER_EGO_WAIT_MS, RANK_WAIT_MS, RANKS_MAX, SIGHTING_GAP_MS } from './limits.ts'

/** What a claim is compared by: only what is inside it, so that all who hear it come to one verdict. */
export interface Rank {
  readonly ego: number
  readonly nodeId: Uint8Array
}

/** K: ego, then NodeID. Positive where `a` leads. */
export function compareRank(a: Rank, b: Rank): number {
  return a.ego - b.ego || compareBytes(a.nodeId, b.nodeId)
}

/** Somebody who may speak, as this node saw it come. */
export interface Candidate extends Rank {
  readonly firstHeardMs: number
}

/**
 * How long `self` waits before it claims, without jitter: candidates of the highest ego by their turn, lower ones two
 * seconds later by theirs.
 */
export function waitMsOf(self: Candidate, others: readonly Candidate[]): number {
  const egoMax = others.reduce((most, { ego }) => Math.max(most, ego), self.ego)
  const isHighest = self.ego === egoMax
  const peers = others.filter(({ ego }) => (isHighest ? ego === egoMax : ego < egoMax))
  const turn = Math.min(turnOf(self, peers), RANKS_MAX)
  return turn * RANK_WAIT_MS + (isHighest ? 0 : LOWER_EGO_WAIT_MS)
}

/** How many of `others` come before `self`: greater ego, then an earlier group of sightings, then the greater NodeID. */
function turnOf(self: Candidate, others: readonly Candidate[]): number {
  const groups = sightingGroups([self, ...others])
  const own = groups.get(self) as number
  return others.filter((other) => {
    if (other.ego !== self.ego) return other.ego > self.ego
    const group = groups.get(other) as number
    return group === own ? compareBytes(other.nodeId, self.nodeId) > 0 : group < own
  }).length
}

/** Sightings with no gap of {@link SIGHTING_GAP_MS} between them are one group: their order says nothing. */
function sightingGroups(candidates: readonly Candidate[]): Map<Candidate, number> {
  const groups = new Map<Candidate, number>()
  let group = 0
  let lastMs = Number.NEGATIVE_INFINITY
  for (const candidate of [...candidates].sort((a, b) => a.firstHeardMs - b.firstHeardMs)) {
    if (candidate.firstHeardMs - lastMs > SIGHTING_GAP_MS) group += 1
    lastMs = candidate.firstHeardMs
    groups.set(candidate, group)
  }
  return groups
}
