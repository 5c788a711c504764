import { COST_UNREACHABLE } from '@nexus/compact-path-cost'
import type { Adjacency } from './adjacency.ts'
import { BlockStore } from './blocks.ts'
import { CandidateTable } from './candidates.ts'
import { DestinationTable, HOP_NONE, METRIC_NONE, NONE, SLOT } from './destinations.ts'
import { DOWN_KEPT_MS, PATH_HOPS_MAX, type RoutingLimits, STALE_AFTER_MS } from './limits.ts'

/** All that a router knows; no rule of the protocol is in here. */
export class RouterState {
  readonly limits: RoutingLimits
  readonly selfId: Uint8Array
  readonly selfSlot: number
  readonly table: DestinationTable
  readonly candidates: CandidateTable
  readonly bodies = new BlockStore()
  /** By index; holes are free. Those that are down keep their rows for a while. */
  readonly adjacencies: (Adjacency | undefined)[] = []
  readonly byId = new Map<number, Adjacency>()
  /** The clock as of the last event. */
  nowMs = 0
  live = 0
  ghosts = 0

  constructor(selfId: Uint8Array, limits: RoutingLimits, hashSeed: number) {
    this.limits = limits
    this.selfId = selfId.slice()
    this.table = new DestinationTable(limits.destinations + limits.ghosts + 1, hashSeed)
    this.candidates = new CandidateTable(this.table)
    this.selfSlot = this.table.add(selfId)
    this.table.state[this.selfSlot] = SLOT.SELF
    this.table.lamport[this.selfSlot] = 0n
  }

  get nowS(): number {
    return Math.floor(this.nowMs / 1000)
  }

  /** The adjacency of the caller's number. @throws {RangeError} where there is none that is up */
  adjacency(id: number): Adjacency {
    const adjacency = this.byId.get(id)
    if (adjacency === undefined) throw new RangeError(`there is no adjacency ${id}`)
    return adjacency
  }

  /** Row of the candidate that serves the destination in `slot`, or {@link NONE}. */
  chosenRow(slot: number): number {
    const hop = this.table.hop[slot]!
    return hop === HOP_NONE ? NONE : this.candidates.find(slot, hop)
  }

  /** Whether the row's path can be used without a loop (docs/spec/routing.md, feasibility). */
  isFeasible(row: number): boolean {
    const { candidates, table } = this
    if (!this.isUsable(row)) return false
    const slot = candidates.destination[row]!
    const lamport = candidates.lamport[row]!
    const advertised = table.feasibleLamport[slot]!
    return (
      lamport > advertised || (lamport === advertised && candidates.leastMetric[row]! < table.feasibleMetric[slot]!)
    )
  }

  /** Whether the row's neighbour is there and offers a path. */
  isUsable(row: number): boolean {
    const { candidates } = this
    return (
      candidates.cost[row] !== COST_UNREACHABLE &&
      candidates.hops[row]! <= PATH_HOPS_MAX &&
      this.adjacencies[candidates.adjacency[row]!]!.isUp
    )
  }

  /** Stores `data` as the announce of the destination in `slot`. */
  putBody(slot: number, data: Uint8Array): void {
    this.dropBody(slot)
    this.table.bodyBlock[slot] = this.bodies.put(data)
    this.table.bodyBytes[slot] = data.length
  }

  /** The stored announce of the destination in `slot`, or `undefined`. */
  body(slot: number): Uint8Array | undefined {
    const block = this.table.bodyBlock[slot]!
    if (block === NONE) return undefined
    const data = new Uint8Array(this.table.bodyBytes[slot]!)
    this.bodies.read(block, data.length, data, 0)
    return data
  }

  dropBody(slot: number): void {
    const block = this.table.bodyBlock[slot]!
    if (block !== NONE) this.bodies.drop(block)
    this.table.bodyBlock[slot] = NONE
  }

  /** Makes the slot of a destination that is not in the table, or only as a ghost, a live one. */
  addLive(destination: Uint8Array, introducer: Adjacency | undefined): number {
    const found = this.table.find(destination)
    const slot = found === NONE ? this.table.add(destination) : found
    if (found !== NONE) this.ghosts -= 1
    this.table.state[slot] = SLOT.LIVE
    this.table.introducer[slot] = introducer?.index ?? HOP_NONE
    if (introducer !== undefined) introducer.introduced += 1
    this.live += 1
    return slot
  }

  /** The slot of a destination of a snapshot: live with its announce, a ghost without. */
  restore(destination: Uint8Array, announce: Uint8Array | undefined): number {
    if (announce !== undefined) {
      const slot = this.addLive(destination, undefined)
      this.putBody(slot, announce)
      return slot
    }
    const slot = this.table.add(destination)
    this.table.state[slot] = SLOT.GHOST
    this.ghosts += 1
    return slot
  }

  /** A live destination without candidates becomes a ghost, or leaves the table where it was never advertised. */
  retire(slot: number): void {
    const { table } = this
    const introducer = this.adjacencies[table.introducer[slot]!]
    if (introducer !== undefined) introducer.introduced -= 1
    table.introducer[slot] = HOP_NONE
    this.dropBody(slot)
    this.live -= 1
    if (table.feasibleMetric[slot] === METRIC_NONE) {
      this.#release(slot)
      return
    }
    table.state[slot] = SLOT.GHOST
    this.ghosts += 1
  }

  /** A ghost leaves the table. */
  exorcise(slot: number): void {
    this.ghosts -= 1
    this.#release(slot)
  }

  ageMs(slot: number): number {
    return Math.max(0, this.nowS - this.table.heardS[slot]!) * 1000
  }

  isStale(slot: number): boolean {
    return this.ageMs(slot) >= STALE_AFTER_MS
  }

  /**
   * The destination that must go for one that `newcomer` brings, or {@link NONE} where none may: the stale one that was
   * used longest ago; else an idle one, brought by the same neighbour or by one that brought more, the least reliable
   * first. So a flood displaces its own destinations and no route that serves.
   */
  victim(newcomer: Adjacency): number {
    const { table } = this
    let best = NONE
    let bestRank = Number.POSITIVE_INFINITY
    for (let slot = 0; slot < table.end; slot++) {
      if (table.state[slot] !== SLOT.LIVE) continue
      const rank = this.#evictionRank(slot, newcomer)
      if (rank >= bestRank) continue
      bestRank = rank
      best = slot
    }
    return best
  }

  #evictionRank(slot: number, newcomer: Adjacency): number {
    const usedS = this.table.usedS[slot]!
    if (this.isStale(slot)) return usedS
    if (usedS > 0 && (this.nowS - usedS) * 1000 < DOWN_KEPT_MS) return Number.POSITIVE_INFINITY
    const introducer = this.adjacencies[this.table.introducer[slot]!]
    const isFair =
      introducer === undefined || introducer === newcomer || introducer.introduced > newcomer.introduced + 1
    if (!isFair) return Number.POSITIVE_INFINITY
    const row = this.chosenRow(slot)
    const reliability = row === NONE ? 0 : this.candidates.reliability[row]!
    return (1 + reliability) * 2 ** 32 + usedS
  }

  #release(slot: number): void {
    for (const adjacency of this.adjacencies) adjacency?.forget(slot)
    this.table.remove(slot)
  }
}

/** Whether two adjacencies lead to the same neighbour. */
export function isSameNeighbour(a: Adjacency, b: Adjacency): boolean {
  return a.nodeKey === b.nodeKey
}
