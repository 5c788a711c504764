import { toHex } from '@nexus/codec'
import type { Limits } from './limits.ts'
import type { OutboxEntry } from './outbox-entry.ts'
import { RttEstimator } from './rtt.ts'

const ESTIMATORS_MAX = 256
const POLL_MS_FIRST = 30_000
const POLL_MS_MAX = 600_000
const HEARD_MS_MIN = 1_000

/** A destination with messages at work. */
export interface Route {
  readonly name: string
  readonly entries: Map<bigint, OutboxEntry>
  /** What keeps anything from being sent there, and until when it is not tried again. */
  blocked?: { readonly by: 'key' | 'route'; readonly untilMs: number; readonly polls: number }
  heardMs: number
}

/** Destinations with messages at work, and the round trips of the {@link ESTIMATORS_MAX} used last. */
export class RouteBook {
  readonly #limits: Limits
  readonly #routes = new Map<string, Route>()
  readonly #estimators = new Map<string, RttEstimator>()

  constructor(limits: Limits) {
    this.#limits = limits
  }

  find(destination: Uint8Array): Route | undefined {
    return this.#routes.get(toHex(destination))
  }

  add(entry: OutboxEntry): Route {
    const name = toHex(entry.message.destination)
    let route = this.#routes.get(name)
    if (route === undefined) {
      route = { name, entries: new Map(), heardMs: Number.NEGATIVE_INFINITY }
      this.#routes.set(name, route)
    }
    route.entries.set(entry.message.handle, entry)
    return route
  }

  remove(route: Route, entry: OutboxEntry): void {
    route.entries.delete(entry.message.handle)
    if (route.entries.size === 0) this.#routes.delete(route.name)
  }

  /** Nothing can be sent now; all messages of the route wait together, for a time that doubles to ten minutes. */
  block(route: Route, by: 'key' | 'route', nowMs: number): void {
    const polls = route.blocked?.by === by ? route.blocked.polls + 1 : 0
    route.blocked = { by, untilMs: nowMs + Math.min(POLL_MS_MAX, POLL_MS_FIRST * 2 ** Math.min(polls, 10)), polls }
  }

  /** Whether hearing the destination is news: at most once a second. Sooner, it only shortens what the route waits for. */
  heard(route: Route, nowMs: number): boolean {
    const newsMs = route.heardMs + HEARD_MS_MIN
    if (nowMs < newsMs) {
      if (route.blocked !== undefined) this.#shorten(route, { ...route.blocked, untilMs: newsMs })
      return false
    }
    route.heardMs = nowMs
    delete route.blocked
    return true
  }

  #shorten(route: Route, blocked: NonNullable<Route['blocked']>): void {
    route.blocked = blocked
    for (const entry of route.entries.values()) {
      if (entry.waitingFor === blocked.by) entry.nextMs = Math.min(entry.nextMs, blocked.untilMs)
    }
  }

  /** Messages that were sent and can still be answered soon. */
  inFlight(route: Route): number {
    let count = 0
    for (const entry of route.entries.values()) if (entry.waitingFor === 'receipt') count++
    return count
  }

  /**
   * Whether one more message may be sent for the first time. The receiver forgets an id once 1 024 higher ones came; so that
   * it never has to forget one that may be sent again, new messages wait where one has nearly that many above it.
   */
  hasTurn(route: Route): boolean {
    for (const entry of route.entries.values()) if (entry.newer >= this.#limits.newerMax) return false
    return this.inFlight(route) < this.#limits.inFlightMax
  }

  /** The round trip of a message that was sent once. */
  sample(destination: Uint8Array, rttMs: number): void {
    this.#estimator(toHex(destination)).sample(rttMs)
  }

  /**
   * How long to wait for an answer at the `tries`th try (docs/spec/session.md, Outbox). The receiver answers one message a second, so
   * those on the way add up.
   * @param expectedMs the round trip that routing expects, which counts until one was measured
   */
  timeoutMs(route: Route, tries: number, expectedMs: number | undefined): number {
    const { receiptSpacingMs, retryMsFirst, retryMsMax, retryMsMin } = this.#limits
    const estimator = this.#estimator(route.name)
    const unmeasuredMs = Math.max(retryMsMin, expectedMs ?? retryMsFirst)
    const baseMs = estimator.smoothedMs === undefined ? unmeasuredMs : estimator.rtoMs
    const backoffMs = Math.min(baseMs * 2 ** (tries - 1), Math.max(retryMsMax, baseMs))
    return backoffMs + this.inFlight(route) * receiptSpacingMs
  }

  /** The estimator of a destination, the least recently used one making room. */
  #estimator(name: string): RttEstimator {
    const estimator = this.#estimators.get(name) ?? new RttEstimator(this.#limits.retryMsFirst, this.#limits.retryMsMin)
    this.#estimators.delete(name)
    this.#estimators.set(name, estimator)
    if (this.#estimators.size > ESTIMATORS_MAX) this.#estimators.delete(this.#estimators.keys().next().value!)
    return estimator
  }
}
