import { toHex } from '@nexus/codec'
import { TRACE_TIMEOUT_MS, TRACES_MAX, TRACES_PER_SECOND } from './limits.ts'
import {
  decodeTraceAnswer,
  decodeTraceRequest,
  encodeTraceAnswer,
  encodeTraceRequest,
  TRACE_HOPS_MAX,
  type TraceAnswer,
  type TraceHop,
  type TraceOutcome,
  type TraceRequest,
} from './trace.ts'

/** How one's own trace ended. */
export interface TraceReport {
  readonly outcome: TraceOutcome | 'timeout'
  readonly rttMs: number | undefined
  readonly hops: readonly TraceHop[]
}

/** What a relay does with a trace that passes. */
export type TraceStep =
  | { readonly kind: 'forward'; readonly data: Uint8Array }
  | { readonly kind: 'answer'; readonly origin: Uint8Array; readonly data: Uint8Array }
  | { readonly kind: 'ignore' }

interface Pending {
  readonly startedMs: number
  readonly timeoutMs: number
  readonly report: (report: TraceReport) => void
}

/**
 * Traces and pings (docs/spec/trace.md). A trace gathers what each relay says of itself on the way; where it ends, one
 * answer goes back to its origin: one packet out for one packet in, so that nobody can be made to flood another.
 */
export class Traces {
  readonly #selfHead: Uint8Array
  readonly #selfId: Uint8Array
  readonly #pending = new Map<string, Pending>()
  #secondStartMs = 0
  #inSecond = 0

  constructor(selfId: Uint8Array) {
    this.#selfId = selfId
    this.#selfHead = selfId.slice(0, 8)
  }

  /** Starts a trace of one's own. Returns the packet's data; `report` is called once. @throws {RangeError} above {@link TRACES_MAX} */
  begin(
    nowMs: number,
    traceId: bigint,
    record: boolean,
    timeoutMs: number,
    report: (report: TraceReport) => void,
  ): Uint8Array {
    if (this.#pending.size >= TRACES_MAX) throw new RangeError(`${TRACES_MAX} traces are under way`)
    this.#pending.set(String(traceId), { startedMs: nowMs, timeoutMs: Math.min(timeoutMs, TRACE_TIMEOUT_MS), report })
    return encodeTraceRequest({ traceId, origin: this.#selfId, record, hops: [] })
  }

  /** Ends a trace of one's own that did not even leave. */
  fail(traceId: bigint, outcome: TraceOutcome): void {
    this.#settle(String(traceId), { outcome, rttMs: undefined, hops: [] })
  }

  /** A trace on its way to another: adds this relay, named with the hop it chose. */
  pass(nowMs: number, data: Uint8Array, hop: Omit<TraceHop, 'nodeIdHead'>): TraceStep {
    const request = this.#admit(nowMs, data)
    if (request === undefined) return { kind: 'ignore' }
    if (!request.record) return { kind: 'forward', data }
    if (request.hops.length >= TRACE_HOPS_MAX) return this.#answer(request, 'full')
    const hops = [...request.hops, { ...hop, nodeIdHead: this.#selfHead }]
    return { kind: 'forward', data: encodeTraceRequest({ ...request, hops }) }
  }

  /** A trace that ends here: because this is its destination, or because there is no way on. */
  end(nowMs: number, data: Uint8Array, outcome: TraceOutcome): TraceStep {
    const request = this.#admit(nowMs, data)
    return request === undefined ? { kind: 'ignore' } : this.#answer(request, outcome)
  }

  /** The answer to a trace of one's own. */
  answered(nowMs: number, data: Uint8Array): void {
    const answer: TraceAnswer = decodeTraceAnswer(data)
    const pending = this.#pending.get(String(answer.traceId))
    if (pending === undefined) return
    this.#settle(String(answer.traceId), {
      outcome: answer.outcome,
      rttMs: nowMs - pending.startedMs,
      hops: answer.hops,
    })
  }

  tick(nowMs: number): void {
    for (const [key, pending] of this.#pending) {
      if (nowMs < pending.startedMs + pending.timeoutMs) continue
      this.#settle(key, { outcome: 'timeout', rttMs: undefined, hops: [] })
    }
  }

  nextWakeMs(): number {
    let wake = Number.POSITIVE_INFINITY
    for (const { startedMs, timeoutMs } of this.#pending.values()) wake = Math.min(wake, startedMs + timeoutMs)
    return wake
  }

  #answer(request: TraceRequest, outcome: TraceOutcome): TraceStep {
    if (toHex(request.origin) === toHex(this.#selfId)) {
      this.fail(request.traceId, outcome)
      return { kind: 'ignore' }
    }
    const full = request.hops.length >= TRACE_HOPS_MAX
    const here: TraceHop = { nodeIdHead: this.#selfHead, rttMs: 0, queueFill: 0, addedCost: 0, medium: 0 }
    const hops = request.record && !full ? [...request.hops, here] : request.hops
    const data = encodeTraceAnswer({ traceId: request.traceId, outcome, hops })
    return { kind: 'answer', origin: request.origin, data }
  }

  #admit(nowMs: number, data: Uint8Array): TraceRequest | undefined {
    if (nowMs - this.#secondStartMs >= 1_000) {
      this.#secondStartMs = nowMs
      this.#inSecond = 0
    }
    if (++this.#inSecond > TRACES_PER_SECOND) return undefined
    return decodeTraceRequest(data)
  }

  #settle(key: string, report: TraceReport): void {
    const pending = this.#pending.get(key)
    if (!this.#pending.delete(key)) return
    pending!.report(report)
  }
}
