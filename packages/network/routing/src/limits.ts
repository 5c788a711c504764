/** A gossip round: what is not urgent waits for it, and what was sent is repeated in the next two. */
export const ROUND_MS = 60_000
/** How often a node announces itself. */
export const REFRESH_MS = 1_800_000
/** Without a newer announce for three refreshes a destination is stale: still used, first to be evicted. */
export const STALE_AFTER_MS: number = 3 * REFRESH_MS
/** One refresh after that it is gone. */
export const EXPIRE_AFTER_MS: number = STALE_AFTER_MS + REFRESH_MS
/** An evicted destination leaves its feasibility distance for as long as others may still hold its lamport. */
export const GHOST_AFTER_MS: number = EXPIRE_AFTER_MS + REFRESH_MS
/** What a dead neighbour advertised is shown, never used, for ten rounds. */
export const DOWN_KEPT_MS: number = 10 * ROUND_MS
/** Waiting times before each repeat of a request that is not answered. */
export const REQUEST_REPEATS_MS: readonly number[] = [1_000, 4_000, 16_000, 30_000, 30_000, 30_000, 30_000, 30_000]
/** Of these, how many go to those who ever advertised the destination alone, and to one neighbour that is asked. */
export const REQUEST_REPEATS_NEAR = 3
/** The same request of others is passed on at most this often: a repeat of its author's gets further than the first. */
export const PASS_SPACING_MS = 15_000
/** A destination takes a new lamport on request at most this often. */
export const SELF_ANNOUNCE_SPACING_MS = 10_000
/** A packet that cannot be forwarded is answered at most this often per destination. */
export const UNREACHABLE_SPACING_MS = 1_000
/** A request that was passed on goes once more after this, unless the answer came: end to end each loss would cost a repeat of its author's. */
export const PASS_AGAIN_MS = 2_000
/** An advert is repeated after this, in the next round, and a last time in the next round whose number {@link SPARSE_ROUNDS} divides. */
export const REPEAT_SOON_MS = 4_000
export const REPEATS = 3
export const SPARSE_ROUNDS = 8
/** A change by more than this factor is told at once. */
export const URGENT_FACTOR = 1.25
/** A latency change of fewer milliseconds is never urgent, whatever its ratio. */
export const URGENT_LATENCY_MS = 10
/** 8·log2(1.25) rounded up: encoded bandwidths that differ by so much differ by more than 25 %. */
export const URGENT_BANDWIDTH_STEPS = 3
/** Relays on a path; more is unreachable. Bounds what a count to infinity could ever do, were there one. */
export const PATH_HOPS_MAX = 128

/** Bytes of a destination, and 32-bit words of one. */
export const DESTINATION_BYTES = 16
export const DESTINATION_WORDS: number = DESTINATION_BYTES / 4
/** `destination 16 | lamport u64 | path cost 6`. */
export const UPDATE_BYTES = 30
/** `destination 16 | wanted u64`. */
export const REQUEST_BYTES = 24
/** Updates in the largest frame that any link takes (u16 MTU). */
export const UPDATES_MAX: number = Math.floor((0xffff - 2) / UPDATE_BYTES)

/** What a router may hold. Every table has its entry; what happens at the limit is said in docs/spec/routing.md. */
export interface RoutingLimits {
  /** Destinations with a route or an announce. Memory: 250–350 bytes each. */
  readonly destinations: number
  /** Evicted destinations whose feasibility distance is kept. 80 bytes each. */
  readonly ghosts: number
  /** Neighbours per destination. */
  readonly candidates: number
  /** Links to neighbours at one time; at most 0xFFFE. */
  readonly adjacencies: number
  /** Own requests waiting for an answer. */
  readonly pendingRequests: number
  /** Requests of others remembered until the end of the round, so that each is passed on only so often. */
  readonly passedRequests: number
  /** Of these, how many one neighbour may cause in a round. */
  readonly passedRequestsPerNeighbour: number
  /** Announces that one neighbour is asked for at one time, since its update could not be used. */
  readonly askedAnnounces: number
  /** Requests that wait for one neighbour to pull them. */
  readonly queuedRequests: number
  /** Unknown destinations per neighbour that wait to be answered, or were answered within the spacing. */
  readonly refusals: number
  /** Signature checks that one neighbour's announces may cause at once, and per second in the long run. */
  readonly verificationBurst: number
  readonly verificationsPerSecond: number
}

export const DEFAULT_LIMITS: RoutingLimits = {
  destinations: 16_384,
  ghosts: 4_096,
  candidates: 8,
  adjacencies: 256,
  pendingRequests: 1_024,
  passedRequests: 4_096,
  passedRequestsPerNeighbour: 512,
  askedAnnounces: 128,
  queuedRequests: 512,
  refusals: 64,
  verificationBurst: 4_096,
  verificationsPerSecond: 64,
}
