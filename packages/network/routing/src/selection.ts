import { COST_UNREACHABLE, costMicroPerMib } from '@nexus/compact-path-cost'
import { isBeyond } from './adjacency.ts'
import { HOP_NONE, NONE } from './destinations.ts'
import { URGENT_BANDWIDTH_STEPS, URGENT_LATENCY_MS } from './limits.ts'
import type { Outbox } from './outbox.ts'
import { type Numbers, type Policy, type RouteCandidate, selectRoute } from './policy.ts'
import type { RouterState } from './state.ts'

/** What follows from a choice. */
export interface SelectionEvents {
  /** Another neighbour serves, or none. */
  changed(slot: number): void
  /** There is no feasible path any more. */
  lost(slot: number): void
  found(slot: number): void
}

/** Chooses among feasible candidates by policy, and says when neighbours have to hear of it. */
export class Selector {
  readonly #state: RouterState
  readonly #outbox: Outbox
  readonly #policy: Policy
  readonly #numbers: Numbers
  readonly #events: SelectionEvents
  /** Destinations whose small changes wait for the round. */
  readonly #atRound = new Set<number>()

  constructor(state: RouterState, outbox: Outbox, policy: Policy, numbers: Numbers, events: SelectionEvents) {
    this.#state = state
    this.#outbox = outbox
    this.#policy = policy
    this.#numbers = numbers
    this.#events = events
  }

  /** Chooses anew for the destination in `slot`; to be called after anything about it changed. */
  reselect(slot: number): void {
    const { table, candidates, adjacencies } = this.#state
    const before = table.hop[slot]!
    const row = this.best(slot, NONE)
    const after = row === NONE ? HOP_NONE : candidates.adjacency[row]!
    table.hop[slot] = after
    this.#tell(slot)
    if (after !== HOP_NONE) this.#events.found(slot)
    if (after === before) return
    // The old next hop may now use us, the new one no longer.
    for (const index of [before, after]) {
      const hop = adjacencies[index]
      if (hop?.isUp) this.#outbox.markFor(hop, slot)
    }
    this.#events.changed(slot)
    if (after === HOP_NONE) this.#events.lost(slot)
  }

  /** The best feasible row but for `except`; the newest lamport goes before any score. {@link NONE} without one. */
  best(slot: number, except: number): number {
    const rows = this.contenders(slot, except)
    if (rows.length <= 1) return rows[0] ?? NONE
    return rows[selectRoute(this.#policy, this.#numbers, rows.map(this.#candidate)).index]!
  }

  /** Scores as {@link Selector.best} compares them. */
  scores(rows: readonly number[]): readonly number[] {
    return selectRoute(this.#policy, this.#numbers, rows.map(this.#candidate)).scores
  }

  /** The feasible rows of the newest lamport among them. */
  contenders(slot: number, except: number): number[] {
    const { table, candidates } = this.#state
    let rows: number[] = []
    let lamport = -1n
    for (let row = table.firstCandidate[slot]!; row !== NONE; row = candidates.next[row]!) {
      if (row === except || !this.#state.isFeasible(row)) continue
      const itsLamport = candidates.lamport[row]!
      if (itsLamport < lamport) continue
      if (itsLamport > lamport) rows = []
      lamport = itsLamport
      rows.push(row)
    }
    return rows
  }

  /** A round begins: small changes are told with it. */
  round(): void {
    const waiting = [...this.#atRound]
    this.#atRound.clear()
    for (const slot of waiting) this.#tellNow(slot)
  }

  /** Takes a destination without candidates out of use: withdrawn, but not searched for. */
  abandon(slot: number): void {
    const { table } = this.#state
    const isServed = table.hop[slot] !== HOP_NONE
    table.hop[slot] = HOP_NONE
    this.#tellNow(slot)
    if (isServed) this.#events.changed(slot)
  }

  readonly #candidate = (row: number): RouteCandidate => {
    const { candidates, adjacencies } = this.#state
    const adjacency = adjacencies[candidates.adjacency[row]!]!
    return {
      nodeId: adjacency.nodeId,
      cost: candidates.cost[row]!,
      latencyMs: Math.max(candidates.latencyMs[row]!, adjacency.latencyMs),
      reliability: candidates.reliability[row]!,
      hops: candidates.hops[row]!,
    }
  }

  #tell(slot: number): void {
    const { table } = this.#state
    const advert = this.#outbox.advertised(slot)
    const toldCost = table.toldCost[slot]!
    if (advert === undefined || toldCost === COST_UNREACHABLE) {
      if ((advert === undefined) !== (toldCost === COST_UNREACHABLE)) this.#tellNow(slot)
      return
    }
    const latencyMs = table.toldLatencyMs[slot]!
    const bandwidthSteps = Math.abs(advert.bandwidth - table.toldBandwidth[slot]!)
    const isUrgent =
      isBeyond(costMicroPerMib(advert.cost), costMicroPerMib(toldCost)) ||
      (isBeyond(advert.latencyMs, latencyMs) && Math.abs(advert.latencyMs - latencyMs) >= URGENT_LATENCY_MS) ||
      bandwidthSteps >= URGENT_BANDWIDTH_STEPS
    if (isUrgent) this.#tellNow(slot)
    else if (
      advert.cost !== toldCost ||
      advert.latencyMs !== latencyMs ||
      bandwidthSteps > 0 ||
      advert.hops !== table.toldHops[slot]
    ) {
      this.#atRound.add(slot)
    }
  }

  #tellNow(slot: number): void {
    const { table } = this.#state
    const advert = this.#outbox.advertised(slot)
    this.#atRound.delete(slot)
    table.toldCost[slot] = advert?.cost ?? COST_UNREACHABLE
    table.toldLatencyMs[slot] = advert?.latencyMs ?? 0
    table.toldBandwidth[slot] = advert?.bandwidth ?? 0
    table.toldHops[slot] = advert?.hops ?? 0
    this.#outbox.mark(slot)
  }
}
