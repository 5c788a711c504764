import { equalBytes } from '@nexus/codec'
import type { Crypto } from '@nexus/crypto'
import { type Adjacency, type AdjacencyChange, type AdjacencyFacts, keyOf } from './adjacency.ts'
import { HOP_NONE, NONE, SLOT } from './destinations.ts'
import { explainRoute, type RouteExplanation } from './explain.ts'
import { decodeRouteFrame } from './frames.ts'
import { type AnnounceAssessment, type AnnounceVerdict, Intake } from './intake.ts'
import { DEFAULT_LIMITS, EXPIRE_AFTER_MS, GHOST_AFTER_MS, ROUND_MS, type RoutingLimits } from './limits.ts'
import { Neighbours } from './neighbours.ts'
import { type ControlFrame, Outbox } from './outbox.ts'
import { type Numbers, POLICIES, type Policy, type PolicyName } from './policy.ts'
import { Requests } from './requests.ts'
import { Selector } from './selection.ts'
import { SelfAnnounces } from './self-announces.ts'
import { decodeSnapshot, encodeSnapshot, restoreEntries, snapshotEntries } from './snapshot.ts'
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
  /** Milliseconds, below a round, by which the first round comes early: nodes that start together must not speak together for ever. */
  readonly roundPhaseMs?: number
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
  readonly #neighbours: Neighbours
  readonly #self: SelfAnnounces
  readonly #signals = new Set<Adjacency>()
  #nextRoundMs: number | undefined
  #rounds = 0
  readonly #roundPhaseMs: number

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
    this.#roundPhaseMs = options.roundPhaseMs ?? 0
    if (!(this.#roundPhaseMs >= 0 && this.#roundPhaseMs < ROUND_MS))
      throw new RangeError(`a phase of ${this.#roundPhaseMs} ms`)
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
    this.#neighbours = new Neighbours(state, this.#outbox, this.#selector)
    this.#self = new SelfAnnounces(state, (atLeast) => ports.selfAnnounce(atLeast))
    const parts = { outbox: this.#outbox, selector: this.#selector, requests: this.#requests, crypto: options.crypto }
    this.#intake = new Intake(state, parts, {
      heardSelf: (lamport, isOther) => {
        if (isOther) ports.duplicateIdentity?.(state.selfId.slice())
        this.#self.heard(lamport)
      },
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
    const isUp = this.#neighbours.up(id, facts)
    this.#flush()
    return isUp
  }

  /** The link is gone: the second-best paths serve before this returns. An unknown number is let be. */
  adjacencyDown(nowMs: number, id: number): void {
    this.#now(nowMs)
    this.#neighbours.down(id)
    this.#flush()
  }

  /** Latency, bandwidth or cost were measured anew. @throws {RangeError} for an unknown number or a bad field */
  adjacencyChanged(nowMs: number, id: number, change: AdjacencyChange): void {
    this.#now(nowMs)
    this.#neighbours.measured(this.#state.adjacency(id), change)
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
    else if (equalBytes(frame.request.destination, this.#state.selfId)) {
      if (!this.#self.requested(frame.request.wanted)) this.#outbox.answer(from, this.#state.selfSlot)
    } else this.#requests.receive(from, frame.request)
    this.#flush()
  }

  /**
   * Takes an announce of this node and tells all neighbours.
   * @throws {RangeError} for another destination, or a lamport that is not above the last
   */
  announceSelf(nowMs: number, packet: Uint8Array): void {
    this.#now(nowMs)
    const { selfSlot } = this.#state
    this.#self.take(packet)
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
    if (this.#state.table.find(destination) !== NONE) return NO_HOP
    return this.#neighbours.nearest(destination, exclude)?.id ?? NO_HOP
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
    this.#outbox.tick()
    this.#requests.tick()
    this.#self.tick()
    this.#flush()
  }

  /** When {@link Router.tick} has work; at the latest at the next round. */
  nextWakeMs(): number {
    const roundMs = this.#nextRoundMs ?? Number.NEGATIVE_INFINITY
    return Math.min(roundMs, this.#outbox.nextWakeMs(), this.#requests.nextWakeMs(), this.#self.nextWakeMs())
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
    return encodeSnapshot(snapshotEntries(this.#state))
  }

  /**
   * Reads a snapshot into a router that has heard nothing yet; of more destinations than the limits allow, the rest is
   * left out. The announces are trusted: the bytes must come from this node's own disk.
   * @throws {RoutingError} any `routing/snapshot-…`, `routing/short`, `routing/trailing`
   * @throws {RangeError} where the router holds destinations already
   */
  restore(nowMs: number, bytes: Uint8Array): void {
    this.#now(nowMs)
    const { live, ghosts } = this.#state
    if (live + ghosts > 0) throw new RangeError('a snapshot is restored into an empty router')
    restoreEntries(this.#state, decodeSnapshot(bytes))
  }

  #now(nowMs: number): void {
    this.#state.nowMs = nowMs
    this.#nextRoundMs ??= nowMs + ROUND_MS - this.#roundPhaseMs
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
    const { table, limits } = this.#state
    this.#requests.round()
    this.#selector.round()
    this.#rounds += 1
    this.#outbox.round(this.#rounds)
    this.#neighbours.round()
    for (let slot = 0; slot < table.end; slot++) {
      const ageMs = this.#state.ageMs(slot)
      if (table.state[slot] === SLOT.GHOST && ageMs >= GHOST_AFTER_MS) this.#state.exorcise(slot)
      else if (table.state[slot] === SLOT.LIVE && ageMs >= EXPIRE_AFTER_MS && this.#state.ghosts < limits.ghosts) {
        this.#intake.evict(slot)
      }
    }
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
