import { addCost, COST_UNREACHABLE, writePathCost } from '@nexus/compact-path-cost'
import { HEADER_BYTES, HOP_LIMIT } from '@nexus/framing'
import { type Adjacency, KNOWS } from './adjacency.ts'
import { COST_AT, MAX_HOPS_AT, writeAnnounceHeader } from './announce-body.ts'
import { HOP_NONE, metricOf, NONE, SLOT } from './destinations.ts'
import { encodeRouteFrame, ROUTE_FRAME, WITHDRAWN, writeUpdate } from './frames.ts'
import {
  PATH_HOPS_MAX,
  REPEAT_SOON_MS,
  REPEATS,
  REQUEST_BYTES,
  SPARSE_ROUNDS,
  UNREACHABLE_SPACING_MS,
  UPDATE_BYTES,
  UPDATES_MAX,
} from './limits.ts'
import { isSameNeighbour, type RouterState } from './state.ts'

/** What a neighbour is to be sent next: a packet (link message 1), or the body of a route message (3). */
export interface ControlFrame {
  readonly kind: 'packet' | 'route'
  readonly bytes: Uint8Array
}

/** Announces looked at for one that fits before the next kind of work has its turn. */
const FIT_TRIES = 16
/** A neighbour on the terms of all. */
const PAYING = { free: false, charge: undefined } as const

/** A path as it is told to one neighbour; written anew for each. */
interface Advert {
  cost: number
  latencyMs: number
  bandwidth: number
  hops: number
  lamport: bigint
}

/** Decides what each neighbour has to be told, and writes it when the neighbour's link has room. */
export class Outbox {
  readonly #state: RouterState
  readonly #signal: (adjacency: Adjacency) => void
  readonly #advert: Advert = { cost: 0, latencyMs: 0, bandwidth: 0, hops: 0, lamport: 0n }

  constructor(state: RouterState, signal: (adjacency: Adjacency) => void) {
    this.#state = state
    this.#signal = signal
  }

  /** The destination in `slot` has to be told anew, to each neighbour what it needs. */
  mark(slot: number): void {
    for (const adjacency of this.#state.adjacencies) if (adjacency?.isUp) this.markFor(adjacency, slot)
  }

  markFor(adjacency: Adjacency, slot: number): void {
    adjacency.reserve(this.#state.table.capacity)
    adjacency.queue(slot, this.#queueFor(adjacency, slot))
    this.#signal(adjacency)
  }

  /** There is a new announce: nobody but its bringer knows it. */
  announceChanged(slot: number, bringer: Adjacency | undefined): void {
    for (const adjacency of this.#state.adjacencies) {
      if (adjacency === undefined) continue
      adjacency.reserve(this.#state.table.capacity)
      if (adjacency !== bringer) adjacency.knows[slot]! &= ~KNOWS.ANNOUNCE
    }
  }

  /** The neighbour asked, and we can answer: it gets the announce, whatever it knows. False where we cannot. */
  answer(adjacency: Adjacency, slot: number): boolean {
    adjacency.reserve(this.#state.table.capacity)
    adjacency.knows[slot]! |= KNOWS.WANTS
    if (!this.#isOffered(adjacency, slot) || !this.#isCurrent(slot)) return false
    adjacency.knows[slot]! &= ~KNOWS.ANNOUNCE
    adjacency.queue(slot, adjacency.answers)
    this.#signal(adjacency)
    return true
  }

  /** The neighbour sent a packet that cannot be forwarded: it is told, once a second per destination. */
  refuse(adjacency: Adjacency, destination: Uint8Array, key: string, slot: number): void {
    const { nowMs, limits } = this.#state
    const before = adjacency.refusals.get(key)
    if (before !== undefined && (before.answeredMs ?? nowMs) > nowMs - UNREACHABLE_SPACING_MS) return
    adjacency.refusals.delete(key)
    if (adjacency.refusals.size >= limits.refusals) {
      for (const oldest of adjacency.refusals.keys()) {
        adjacency.refusals.delete(oldest)
        break
      }
    }
    adjacency.refusals.set(key, {
      destination: destination.slice(),
      answeredMs: slot === NONE ? undefined : nowMs,
    })
    if (slot !== NONE) {
      adjacency.reserve(this.#state.table.capacity)
      adjacency.knows[slot]! |= KNOWS.ROUTE
      this.markFor(adjacency, slot)
    }
    this.#signal(adjacency)
  }

  /** A round begins: what was told of late is told again, in a sparse one also what was told before. */
  round(count: number): void {
    for (const adjacency of this.#state.adjacencies) {
      if (adjacency?.isUp) this.#repeat(adjacency, count % SPARSE_ROUNDS === 0 ? 1 : 2)
    }
  }

  /** What was just told is told again where it is time. */
  tick(): void {
    for (const adjacency of this.#state.adjacencies) {
      if (!adjacency?.isUp || adjacency.repeatSoonMs > this.#state.nowMs) continue
      adjacency.repeatSoonMs = Number.POSITIVE_INFINITY
      this.#repeat(adjacency, REPEATS)
    }
  }

  /** When {@link Outbox.tick} has work. */
  nextWakeMs(): number {
    let nextMs = Number.POSITIVE_INFINITY
    for (const adjacency of this.#state.adjacencies) {
      if (adjacency?.isUp) nextMs = Math.min(nextMs, adjacency.repeatSoonMs)
    }
    return nextMs
  }

  /** The next frame of at most `maxBytes` for this neighbour; `undefined` where nothing waits that fits. */
  pull(adjacency: Adjacency, maxBytes: number): ControlFrame | undefined {
    const request = maxBytes > REQUEST_BYTES ? adjacency.requests.entries().next().value : undefined
    if (request !== undefined) {
      adjacency.requests.delete(request[0])
      return { kind: 'route', bytes: encodeRouteFrame({ kind: 'request', request: request[1] }) }
    }
    const isUrgent = adjacency.withdrawals.size > 0 || adjacency.refusals.size > 0
    return (
      (isUrgent ? this.#updates(adjacency, maxBytes, true) : undefined) ??
      this.#announce(adjacency, adjacency.answers, maxBytes) ??
      this.#announce(adjacency, adjacency.announces, maxBytes) ??
      this.#updates(adjacency, maxBytes, false)
    )
  }

  /** What the destination in `slot` looks like to a neighbour that pays; `undefined` where we have no path. */
  advertised(slot: number): Readonly<Advert> | undefined {
    return this.#compute(slot, PAYING) ? this.#advert : undefined
  }

  #isCurrent(slot: number): boolean {
    const { table, candidates, selfSlot } = this.#state
    return slot === selfSlot || candidates.lamport[this.#state.chosenRow(slot)] === table.lamport[slot]
  }

  /** How the newest state of the destination reaches this neighbour. */
  #form(adjacency: Adjacency, slot: number): 'nothing' | 'withdrawal' | 'update' | 'announce' {
    const knows = adjacency.knows[slot]!
    if (!this.#isOffered(adjacency, slot)) return (knows & KNOWS.ROUTE) !== 0 ? 'withdrawal' : 'nothing'
    return (knows & KNOWS.ANNOUNCE) !== 0 || !this.#isCurrent(slot) ? 'update' : 'announce'
  }

  #queueFor(adjacency: Adjacency, slot: number): Set<number> | undefined {
    const form = this.#form(adjacency, slot)
    if (form === 'nothing') return undefined
    if (form === 'withdrawal') return adjacency.withdrawals
    if (form === 'update') return adjacency.updates
    return (adjacency.knows[slot]! & KNOWS.WANTS) !== 0 ? adjacency.answers : adjacency.announces
  }

  /** Whether the neighbour may be told a path: not one over itself, none beyond the announce's reach. */
  #isOffered(adjacency: Adjacency, slot: number): boolean {
    const { table, selfSlot, adjacencies } = this.#state
    if (slot === selfSlot) return table.bodyBlock[slot] !== NONE
    const hop = table.hop[slot]!
    if (hop === HOP_NONE || table.state[slot] !== SLOT.LIVE || table.maxHops[slot] === 0) return false
    if (isSameNeighbour(adjacencies[hop]!, adjacency)) return false
    // A path of an older lamport than the announce we hold is only told to those who use us for it already.
    if (!this.#isCurrent(slot) && (adjacency.knows[slot]! & KNOWS.ROUTE) === 0) return false
    return this.#compute(slot, adjacency)
  }

  #compute(slot: number, { free, charge }: Pick<Adjacency, 'free' | 'charge'>): boolean {
    const { table, candidates, selfSlot, adjacencies } = this.#state
    const advert = this.#advert
    if (slot === selfSlot) {
      Object.assign(advert, { cost: 0, latencyMs: 0, bandwidth: 255, hops: 0, lamport: table.lamport[slot]! })
      return true
    }
    const row = this.#state.chosenRow(slot)
    if (row === NONE) return false
    const hop = adjacencies[table.hop[slot]!]!
    const cost = candidates.cost[row]!
    advert.cost = free ? cost : addCost(cost, charge ?? hop.addCost)
    advert.latencyMs = Math.max(candidates.latencyMs[row]!, hop.latencyMs)
    advert.bandwidth = Math.min(candidates.bandwidth[row]!, hop.bandwidth)
    advert.hops = candidates.hops[row]! + 1
    advert.lamport = candidates.lamport[row]!
    return advert.hops <= PATH_HOPS_MAX && advert.cost !== COST_UNREACHABLE
  }

  #announce(adjacency: Adjacency, set: Set<number>, maxBytes: number): ControlFrame | undefined {
    const { table } = this.#state
    let tries = FIT_TRIES
    for (const slot of set) {
      if (this.#form(adjacency, slot) !== 'announce') {
        this.markFor(adjacency, slot)
        continue
      }
      if (HEADER_BYTES + table.bodyBytes[slot]! <= maxBytes) return this.#writeAnnounce(adjacency, slot)
      tries -= 1
      if (tries === 0) break
    }
    return undefined
  }

  #writeAnnounce(adjacency: Adjacency, slot: number): ControlFrame {
    const { table, bodies, selfSlot } = this.#state
    this.#compute(slot, adjacency)
    const advert = this.#advert
    const length = table.bodyBytes[slot]!
    const bytes = new Uint8Array(HEADER_BYTES + length)
    writeAnnounceHeader(bytes, Math.min(advert.hops, HOP_LIMIT - 1), table.destination(slot))
    bodies.read(table.bodyBlock[slot]!, length, bytes, HEADER_BYTES)
    bytes[HEADER_BYTES + MAX_HOPS_AT] = slot === selfSlot ? table.maxHops[slot]! : table.maxHops[slot]! - 1
    writePathCost(advert, bytes, HEADER_BYTES + COST_AT)
    adjacency.queue(slot, undefined)
    adjacency.knows[slot]! |= KNOWS.ANNOUNCE | KNOWS.ROUTE
    this.#lowerDistance(slot)
    this.#told(adjacency, slot)
    return { kind: 'packet', bytes }
  }

  /** One frame of withdrawals first, then changes, then repeats. */
  #updates(adjacency: Adjacency, maxBytes: number, isUrgent: boolean): ControlFrame | undefined {
    const room = Math.min(UPDATES_MAX, Math.floor((maxBytes - 1) / UPDATE_BYTES))
    const waiting = adjacency.refusals.size + adjacency.withdrawals.size + adjacency.updates.size + adjacency.due
    const count = Math.min(room, waiting)
    if (count <= 0) return undefined
    const bytes = new Uint8Array(1 + count * UPDATE_BYTES)
    bytes[0] = ROUTE_FRAME.UPDATE
    let at = this.#writeRefusals(adjacency, bytes, 1)
    at = this.#writeEach(adjacency, adjacency.withdrawals, bytes, at)
    // An urgent frame is filled up with what waits, but only sent where something was urgent.
    if (isUrgent && at === 1) return undefined
    at = this.#writeEach(adjacency, adjacency.updates, bytes, at)
    at = this.#writeRepeats(adjacency, bytes, at)
    return at === 1 ? undefined : { kind: 'route', bytes: bytes.subarray(0, at) }
  }

  #writeRefusals(adjacency: Adjacency, into: Uint8Array, from: number): number {
    let at = from
    for (const refusal of adjacency.refusals.values()) {
      if (at === into.length) break
      if (refusal.answeredMs !== undefined) continue
      refusal.answeredMs = this.#state.nowMs
      at = writeUpdate({ destination: refusal.destination, lamport: 0n, path: WITHDRAWN }, into, at)
    }
    return at
  }

  #writeEach(adjacency: Adjacency, set: Set<number>, into: Uint8Array, from: number): number {
    let at = from
    for (const slot of set) {
      if (at === into.length) break
      set.delete(slot)
      const form = this.#form(adjacency, slot)
      if (form === 'announce') this.markFor(adjacency, slot)
      if (form === 'announce' || form === 'nothing') continue
      at = this.#writeUpdate(adjacency, slot, form === 'update', into, at)
      this.#told(adjacency, slot)
    }
    return at
  }

  /** Repeats say what is true now, which need not be what was said first. */
  #writeRepeats(adjacency: Adjacency, into: Uint8Array, from: number): number {
    let at = from
    while (at < into.length) {
      const slot = adjacency.nextRepeat()
      if (slot < 0) break
      const form = this.#form(adjacency, slot)
      if (form === 'announce') this.markFor(adjacency, slot)
      else at = this.#writeUpdate(adjacency, slot, form === 'update', into, at)
    }
    return at
  }

  #writeUpdate(adjacency: Adjacency, slot: number, isOffered: boolean, into: Uint8Array, at: number): number {
    const destination = this.#state.table.destination(slot)
    if (!isOffered) {
      adjacency.knows[slot]! &= ~KNOWS.ROUTE
      return writeUpdate({ destination, lamport: this.#state.table.lamport[slot]!, path: WITHDRAWN }, into, at)
    }
    this.#compute(slot, adjacency)
    this.#lowerDistance(slot)
    adjacency.knows[slot]! |= KNOWS.ROUTE
    return writeUpdate({ destination, lamport: this.#advert.lamport, path: this.#advert }, into, at)
  }

  #told(adjacency: Adjacency, slot: number): void {
    adjacency.setRepeats(slot, REPEATS)
    adjacency.repeatSoonMs = Math.min(adjacency.repeatSoonMs, this.#state.nowMs + REPEAT_SOON_MS)
  }

  #repeat(adjacency: Adjacency, leastLeft: number): void {
    adjacency.dueRepeats(leastLeft)
    if (adjacency.hasWork) this.#signal(adjacency)
  }

  /** What leaves this node bounds what it may use: before the frame is handed out. */
  #lowerDistance(slot: number): void {
    const { table, selfSlot } = this.#state
    if (slot === selfSlot) return
    const { lamport, cost, hops } = this.#advert
    const metric = metricOf(cost, hops)
    const before = table.feasibleLamport[slot]!
    if (lamport < before) throw new Error('routing: a path of a lamport below the advertised one was chosen')
    if (lamport > before || metric < table.feasibleMetric[slot]!) {
      table.feasibleLamport[slot] = lamport
      table.feasibleMetric[slot] = metric
    }
  }
}
