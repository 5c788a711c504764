import { type Api, parseCall } from '../api/api.ts'
import { ApiError } from '../api/error.ts'
import type { MethodName, MethodParams, MethodResult } from '../api/schemas.ts'
import type { SegmentReport } from '../api/segment.ts'
import { type CoreEvent, EventLog } from '../core/events.ts'
import { eventsOf } from '../driver/pushed.ts'

/** The answers of what takes part in a segment and in no mesh: `segment` and `events`, nothing else. */
export class SegmentApi implements Api {
  readonly #report: () => SegmentReport
  readonly #log = new EventLog()
  readonly #closed = new AbortController()

  constructor(report: () => SegmentReport) {
    this.#report = report
  }

  note(event: CoreEvent): void {
    this.#log.add(event, new Date().toISOString())
  }

  /** Ends all streams; calls are refused from now on. */
  close(): void {
    this.#closed.abort()
  }

  async call<M extends MethodName>(method: M, given: MethodParams<M>): Promise<MethodResult<M>> {
    if (this.#closed.signal.aborted) throw new ApiError({ code: 'stopping', message: 'the node is stopping' })
    parseCall<M>(method, given)
    if (method !== 'segment') throw notHere(method)
    return this.#report() as MethodResult<M>
  }

  async *stream<M extends MethodName>(
    method: M,
    given: MethodParams<M>,
    signal: AbortSignal,
  ): AsyncIterable<MethodResult<M>> {
    if (method !== 'events') throw notHere(method)
    const { params } = parseCall<'events'>(method, given)
    const until = AbortSignal.any([signal, this.#closed.signal])
    yield* eventsOf(this.#log, params.after ?? this.#log.sequence, until) as AsyncIterable<MethodResult<M>>
  }
}

const notHere = (method: MethodName): ApiError =>
  new ApiError({ code: 'unknown-method', message: `this node takes part in no mesh: there is no ${method}` })
