import { BANDWIDTH_MAX, isCost, LATENCY_MS_MAX } from '@nexus/compact-path-cost'
import { grown } from './destinations.ts'
import type { RouteRequest } from './frames.ts'
import { DESTINATION_BYTES, type RoutingLimits, URGENT_FACTOR } from './limits.ts'

/** A link to a neighbour as routing sees it. */
export interface AdjacencyFacts {
  /** 16 bytes; one neighbour may be adjacent over several interfaces. */
  readonly nodeId: Uint8Array
  readonly interfaceId: number
  /** Encoded cost e that this node charges for what it hands over here: added when a route over it is advertised. */
  readonly addCost: number
  /** Milliseconds, 0…65 535: enters as the larger of this and the path's. */
  readonly latencyMs: number
  /** Encoded bit/s, 0…255: enters as the smaller of this and the path's. */
  readonly bandwidth: number
  /** This neighbour pays nothing: what it is told does not hold our own cost. */
  readonly free?: boolean
  /** Encoded cost that this neighbour is charged, by whatever link its packets leave; if not given, that link's `addCost`. */
  readonly charge?: number | undefined
}

/** What can be measured anew while the link lives. */
export type AdjacencyChange = Partial<Pick<AdjacencyFacts, 'addCost' | 'latencyMs' | 'bandwidth' | 'free' | 'charge'>>

/** Per destination and neighbour, one byte: what the neighbour knows, and how often to say it again. */
export const KNOWS = {
  /** The announce of the current lamport. */
  ANNOUNCE: 1,
  /** We said that we have a route, and have not withdrawn it. */
  ROUTE: 2,
  /** It asked for the destination. */
  WANTS: 4,
  /** Two bits: repeats still to come, and one: a repeat is due. */
  REPEAT: 8,
  REPEATS_MASK: 24,
  DUE: 32,
} as const

/** A request to one neighbour for the announce behind an update that could not be used. */
export interface AskedAnnounce {
  readonly destination: Uint8Array
  sent: number
  nextMs: number
}

/**
 * One neighbour on one link: its measured facts, and what it still has to be told. A destination is in a set at most
 * once however often it changes, so that a slow link gets the newest state and never a queue of old ones.
 */
export class Adjacency {
  /** Small number that the tables use; reused after the adjacency is gone. */
  readonly index: number
  /** The caller's number for the link. */
  readonly id: number
  readonly nodeId: Uint8Array
  readonly nodeKey: string
  readonly interfaceId: number
  addCost: number
  latencyMs: number
  bandwidth: number
  free: boolean
  charge: number | undefined
  downAtMs: number | undefined

  knows = new Uint8Array(0)
  readonly answers = new Set<number>()
  readonly withdrawals = new Set<number>()
  readonly announces = new Set<number>()
  readonly updates = new Set<number>()
  /** When the first repeats of what was told last are due. */
  repeatSoonMs = Number.POSITIVE_INFINITY
  /** Repeats due, and the slot at which the search for them goes on. */
  due = 0
  dueAt = 0
  readonly requests = new Map<string, RouteRequest>()
  /** Destinations unknown here that this neighbour sent packets for: to be answered, or answered at that time. */
  readonly refusals = new Map<string, { readonly destination: Uint8Array; answeredMs: number | undefined }>()
  /** Destinations whose announce it is being asked for. */
  readonly asked = new Map<string, AskedAnnounce>()
  /** Requests of this neighbour passed on in this round. */
  passed = 0
  /** Destinations in the table that it brought. */
  introduced = 0
  /** The port `want` was called, and not everything was pulled since. */
  signalled = false

  #verifications: number
  #verifiedAtMs: number

  constructor(index: number, id: number, facts: AdjacencyFacts, limits: RoutingLimits, nowMs: number) {
    if (facts.nodeId.length !== DESTINATION_BYTES) throw new RangeError('a NodeID has 16 bytes')
    checkFacts(facts)
    this.index = index
    this.id = id
    this.nodeId = facts.nodeId.slice()
    this.nodeKey = keyOf(facts.nodeId)
    this.interfaceId = facts.interfaceId
    this.addCost = facts.addCost
    this.latencyMs = facts.latencyMs
    this.bandwidth = facts.bandwidth
    this.free = facts.free ?? false
    this.charge = facts.charge
    this.#verifications = limits.verificationBurst
    this.#verifiedAtMs = nowMs
  }

  get isUp(): boolean {
    return this.downAtMs === undefined
  }

  /** Whether anything waits to be pulled. */
  get hasWork(): boolean {
    return (
      this.requests.size + this.withdrawals.size + this.answers.size > 0 ||
      this.announces.size + this.updates.size + this.due > 0 ||
      this.#refusalWaits()
    )
  }

  /** Makes room for what it knows of every destination. */
  reserve(capacity: number): void {
    if (this.knows.length < capacity) this.knows = grown(this.knows, new Uint8Array(capacity))
  }

  /**
   * Takes what was measured; a latency or bandwidth within 25 % of the one in use changes nothing, so that jitter does
   * not move routes. Says whether anything changed.
   */
  measure(change: AdjacencyChange): boolean {
    checkFacts({ addCost: this.addCost, latencyMs: this.latencyMs, bandwidth: this.bandwidth, ...change })
    const before = [this.addCost, this.latencyMs, this.bandwidth, this.free, this.charge]
    this.addCost = change.addCost ?? this.addCost
    this.free = change.free ?? this.free
    if ('charge' in change) this.charge = change.charge
    const latencyMs = change.latencyMs ?? this.latencyMs
    if (isBeyond(latencyMs, this.latencyMs)) this.latencyMs = latencyMs
    const bandwidth = change.bandwidth ?? this.bandwidth
    if (Math.abs(bandwidth - this.bandwidth) > 2) this.bandwidth = bandwidth
    const after = [this.addCost, this.latencyMs, this.bandwidth, this.free, this.charge]
    return after.some((value, index) => value !== before[index])
  }

  /** Spends one signature check of this neighbour's allowance, if there is one. */
  takeVerification(nowMs: number, limits: RoutingLimits): boolean {
    const earned = (Math.max(0, nowMs - this.#verifiedAtMs) / 1000) * limits.verificationsPerSecond
    this.#verifications = Math.min(limits.verificationBurst, this.#verifications + earned)
    this.#verifiedAtMs = nowMs
    if (this.#verifications < 1) return false
    this.#verifications -= 1
    return true
  }

  /** Nothing is left to be told about the destination in `slot`, and nothing is known of what was. */
  forget(slot: number): void {
    this.queue(slot, undefined)
    if (slot >= this.knows.length) return
    this.setRepeats(slot, 0)
    this.knows[slot] = 0
  }

  /** Starts or ends the repeats of what was told about the destination in `slot`; none is due now. */
  setRepeats(slot: number, count: number): void {
    const knows = this.knows[slot]!
    if ((knows & KNOWS.DUE) !== 0) this.due -= 1
    this.knows[slot] = (knows & ~(KNOWS.DUE | KNOWS.REPEATS_MASK)) | (count * KNOWS.REPEAT)
  }

  /** Of what was told, the repeats are due of which at least so many are left. */
  dueRepeats(leastLeft: number): void {
    for (let slot = 0; slot < this.knows.length; slot++) {
      const knows = this.knows[slot]!
      const left = (knows & KNOWS.REPEATS_MASK) / KNOWS.REPEAT
      if (left < leastLeft || (knows & KNOWS.DUE) !== 0) continue
      this.knows[slot] = knows | KNOWS.DUE
      this.due += 1
    }
  }

  /** The next slot whose repeat is due, taken; -1 without one. */
  nextRepeat(): number {
    while (this.due > 0) {
      if (this.dueAt >= this.knows.length) this.dueAt = 0
      const slot = this.dueAt++
      const knows = this.knows[slot]!
      if ((knows & KNOWS.DUE) === 0) continue
      this.setRepeats(slot, (knows & KNOWS.REPEATS_MASK) / KNOWS.REPEAT - 1)
      return slot
    }
    return -1
  }

  /**
   * What is to be told about the destination in `slot` waits in this set alone, or in none. What waits there already keeps
   * its place: news that come faster than the link carries them must not push each other back for ever.
   */
  queue(slot: number, into: Set<number> | undefined): void {
    for (const set of [this.answers, this.withdrawals, this.announces, this.updates]) {
      if (set !== into) set.delete(slot)
    }
    into?.add(slot)
  }

  #refusalWaits(): boolean {
    for (const refusal of this.refusals.values()) if (refusal.answeredMs === undefined) return true
    return false
  }
}

/** A map key for 16 bytes. */
export function keyOf(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes)
}

/** Whether a value differs from the one in use by more than 25 %. */
export function isBeyond(value: number, from: number): boolean {
  return value > from * URGENT_FACTOR || value * URGENT_FACTOR < from
}

function checkFacts(facts: Pick<AdjacencyFacts, 'addCost' | 'latencyMs' | 'bandwidth' | 'charge'>): void {
  const { addCost, latencyMs, bandwidth, charge = addCost } = facts
  for (const cost of [addCost, charge]) if (!isCost(cost)) throw new RangeError(`${cost} is no encoded cost`)
  if (!Number.isInteger(latencyMs) || latencyMs < 0 || latencyMs > LATENCY_MS_MAX) {
    throw new RangeError(`${latencyMs} ms of latency`)
  }
  if (!Number.isInteger(bandwidth) || bandwidth < 0 || bandwidth > BANDWIDTH_MAX) {
    throw new RangeError(`${bandwidth} is no encoded bandwidth`)
  }
}
