import { equalBytes } from '@nexus/codec'
import type { Crypto } from '@nexus/crypto'
import { announceLamport, announceMaxHops, packetData, packetDestination } from '@nexus/framing'
import { Adjacency, type AdjacencyChange, type AdjacencyFacts, keyOf } from './adjacency.ts'
import { HOP_NONE, NONE, SLOT } from './destinations.ts'
import { explainRoute, type RouteExplanation } from './explain.ts'
import { decodeRouteFrame } from './frames.ts'
import { type AnnounceAssessment, type AnnounceVerdict, Intake } from './intake.ts'
import {
  DEFAULT_LIMITS,
  DESTINATION_WORDS,
  DOWN_KEPT_MS,
  EXPIRE_AFTER_MS,
  GHOST_AFTER_MS,
  REFRESH_MS,
  ROUND_MS,
  type RoutingLimits,
  SELF_ANNOUNCE_SPACING_MS,
} from './limits.ts'
import { type ControlFrame, Outbox } from './outbox.ts'
import { type Numbers, POLICIES, type Policy, type PolicyName } from './policy.ts'
import { Requests } from './requests.ts'
import { greedyStep, readWords } from './ring.ts'
import { Selector } from './selection.ts'
import { decodeSnapshot, encodeSnapshot, type SnapshotEntry } from './snapshot.ts'
import { RouterState } from './state.ts'

/** {@link Router.nextHop} of a destination without a route, {@link Router.greedyHop} without a nearer neighbour. */
export const NO_HOP = -1

export interface RouterOptions {
  /** 16 bytes. */
  readonly selfId: Uint8Array
  /** For telling apart two announces of one lamport. */
  readonly crypto: Pick<Crypto, 'blake3'>
  /** `balanced` unless said. */
  readonly policy?: Policy | PolicyName
  /** `f64` unless said. */
  readonly numbers?: Numbers
  readonly limits?: Partial<RoutingLimits>
  /** Any u32, different on each node: keeps strangers from choosing addresses that collide in the table. */
  readonly hashSeed?: number
}

/** What a router asks of its node; called within the call that caused it, never with the router in an unfinished state. */
export interface RouterPorts {
  /** Control frames wait for this neighbour: {@link Router.pull} soon. Not repeated until all is pulled. */
  want(adjacency: number): void
  /** Sign an announce of this node with this lamport or a higher one, and hand it to {@link Router.announceSelf}. */
  selfAnnounce(atLeastLamport: bigint): void
  /** Another neighbour serves the destination, or none. */
  changed?(destination: Uint8Array): void
  /** Two nodes announce themselves with one key. */
  duplicateIdentity?(destination: Uint8Array): void
}

/** Sizes of a router's tables. */
export interface RouterStats {
  readonly destinations: number
  readonly ghosts: number
  readonly routes: number
  readonly candidates: number
  readonly adjacencies: number
  readonly pendingRequests: number
  /** All columns, indices and announces. */
  readonly tableBytes: number
}

/**
 * Loop-free routes by cost, latency and reliability (docs/spec/routing.md). It does no I/O: events go in with the node's
 * clock, control frames are pulled per neighbour as its link has room, and {@link Router.nextHop} answers from the table.
 */
export class Router {
  readonly #state: RouterState
  readonly #ports: RouterPorts
  readonly #outbox: Outbox
  readonly #selector: Selector
  readonly #requests: Requests
  readonly #intake: Intake
  readonly #signals = new Set<Adjacency>()
  #nextRoundMs: number | undefined
  /** When an announce of this node is due, and when one was last asked for. */
  #selfDueMs = Number.NEGATIVE_INFINITY
  #selfAskedMs = Number.NEGATIVE_INFINITY
  #selfAtLeast = 0n

  /** @throws {RangeError} for a selfId that has not 16 bytes, or impossible limits */
  constructor(options: RouterOptions, ports: RouterPorts) {
    const limits = checkLimits({ ...DEFAULT_LIMITS, ...options.limits })
    const policy = options.policy ?? 'balanced'
    const state = new RouterState(options.selfId, limits, options.hashSeed ?? 0)
    const signal = (adjacency: Adjacency): void => {
      if (!adjacency.signalled) this.#signals.add(adjacency)
    }
    this.#state = state
    this.#ports = ports
    this.#outbox = new Outbox(state, signal)
    this.#requests = new Requests(state, this.#outbox, signal)
    this.#selector = new Selector(
      state,
      this.#outbox,
      typeof policy === 'string' ? POLICIES[policy] : policy,
      options.numbers ?? 'f64',
      {
        changed: (slot) => ports.changed?.(state.table.destination(slot)),
        found: (slot) => this.#requests.found(slot),
        lost: (slot) => this.#requests.seek(state.table.destination(slot)),
      },
    )
    const parts = { outbox: this.#outbox, selector: this.#selector, requests: this.#requests, crypto: options.crypto }
    this.#intake = new Intake(state, parts, {
      heardSelf: (lamport, isOther) => this.#heardSelf(lamport, isOther),
      duplicateIdentity: (slot) => ports.duplicateIdentity?.(state.table.destination(slot)),
    })
  }

  /**
   * A link to a neighbour is up; all that was learnt over an earlier one of the same number or a dead one is learnt again.
   * False where there are as many adjacencies as the limit allows.
   * @throws {RangeError} for a field outside its range
   */
  adjacencyUp(nowMs: number, id: number, facts: AdjacencyFacts): boolean {
    this.#now(nowMs)
    const state = this.#state
    const key = keyOf(facts.nodeId)
    for (const before of state.adjacencies) {
      if (before !== undefined && (before.id === id || (!before.isUp && before.nodeKey === key))) this.#remove(before)
    }
    let index = state.freeAdjacencyIndex()
    if (index === NONE) {
      const down = state.adjacencies.find((adjacency) => adjacency?.isUp === false)
      if (down === undefined) return false
      this.#remove(down)
      index = down.index
    }
    const adjacency = new Adjacency(index, id, facts, state.limits, nowMs)
    state.adjacencies[index] = adjacency
    state.byId.set(id, adjacency)
    adjacency.reserve(state.table.capacity)
    for (const slot of this.#nearestFirst()) this.#outbox.markFor(adjacency, slot)
    this.#flush()
    return true
  }

  /** The link is gone: the second-best paths serve before this returns. An unknown number is let be. */
  adjacencyDown(nowMs: number, id: number): void {
    this.#now(nowMs)
    const adjacency = this.#state.byId.get(id)
    if (adjacency === undefined) return
    adjacency.downAtMs = nowMs
    this.#state.byId.delete(id)
    this.#reselectAll(adjacency)
    this.#flush()
  }

  /** Latency, bandwidth or cost were measured anew. @throws {RangeError} for an unknown number or a bad field */
  adjacencyChanged(nowMs: number, id: number, change: AdjacencyChange): void {
    this.#now(nowMs)
    const adjacency = this.#state.adjacency(id)
    const wasFree = adjacency.free
    if (!adjacency.measure(change)) return
    this.#reselectAll(adjacency)
    if (adjacency.free !== wasFree) {
      for (const slot of this.#nearestFirst()) this.#outbox.markFor(adjacency, slot)
    }
    this.#flush()
  }

  /**
   * What to do with an announce packet before its signature is checked: `known` needs no check, `drop` is outdated or has
   * no room or exceeds what this neighbour may cause, `verify` is worth the check and is counted against the neighbour.
   * @throws {RangeError} for bytes that are no announce packet
   */
  assess(nowMs: number, adjacency: number, packet: Uint8Array): AnnounceAssessment {
    this.#now(nowMs)
    return this.#intake.assess(this.#state.adjacency(adjacency), packet)
  }

  /** Whether this very announce is in the table, verified, whatever relays wrote into this copy. */
  isKnown(packet: Uint8Array): boolean {
    return this.#intake.isKnown(packet)
  }

  /**
   * Takes an announce packet whose signature was verified, or that {@link Router.assess} knows.
   * @throws {RoutingError} `routing/cost`
   * @throws {RangeError} for bytes that are no announce packet
   */
  receiveAnnounce(nowMs: number, adjacency: number, packet: Uint8Array): AnnounceVerdict {
    this.#now(nowMs)
    const verdict = this.#intake.announce(this.#state.adjacency(adjacency), packet)
    this.#flush()
    return verdict
  }

  /**
   * Takes the body of a route message. Nothing of a malformed one is applied.
   * @throws {RoutingError} as {@link decodeRouteFrame}
   */
  receiveRouteFrame(nowMs: number, adjacency: number, body: Uint8Array): void {
    this.#now(nowMs)
    const from = this.#state.adjacency(adjacency)
    const frame = decodeRouteFrame(body)
    if (frame.kind === 'update') for (const update of frame.updates) this.#intake.update(from, update)
    else if (equalBytes(frame.request.destination, this.#state.selfId)) this.#requestedSelf(from, frame.request.wanted)
    else this.#requests.receive(from, frame.request)
    this.#flush()
  }

  /**
   * Takes an announce of this node and tells all neighbours.
   * @throws {RangeError} for another destination, or a lamport that is not above the last
   */
  announceSelf(nowMs: number, packet: Uint8Array): void {
    this.#now(nowMs)
    const { table, selfSlot, selfId } = this.#state
    const lamport = announceLamport(packet)
    if (!equalBytes(packetDestination(packet), selfId)) throw new RangeError('the announce is of another node')
    if (table.bodyBlock[selfSlot] !== NONE && lamport <= table.lamport[selfSlot]!) {
      throw new RangeError(`lamport ${lamport} is not above the last`)
    }
    this.#state.putBody(selfSlot, packetData(packet))
    table.lamport[selfSlot] = lamport
    table.maxHops[selfSlot] = announceMaxHops(packet)
    this.#selfDueMs = nowMs + REFRESH_MS
    this.#selfAskedMs = nowMs
    this.#outbox.announceChanged(selfSlot, undefined)
    this.#outbox.mark(selfSlot)
    this.#flush()
  }

  /**
   * The next control frame of at most `maxBytes` for a neighbour: requests and withdrawals, answers, announces, changes,
   * repeats. `undefined` where nothing waits, or nothing that fits. What is pulled counts as sent.
   */
  pull(nowMs: number, adjacency: number, maxBytes: number): ControlFrame | undefined {
    this.#now(nowMs)
    const to = this.#state.adjacency(adjacency)
    const frame = this.#outbox.pull(to, maxBytes)
    to.signalled = frame !== undefined || to.hasWork
    if (to.signalled) this.#signals.delete(to)
    this.#flush()
    return frame
  }

  /** Adjacency to hand a packet for `destination` to, or {@link NO_HOP}. Makes no garbage. */
  nextHop(destination: Uint8Array): number {
    const { table, adjacencies, nowMs } = this.#state
    const slot = table.find(destination)
    if (slot === NONE) return NO_HOP
    const hop = table.hop[slot]!
    if (hop === HOP_NONE) return NO_HOP
    table.usedS[slot] = Math.floor(nowMs / 1000)
    return adjacencies[hop]!.id
  }

  /** The adjacency that will serve once {@link Router.nextHop}'s is gone, or {@link NO_HOP}. */
  secondHop(destination: Uint8Array): number {
    const { table, adjacencies, candidates } = this.#state
    const slot = table.find(destination)
    if (slot === NONE) return NO_HOP
    const row = this.#selector.best(slot, this.#state.chosenRow(slot))
    return row === NONE ? NO_HOP : adjacencies[candidates.adjacency[row]!]!.id
  }

  /**
   * For a destination that the table knows nothing of: the neighbour nearest to it on the ring, if nearer than we are,
   * other than `exclude`. {@link NO_HOP} where there is none, and for a destination that is known but has no route: a
   * packet on a routed path must not return to a greedy walk.
   */
  greedyHop(destination: Uint8Array, exclude: number = NO_HOP): number {
    const { table, adjacencies, selfId } = this.#state
    if (table.find(destination) !== NONE) return NO_HOP
    const ids = new Uint32Array((adjacencies.length + 2) * DESTINATION_WORDS)
    const targetAt = (adjacencies.length + 1) * DESTINATION_WORDS
    readWords(selfId, ids, 0)
    readWords(destination, ids, targetAt)
    const neighbours: number[] = []
    for (const [index, adjacency] of adjacencies.entries()) {
      if (adjacency === undefined || !adjacency.isUp || adjacency.id === exclude) continue
      readWords(adjacency.nodeId, ids, (index + 1) * DESTINATION_WORDS)
      neighbours.push(index + 1)
    }
    const step = greedyStep(ids, 0, neighbours, neighbours.length, ids, targetAt)
    return step < 0 ? NO_HOP : adjacencies[step - 1]!.id
  }

  /** Searches the network for the destination; false where as many searches run as the limit allows. */
  seek(nowMs: number, destination: Uint8Array): boolean {
    this.#now(nowMs)
    const isSought = this.#requests.seek(destination)
    this.#flush()
    return isSought
  }

  /** A packet that came over `adjacency` cannot be forwarded: its sender is told, once a second per destination. */
  unreachable(nowMs: number, adjacency: number, destination: Uint8Array): void {
    this.#now(nowMs)
    const { table } = this.#state
    const slot = table.find(destination)
    if (slot === this.#state.selfSlot) return
    this.#outbox.refuse(this.#state.adjacency(adjacency), destination, keyOf(destination), slot)
    if (slot !== NONE && table.state[slot] === SLOT.LIVE && table.hop[slot] === HOP_NONE)
      this.#requests.seek(destination)
    this.#flush()
  }

  /** A packet for `destination` that went over `adjacency` was delivered. */
  delivered(nowMs: number, destination: Uint8Array, adjacency: number): void {
    this.#rate(nowMs, destination, adjacency, (before) =>
      before === 0 ? RELIABILITY_FIRST : before + Math.ceil((255 - before) / 8),
    )
  }

  /** A packet for `destination` that went over `adjacency` was not delivered. */
  failed(nowMs: number, destination: Uint8Array, adjacency: number): void {
    this.#rate(nowMs, destination, adjacency, (before) => Math.max(1, before - Math.ceil(before / 8)))
  }

  /** Does what time asks for: rounds, repeats, expiries, this node's own announce. */
  tick(nowMs: number): void {
    this.#now(nowMs)
    if (nowMs >= this.#nextRoundMs!) {
      this.#nextRoundMs = nowMs + ROUND_MS
      this.#round()
    }
    this.#requests.tick()
    if (nowMs >= this.#selfDueMs) this.#askForSelf()
    this.#flush()
  }

  /** When {@link Router.tick} has work; at the latest at the next round. */
  nextWakeMs(): number {
    const roundMs = this.#nextRoundMs ?? Number.NEGATIVE_INFINITY
    const selfMs = Math.max(this.#selfDueMs, this.#selfAskedMs + SELF_ANNOUNCE_SPACING_MS)
    return Math.min(roundMs, this.#requests.nextWakeMs(), selfMs)
  }

  /** Every candidate with its figures and why it is not chosen. */
  explain(nowMs: number, destination: Uint8Array): RouteExplanation {
    this.#now(nowMs)
    return explainRoute(this.#state, this.#selector, destination, this.greedyHop(destination))
  }

  stats(): RouterStats {
    const { live, ghosts, candidates, table, bodies, adjacencies, byId } = this.#state
    let routes = 0
    for (let slot = 0; slot < table.end; slot++) {
      if (table.state[slot] === SLOT.LIVE && table.hop[slot] !== HOP_NONE) routes += 1
    }
    const knownBytes = adjacencies.reduce((sum, adjacency) => sum + (adjacency?.knows.length ?? 0), 0)
    return {
      destinations: live,
      ghosts,
      routes,
      candidates: candidates.size,
      adjacencies: byId.size,
      pendingRequests: this.#requests.pending,
      tableBytes: table.tableBytes + candidates.tableBytes + bodies.arenaBytes + knownBytes,
    }
  }

  /** What has to survive a restart: announces, their age, feasibility distances (docs/spec/routing.md, snapshot). */
  snapshot(nowMs: number): Uint8Array {
    this.#now(nowMs)
    const { table } = this.#state
    const entries: SnapshotEntry[] = []
    for (let slot = 0; slot < table.end; slot++) {
      const state = table.state[slot]
      if (state !== SLOT.LIVE && state !== SLOT.GHOST) continue
      entries.push({
        destination: table.destination(slot),
        lamport: table.lamport[slot]!,
        ageS: Math.floor(this.#state.ageMs(slot) / 1000),
        feasibleLamport: table.feasibleLamport[slot]!,
        feasibleMetric: table.feasibleMetric[slot]!,
        maxHops: table.maxHops[slot]!,
        announce: state === SLOT.LIVE ? this.#state.body(slot) : undefined,
      })
    }
    return encodeSnapshot(entries)
  }

  /**
   * Reads a snapshot into a router that has heard nothing yet; of more destinations than the limits allow, the rest is
   * left out. The announces are trusted: the bytes must come from this node's own disk.
   * @throws {RoutingError} any `routing/snapshot-…`, `routing/short`, `routing/trailing`
   * @throws {RangeError} where the router holds destinations already
   */
  restore(nowMs: number, bytes: Uint8Array): void {
    this.#now(nowMs)
    const { live, ghosts, table, limits, selfSlot } = this.#state
    if (live + ghosts > 0) throw new RangeError('a snapshot is restored into an empty router')
    for (const entry of decodeSnapshot(bytes)) {
      if (table.find(entry.destination) === selfSlot) continue
      if (
        entry.announce === undefined ? this.#state.ghosts >= limits.ghosts : this.#state.live >= limits.destinations
      ) {
        continue
      }
      const slot = this.#state.restore(entry.destination, entry.announce)
      table.lamport[slot] = entry.lamport
      table.heardS[slot] = Math.max(0, this.#state.nowS - entry.ageS)
      table.feasibleLamport[slot] = entry.feasibleLamport
      table.feasibleMetric[slot] = entry.feasibleMetric
      table.maxHops[slot] = entry.maxHops
    }
  }

  #now(nowMs: number): void {
    this.#state.nowMs = nowMs
    this.#nextRoundMs ??= nowMs + ROUND_MS
  }

  /** Calls the ports that the event made necessary, once each. */
  #flush(): void {
    const signals = [...this.#signals]
    this.#signals.clear()
    for (const adjacency of signals) {
      if (!adjacency.isUp || adjacency.signalled || !adjacency.hasWork) continue
      adjacency.signalled = true
      this.#ports.want(adjacency.id)
    }
  }

  #round(): void {
    const { table, adjacencies, limits, nowMs } = this.#state
    this.#requests.round()
    this.#selector.round()
    this.#outbox.round()
    for (const adjacency of adjacencies) {
      if (adjacency?.downAtMs !== undefined && nowMs - adjacency.downAtMs >= DOWN_KEPT_MS) this.#remove(adjacency)
    }
    for (let slot = 0; slot < table.end; slot++) {
      const ageMs = this.#state.ageMs(slot)
      if (table.state[slot] === SLOT.GHOST && ageMs >= GHOST_AFTER_MS) this.#state.exorcise(slot)
      else if (table.state[slot] === SLOT.LIVE && ageMs >= EXPIRE_AFTER_MS && this.#state.ghosts < limits.ghosts) {
        this.#intake.evict(slot)
      }
    }
  }

  #reselectAll(adjacency: Adjacency): void {
    const { candidates } = this.#state
    for (let row = 0; row < candidates.end; row++) {
      const slot = candidates.destination[row]!
      if (slot !== NONE && candidates.adjacency[row] === adjacency.index) this.#selector.reselect(slot)
    }
  }

  /** Forgets a neighbour and all that it advertised. */
  #remove(adjacency: Adjacency): void {
    const { candidates, table, byId, adjacencies } = this.#state
    if (adjacency.isUp) {
      adjacency.downAtMs = this.#state.nowMs
      byId.delete(adjacency.id)
      this.#reselectAll(adjacency)
    }
    for (let row = 0; row < candidates.end; row++) {
      if (candidates.destination[row] !== NONE && candidates.adjacency[row] === adjacency.index) candidates.remove(row)
    }
    for (let slot = 0; slot < table.end; slot++) {
      if (table.introducer[slot] === adjacency.index) table.introducer[slot] = HOP_NONE
    }
    adjacencies[adjacency.index] = undefined
    this.#signals.delete(adjacency)
  }

  /** This node, then what has a route, the fewest hops first: a slow link carries the neighbourhood before the world. */
  #nearestFirst(): number[] {
    const { table, selfSlot } = this.#state
    const slots: number[] = []
    for (let slot = 0; slot < table.end; slot++) {
      if (table.state[slot] === SLOT.LIVE && table.hop[slot] !== HOP_NONE) slots.push(slot)
    }
    slots.sort((a, b) => table.toldHops[a]! - table.toldHops[b]!)
    return [selfSlot, ...slots]
  }

  /** Somebody asks for this node: the announce, or a newer one where that is wanted. Never the lamport that is wanted. */
  #requestedSelf(from: Adjacency, wanted: bigint): void {
    const { table, selfSlot } = this.#state
    if (table.bodyBlock[selfSlot] !== NONE && wanted <= table.lamport[selfSlot]!) {
      this.#outbox.answer(from, selfSlot)
      return
    }
    this.#selfDueMs = Math.min(this.#selfDueMs, this.#selfAskedMs + SELF_ANNOUNCE_SPACING_MS)
    if (this.#state.nowMs >= this.#selfDueMs) this.#askForSelf()
  }

  /** Our own announce with a lamport of before a restart, or of a second node with our key: we continue above it. */
  #heardSelf(lamport: bigint, isOther: boolean): void {
    if (isOther) this.#ports.duplicateIdentity?.(this.#state.selfId.slice())
    if (lamport + 1n > this.#selfAtLeast) this.#selfAtLeast = lamport + 1n
    this.#selfDueMs = Math.min(this.#selfDueMs, this.#selfAskedMs + SELF_ANNOUNCE_SPACING_MS)
    if (this.#state.nowMs >= this.#selfDueMs) this.#askForSelf()
  }

  #askForSelf(): void {
    const { table, selfSlot, nowMs } = this.#state
    if (nowMs < this.#selfAskedMs + SELF_ANNOUNCE_SPACING_MS) return
    this.#selfAskedMs = nowMs
    const next = table.bodyBlock[selfSlot] === NONE ? 0n : table.lamport[selfSlot]! + 1n
    this.#ports.selfAnnounce(next > this.#selfAtLeast ? next : this.#selfAtLeast)
  }

  #rate(nowMs: number, destination: Uint8Array, adjacency: number, rate: (before: number) => number): void {
    this.#now(nowMs)
    const { table, candidates, byId } = this.#state
    const slot = table.find(destination)
    const via = byId.get(adjacency)
    if (slot === NONE || via === undefined) return
    const row = candidates.find(slot, via.index)
    if (row === NONE) return
    candidates.reliability[row] = rate(candidates.reliability[row]!)
    this.#selector.reselect(slot)
    this.#flush()
  }
}

/** One delivery of one attempt: better than nothing known, and not yet a habit. */
const RELIABILITY_FIRST = 128

function checkLimits(limits: RoutingLimits): RoutingLimits {
  for (const [name, value] of Object.entries(limits)) {
    if (!Number.isInteger(value) || value < 1) throw new RangeError(`the limit ${name} is ${value}`)
  }
  if (limits.adjacencies >= HOP_NONE) throw new RangeError(`${limits.adjacencies} adjacencies`)
  return limits
}
