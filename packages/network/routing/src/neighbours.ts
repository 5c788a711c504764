import { Adjacency, type AdjacencyChange, type AdjacencyFacts, keyOf } from './adjacency.ts'
import { HOP_NONE, NONE, SLOT } from './destinations.ts'
import { DESTINATION_WORDS, DOWN_KEPT_MS } from './limits.ts'
import type { Outbox } from './outbox.ts'
import { greedyStep, readWords } from './ring.ts'
import type { Selector } from './selection.ts'
import type { RouterState } from './state.ts'

/** Neighbours come, change and go, and what they advertised with them. */
export class Neighbours {
  readonly #state: RouterState
  readonly #outbox: Outbox
  readonly #selector: Selector

  constructor(state: RouterState, outbox: Outbox, selector: Selector) {
    this.#state = state
    this.#outbox = outbox
    this.#selector = selector
  }

  /** A new session: what was learnt in an earlier one of the same number, or from the same dead neighbour, is forgotten. */
  up(id: number, facts: AdjacencyFacts): boolean {
    const { adjacencies, byId, limits, nowMs } = this.#state
    const key = keyOf(facts.nodeId)
    for (const before of adjacencies) {
      if (before !== undefined && (before.id === id || (!before.isUp && before.nodeKey === key))) this.#remove(before)
    }
    const index = this.#freeIndex()
    if (index === NONE) return false
    const adjacency = new Adjacency(index, id, facts, limits, nowMs)
    adjacencies[index] = adjacency
    byId.set(id, adjacency)
    this.#tellAll(adjacency)
    return true
  }

  /** The neighbour is gone. Its rows are kept to be shown; every destination that it served is served by another. */
  down(id: number): void {
    const adjacency = this.#state.byId.get(id)
    if (adjacency === undefined) return
    adjacency.downAtMs = this.#state.nowMs
    this.#state.byId.delete(id)
    this.#reselectAll(adjacency)
  }

  measured(adjacency: Adjacency, change: AdjacencyChange): void {
    const { free, charge } = adjacency
    if (!adjacency.measure(change)) return
    this.#reselectAll(adjacency)
    if (adjacency.free !== free || adjacency.charge !== charge) this.#tellAll(adjacency)
  }

  /** The neighbour nearest to the destination on the ring, if nearer than this node; not the one numbered `exclude`. */
  nearest(destination: Uint8Array, exclude: number): Adjacency | undefined {
    const { adjacencies, selfId } = this.#state
    const ids = new Uint32Array((adjacencies.length + 1) * DESTINATION_WORDS)
    const target = new Uint32Array(DESTINATION_WORDS)
    const self = adjacencies.length
    readWords(selfId, ids, self * DESTINATION_WORDS)
    readWords(destination, target, 0)
    const indices: number[] = []
    for (const [index, adjacency] of adjacencies.entries()) {
      if (adjacency === undefined || !adjacency.isUp || adjacency.id === exclude) continue
      readWords(adjacency.nodeId, ids, index * DESTINATION_WORDS)
      indices.push(index)
    }
    return adjacencies[greedyStep(ids, self, indices, indices.length, target, 0)]
  }

  /** A round begins: who has been dead for long is forgotten, and who is there does not age. */
  round(): void {
    for (const adjacency of this.#state.adjacencies) {
      if (adjacency === undefined) continue
      if (adjacency.downAtMs === undefined) this.#refresh(adjacency)
      else if (this.#state.nowMs - adjacency.downAtMs >= DOWN_KEPT_MS) this.#remove(adjacency)
    }
  }

  /** The link itself shows that its neighbour is there: on slow media more often than there is room for announces. */
  #refresh(adjacency: Adjacency): void {
    const { table, candidates } = this.#state
    const slot = table.find(adjacency.nodeId)
    if (slot === NONE || table.state[slot] !== SLOT.LIVE) return
    const row = candidates.find(slot, adjacency.index)
    if (row !== NONE && this.#state.isUsable(row)) table.heardS[slot] = this.#state.nowS
  }

  #freeIndex(): number {
    const { adjacencies, limits } = this.#state
    const hole = adjacencies.indexOf(undefined)
    if (hole >= 0) return hole
    if (adjacencies.length < limits.adjacencies) return adjacencies.length
    const dead = adjacencies.find((adjacency) => adjacency?.isUp === false)
    if (dead === undefined) return NONE
    this.#remove(dead)
    return dead.index
  }

  /** This node, then what has a route, the fewest hops first: a slow link carries the neighbourhood before the world. */
  #tellAll(adjacency: Adjacency): void {
    const { table, selfSlot } = this.#state
    const slots: number[] = []
    for (let slot = 0; slot < table.end; slot++) {
      if (table.state[slot] === SLOT.LIVE && table.hop[slot] !== HOP_NONE) slots.push(slot)
    }
    slots.sort((a, b) => table.toldHops[a]! - table.toldHops[b]!)
    for (const slot of [selfSlot, ...slots]) this.#outbox.markFor(adjacency, slot)
  }

  #reselectAll(adjacency: Adjacency): void {
    const { candidates } = this.#state
    for (let row = 0; row < candidates.end; row++) {
      const slot = candidates.destination[row]!
      if (slot !== NONE && candidates.adjacency[row] === adjacency.index) this.#selector.reselect(slot)
    }
  }

  #remove(adjacency: Adjacency): void {
    const { candidates, table, adjacencies } = this.#state
    if (adjacency.isUp) this.down(adjacency.id)
    for (let row = 0; row < candidates.end; row++) {
      if (candidates.destination[row] !== NONE && candidates.adjacency[row] === adjacency.index) candidates.remove(row)
    }
    for (let slot = 0; slot < table.end; slot++) {
      if (table.introducer[slot] === adjacency.index) table.introducer[slot] = HOP_NONE
    }
    adjacencies[adjacency.index] = undefined
  }
}
