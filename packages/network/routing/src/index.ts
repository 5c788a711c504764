/** Loop-free routes by cost, latency and reliability, and the greedy walk without a route (docs/spec/routing.md). */
export type { AdjacencyChange, AdjacencyFacts } from './adjacency.ts'
export { RoutingError, type RoutingErrorDetail } from './errors.ts'
export type { CandidateVerdict, ExplainedCandidate, RouteExplanation } from './explain.ts'
export {
  decodeRouteFrame,
  encodeRouteFrame,
  ROUTE_FRAME,
  type RouteFrame,
  type RouteRequest,
  type RouteUpdate,
  WITHDRAWN,
} from './frames.ts'
export type { AnnounceAssessment, AnnounceVerdict } from './intake.ts'
export {
  DEFAULT_LIMITS,
  EXPIRE_AFTER_MS,
  PATH_HOPS_MAX,
  REFRESH_MS,
  REQUEST_BYTES,
  REQUEST_REPEATS_MS,
  ROUND_MS,
  type RoutingLimits,
  SELF_ANNOUNCE_SPACING_MS,
  STALE_AFTER_MS,
  UNREACHABLE_SPACING_MS,
  UPDATE_BYTES,
} from './limits.ts'
export type { ControlFrame } from './outbox.ts'
export {
  createPolicy,
  type Numbers,
  POLICIES,
  type Policy,
  type PolicyName,
  type RouteCandidate,
  type Selection,
  selectRoute,
  type Weights,
} from './policy.ts'
export { greedyStep, ringDistance } from './ring.ts'
export { NO_HOP, Router, type RouterOptions, type RouterPorts, type RouterStats } from './router.ts'
export { decodeSnapshot, encodeSnapshot, type SnapshotEntry } from './snapshot.ts'
