import { type Adjacency, type AskedAnnounce, keyOf } from './adjacency.ts'
import { METRIC_NONE, NONE, SLOT } from './destinations.ts'
import type { RouteRequest } from './frames.ts'
import { PASS_AGAIN_MS, PASS_SPACING_MS, REQUEST_REPEATS_MS, REQUEST_REPEATS_NEAR } from './limits.ts'
import type { Outbox } from './outbox.ts'
import { isSameNeighbour, type RouterState } from './state.ts'

interface PendingRequest extends RouteRequest {
  /** Times sent. */
  sent: number
  nextMs: number
}

/** Searches for announces: our own, repeated until answered, and those of others, passed on. */
export class Requests {
  readonly #state: RouterState
  readonly #outbox: Outbox
  readonly #signal: (adjacency: Adjacency) => void
  readonly #pending = new Map<string, PendingRequest>()
  /** What was passed on, and when. */
  readonly #passed = new Map<string, number>()
  /** What was passed on and goes once more, the oldest first, with who asked. */
  readonly #again: { readonly atMs: number; readonly request: RouteRequest; readonly from: Adjacency }[] = []
  /** Who asked, in this round, for destinations that the table does not hold. */
  readonly #waiting = new Map<string, Set<number>>()

  constructor(state: RouterState, outbox: Outbox, signal: (adjacency: Adjacency) => void) {
    this.#state = state
    this.#outbox = outbox
    this.#signal = signal
  }

  /** Own searches that are not answered. */
  get pending(): number {
    return this.#pending.size
  }

  /** Searches for the destination, at a lamport that would be feasible; one that is already sought is let be. */
  seek(destination: Uint8Array): boolean {
    const { table, limits, nowMs } = this.#state
    const key = keyOf(destination)
    const slot = table.find(destination)
    const wanted = slot === NONE || table.feasibleMetric[slot] === METRIC_NONE ? 0n : table.feasibleLamport[slot]! + 1n
    const before = this.#pending.get(key)
    if (before !== undefined && before.wanted >= wanted) return true
    if (before === undefined && this.#pending.size >= limits.pendingRequests) return false
    const request = { destination: destination.slice(), wanted, sent: 0, nextMs: nowMs }
    this.#pending.set(key, request)
    this.#send(request)
    return true
  }

  /** The destination in `slot` has a route: nobody has to search for it, and those who asked come first. */
  found(slot: number): void {
    if (this.#pending.size === 0 && this.#waiting.size === 0) return
    const key = keyOf(this.#state.table.destination(slot))
    this.#pending.delete(key)
    const waiting = this.#waiting.get(key)
    if (waiting === undefined) return
    this.#waiting.delete(key)
    for (const index of waiting) {
      const adjacency = this.#state.adjacencies[index]
      if (adjacency?.isUp) this.#outbox.answer(adjacency, slot)
    }
  }

  /** Asks one neighbour for the announce behind an update that we could not use; repeated until it comes. */
  askFor(adjacency: Adjacency, destination: Uint8Array): void {
    const key = keyOf(destination)
    if (adjacency.asked.has(key) || adjacency.asked.size >= this.#state.limits.askedAnnounces) return
    const asked = { destination: destination.slice(), sent: 0, nextMs: this.#state.nowMs }
    adjacency.asked.set(key, asked)
    this.#ask(adjacency, asked)
  }

  /** The neighbour's announce came. */
  answered(adjacency: Adjacency, destination: Uint8Array): void {
    if (adjacency.asked.size > 0) adjacency.asked.delete(keyOf(destination))
  }

  /** A neighbour's request that is not for this node: answered from the table, or passed on to all others. */
  receive(from: Adjacency, request: RouteRequest): void {
    const { table, limits, nowMs } = this.#state
    const slot = table.find(request.destination)
    if (this.#isHeld(request) && this.#outbox.answer(from, slot)) return
    const key = keyOf(request.destination)
    const passedKey = requestKey(request)
    this.#rememberAsker(from, key, slot)
    const before = this.#passed.get(passedKey)
    if (before === undefined ? this.#passed.size >= limits.passedRequests : nowMs - before < PASS_SPACING_MS) return
    if (from.passed >= limits.passedRequestsPerNeighbour) return
    from.passed += 1
    this.#passed.set(passedKey, nowMs)
    this.#passOn(from, request)
    if (this.#again.length < limits.passedRequests) this.#again.push({ atMs: nowMs + PASS_AGAIN_MS, request, from })
  }

  /** Repeats what is due. */
  tick(): void {
    const { nowMs, adjacencies } = this.#state
    for (const [key, request] of this.#pending) {
      if (request.nextMs > nowMs) continue
      if (request.sent > REQUEST_REPEATS_MS.length) this.#pending.delete(key)
      else this.#send(request)
    }
    while (this.#again.length > 0 && this.#again[0]!.atMs <= nowMs) {
      const { request, from } = this.#again.shift()!
      // Another neighbour may have the place of one that left.
      if (adjacencies[from.index] === from && !this.#isHeld(request)) this.#passOn(from, request)
    }
    for (const adjacency of adjacencies) {
      if (adjacency === undefined || !adjacency.isUp) continue
      for (const [key, asked] of adjacency.asked) {
        if (asked.nextMs > nowMs) continue
        if (asked.sent > REQUEST_REPEATS_NEAR) adjacency.asked.delete(key)
        else this.#ask(adjacency, asked)
      }
    }
  }

  round(): void {
    for (const [key, passedMs] of this.#passed) {
      if (this.#state.nowMs - passedMs >= PASS_SPACING_MS) this.#passed.delete(key)
    }
    this.#waiting.clear()
    for (const adjacency of this.#state.adjacencies) {
      if (adjacency !== undefined) adjacency.passed = 0
    }
  }

  /** When {@link Requests.tick} has work again. */
  nextWakeMs(): number {
    let nextMs = this.#again[0]?.atMs ?? Number.POSITIVE_INFINITY
    for (const request of this.#pending.values()) nextMs = Math.min(nextMs, request.nextMs)
    for (const adjacency of this.#state.adjacencies) {
      if (adjacency === undefined || !adjacency.isUp) continue
      for (const asked of adjacency.asked.values()) nextMs = Math.min(nextMs, asked.nextMs)
    }
    return nextMs
  }

  #isHeld(request: RouteRequest): boolean {
    const { table } = this.#state
    const slot = table.find(request.destination)
    return slot !== NONE && table.state[slot] === SLOT.LIVE && table.lamport[slot]! >= request.wanted
  }

  #passOn(from: Adjacency, request: RouteRequest): void {
    for (const adjacency of this.#state.adjacencies) {
      if (adjacency?.isUp && !isSameNeighbour(adjacency, from)) this.#queue(adjacency, request)
    }
  }

  #rememberAsker(from: Adjacency, key: string, slot: number): void {
    if (slot !== NONE && this.#state.table.state[slot] === SLOT.LIVE) return
    let waiting = this.#waiting.get(key)
    if (waiting === undefined) {
      if (this.#waiting.size >= this.#state.limits.passedRequests) return
      waiting = new Set()
      this.#waiting.set(key, waiting)
    }
    waiting.add(from.index)
  }

  #send(request: PendingRequest): void {
    const { nowMs } = this.#state
    for (const adjacency of this.#targets(request)) this.#queue(adjacency, request)
    request.nextMs = nowMs + (REQUEST_REPEATS_MS[request.sent] ?? 0)
    request.sent += 1
  }

  #ask(adjacency: Adjacency, asked: AskedAnnounce): void {
    this.#queue(adjacency, { destination: asked.destination, wanted: 0n })
    asked.nextMs = this.#state.nowMs + (REQUEST_REPEATS_MS[asked.sent] ?? 0)
    asked.sent += 1
  }

  /** At first those who ever advertised the destination; where there are none, and from the first round on, all. */
  #targets(request: PendingRequest): Adjacency[] {
    const { table, candidates, adjacencies } = this.#state
    const all = adjacencies.filter((adjacency) => adjacency !== undefined).filter((adjacency) => adjacency.isUp)
    const slot = table.find(request.destination)
    if (slot === NONE || request.sent > REQUEST_REPEATS_NEAR) return all
    const advertisers = all.filter((adjacency) => candidates.find(slot, adjacency.index) !== NONE)
    return advertisers.length > 0 ? advertisers : all
  }

  #queue(adjacency: Adjacency, request: RouteRequest): void {
    if (adjacency.requests.size >= this.#state.limits.queuedRequests) return
    adjacency.requests.set(requestKey(request), { destination: request.destination, wanted: request.wanted })
    this.#signal(adjacency)
  }
}

function requestKey(request: RouteRequest): string {
  return `${keyOf(request.destination)}${request.wanted}`
}
