import { compareBytes } from '@nexus/codec'
import { COST_UNREACHABLE, decodePathCost, type PathCost, PathCostError } from '@nexus/compact-path-cost'
import type { Crypto } from '@nexus/crypto'
import { announceCost, announceLamport, announceMaxHops, packetData, packetDestination } from '@nexus/framing'
import { type Adjacency, KNOWS } from './adjacency.ts'
import { isSameAnnounce, isSameContent, signedBytes } from './announce-body.ts'
import { HOP_NONE, METRIC_NONE, metricOf, NONE, SLOT } from './destinations.ts'
import { RoutingError } from './errors.ts'
import type { RouteUpdate } from './frames.ts'
import { EXPIRE_AFTER_MS, PATH_HOPS_MAX } from './limits.ts'
import type { Outbox } from './outbox.ts'
import type { Requests } from './requests.ts'
import type { Selector } from './selection.ts'
import type { RouterState } from './state.ts'

/**
 * What became of an announce: of a destination that was not in the table, of a newer lamport, one more neighbour's advert
 * (or the newest of the same), the work of a second node with the same key, our own come back, outdated, or refused
 * because the table is full.
 */
export type AnnounceVerdict = 'new' | 'newer' | 'advert' | 'duplicate' | 'own' | 'stale' | 'refused'

/** What a node has to do with an announce before it may be received: nothing, check its signature, or drop it. */
export type AnnounceAssessment = 'known' | 'verify' | 'drop'

export interface IntakeEvents {
  /** An announce of this node came in that this node did not make last. */
  heardSelf(lamport: bigint, isOther: boolean): void
  duplicateIdentity(slot: number): void
}

/** Turns what neighbours say into candidates. */
export class Intake {
  readonly #state: RouterState
  readonly #outbox: Outbox
  readonly #selector: Selector
  readonly #requests: Requests
  readonly #crypto: Pick<Crypto, 'blake3'>
  readonly #events: IntakeEvents

  constructor(
    state: RouterState,
    parts: { outbox: Outbox; selector: Selector; requests: Requests; crypto: Pick<Crypto, 'blake3'> },
    events: IntakeEvents,
  ) {
    this.#state = state
    this.#outbox = parts.outbox
    this.#selector = parts.selector
    this.#requests = parts.requests
    this.#crypto = parts.crypto
    this.#events = events
  }

  /** Before the costly check: is it one we verified, is it worth the check, and may this neighbour cause it? */
  assess(from: Adjacency, packet: Uint8Array): AnnounceAssessment {
    const { table, limits, nowMs } = this.#state
    const slot = table.find(packetDestination(packet))
    const isListed = slot !== NONE && (table.state[slot] === SLOT.LIVE || table.bodyBlock[slot] !== NONE)
    if (slot !== NONE && announceLamport(packet) < table.lamport[slot]!) return 'drop'
    if (isListed && this.isKnown(packet)) return 'known'
    if (!isListed && slot !== this.#state.selfSlot && !this.#hasRoom(from, slot)) return 'drop'
    return from.takeVerification(nowMs, limits) ? 'verify' : 'drop'
  }

  /** Whether the very announce is in the table, verified, whatever relays wrote into this copy. */
  isKnown(packet: Uint8Array): boolean {
    const { table } = this.#state
    const slot = table.find(packetDestination(packet))
    if (slot === NONE || table.lamport[slot] !== announceLamport(packet)) return false
    const held = this.#state.body(slot)
    return held !== undefined && isSameAnnounce(held, packetData(packet))
  }

  /** @throws {RoutingError} `routing/cost` */
  announce(from: Adjacency, packet: Uint8Array): AnnounceVerdict {
    const { table, selfSlot } = this.#state
    const path = pathOf(packet)
    const destination = packetDestination(packet)
    const data = packetData(packet)
    const lamport = announceLamport(packet)
    const found = table.find(destination)
    if (found === selfSlot) return this.#own(lamport, data)
    if (found !== NONE && lamport < table.lamport[found]!) return 'stale'
    const isLive = found !== NONE && table.state[found] === SLOT.LIVE
    // What was evicted or ran out comes back with its old age: a lamport lives once.
    const isRevived = !isLive && found !== NONE && lamport === table.lamport[found]
    if (isRevived && this.#state.ageMs(found) >= EXPIRE_AFTER_MS) return 'stale'
    let verdict: AnnounceVerdict = 'advert'
    let slot = found
    if (!isLive) {
      if (!this.#makeRoom(from, found)) return 'refused'
      slot = this.#state.addLive(destination, from)
      verdict = 'new'
    } else if (lamport > table.lamport[slot]!) verdict = 'newer'
    else verdict = this.#compare(slot, destination, data)
    const maxHops = announceMaxHops(packet)
    if (verdict === 'new' || verdict === 'newer') {
      if (!isRevived) table.heardS[slot] = this.#state.nowS
      table.maxHops[slot] = maxHops
    } else table.maxHops[slot] = Math.max(table.maxHops[slot]!, maxHops)
    if (verdict !== 'advert') {
      table.lamport[slot] = lamport
      this.#state.putBody(slot, data)
      this.#outbox.announceChanged(slot, from)
    }
    this.#requests.answered(from, destination)
    from.reserve(table.capacity)
    from.knows[slot]! |= KNOWS.ANNOUNCE
    this.#advert(from, slot, lamport, path)
    this.#chooseOrSeek(slot)
    if (verdict !== 'advert') this.#outbox.mark(slot)
    return verdict
  }

  update(from: Adjacency, update: RouteUpdate): void {
    const { table, selfSlot, live, limits } = this.#state
    const slot = table.find(update.destination)
    const isWithdrawal = update.path.cost === COST_UNREACHABLE
    if (slot === selfSlot) return
    if (slot === NONE || table.state[slot] !== SLOT.LIVE) {
      if (!isWithdrawal && live < limits.destinations) this.#requests.askFor(from, update.destination)
      return
    }
    if (isWithdrawal) {
      this.#withdraw(from, slot, update.lamport)
      return
    }
    // An unsigned lamport proves nothing: it must be that of the announce that was verified.
    if (update.lamport !== table.lamport[slot]) {
      if (update.lamport > table.lamport[slot]!) this.#requests.askFor(from, update.destination)
      return
    }
    from.reserve(table.capacity)
    from.knows[slot]! |= KNOWS.ANNOUNCE
    this.#advert(from, slot, update.lamport, update.path)
    this.#chooseOrSeek(slot)
  }

  /**
   * An advert that is not feasible says that there is a way, and that it takes a newer lamport: that is sought, also if
   * it was sought before in vain, when no request could get there yet.
   */
  #chooseOrSeek(slot: number): void {
    const { table } = this.#state
    this.#selector.reselect(slot)
    if (table.hop[slot] === HOP_NONE) this.#requests.seek(table.destination(slot))
  }

  #withdraw(from: Adjacency, slot: number, lamport: bigint): void {
    const { candidates } = this.#state
    from.reserve(this.#state.table.capacity)
    // Who knows nothing of the destination does not know its announce either.
    if (lamport === 0n) from.knows[slot]! &= ~(KNOWS.ANNOUNCE | KNOWS.ROUTE)
    const row = candidates.find(slot, from.index)
    if (row === NONE || (lamport !== 0n && lamport < candidates.lamport[row]!)) return
    candidates.cost[row] = COST_UNREACHABLE
    this.#selector.reselect(slot)
  }

  /** Writes the neighbour's newest advert, and its least at this lamport. */
  #advert(from: Adjacency, slot: number, lamport: bigint, path: PathCost): void {
    const { candidates } = this.#state
    const metric = metricOf(path.cost, path.hops)
    const row = this.#rowFor(from, slot, metric)
    if (row === NONE) return
    const least = candidates.lamport[row] === lamport ? candidates.leastMetric[row]! : METRIC_NONE
    candidates.leastMetric[row] = Math.min(least, metric)
    candidates.lamport[row] = lamport
    candidates.cost[row] = path.hops > PATH_HOPS_MAX ? COST_UNREACHABLE : path.cost
    candidates.latencyMs[row] = path.latencyMs
    candidates.bandwidth[row] = path.bandwidth
    candidates.hops[row] = path.hops
  }

  /** The neighbour's row; at the limit it takes the place of the worst that does not serve, if that is worse. */
  #rowFor(from: Adjacency, slot: number, metric: number): number {
    const { table, candidates, limits } = this.#state
    const row = candidates.find(slot, from.index)
    if (row !== NONE) return row
    if (candidates.count(slot) < limits.candidates) return candidates.add(slot, from.index)
    let worst = NONE
    let worstMetric = metric
    for (let at = table.firstCandidate[slot]!; at !== NONE; at = candidates.next[at]!) {
      if (candidates.adjacency[at] === table.hop[slot]) continue
      const its = this.#state.isUsable(at) ? metricOf(candidates.cost[at]!, candidates.hops[at]!) : METRIC_NONE
      if (its <= worstMetric) continue
      worstMetric = its
      worst = at
    }
    if (worst === NONE) return NONE
    candidates.remove(worst)
    return candidates.add(slot, from.index)
  }

  /** A second announce of a lamport that is held: a copy, or the work of a second node with the same key. */
  #compare(slot: number, destination: Uint8Array, data: Uint8Array): AnnounceVerdict {
    const held = this.#state.body(slot)!
    if (isSameContent(held, data)) return 'advert'
    this.#events.duplicateIdentity(slot)
    const order = compareBytes(
      this.#crypto.blake3(signedBytes(destination, data)),
      this.#crypto.blake3(signedBytes(destination, held)),
    )
    return order < 0 ? 'duplicate' : 'advert'
  }

  #own(lamport: bigint, data: Uint8Array): AnnounceVerdict {
    const { table, selfSlot } = this.#state
    const held = this.#state.body(selfSlot)
    const isEcho = held !== undefined && lamport === table.lamport[selfSlot] && isSameContent(held, data)
    if (!isEcho && lamport >= table.lamport[selfSlot]!) {
      this.#events.heardSelf(lamport, held !== undefined && lamport === table.lamport[selfSlot])
    }
    return 'own'
  }

  #hasRoom(from: Adjacency, found: number): boolean {
    const { live, ghosts, limits } = this.#state
    if (live < limits.destinations) return true
    return (found !== NONE || ghosts < limits.ghosts) && this.#state.victim(from) !== NONE
  }

  /** Evicts for a newcomer where the table is full; what was evicted is withdrawn, and keeps its distance. */
  #makeRoom(from: Adjacency, found: number): boolean {
    const { live, ghosts, limits } = this.#state
    if (live < limits.destinations) return true
    if (found === NONE && ghosts >= limits.ghosts) return false
    const victim = this.#state.victim(from)
    if (victim === NONE) return false
    this.evict(victim)
    return true
  }

  /** Takes the destination in `slot` out of use. */
  evict(slot: number): void {
    const { table, candidates } = this.#state
    while (table.firstCandidate[slot] !== NONE) candidates.remove(table.firstCandidate[slot]!)
    this.#selector.abandon(slot)
    this.#state.retire(slot)
  }
}

function pathOf(packet: Uint8Array): PathCost {
  try {
    const path = decodePathCost(announceCost(packet))
    if (path.cost !== COST_UNREACHABLE) return path
  } catch (error) {
    if (!(error instanceof PathCostError)) throw error
  }
  const [low = 0, high = 0] = announceCost(packet)
  throw new RoutingError({ code: 'routing/cost', cost: low | (high << 8) })
}
