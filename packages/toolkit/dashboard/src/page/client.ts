import type { ApiErrorDetail, MethodName, MethodParams, MethodResult, WatchItem } from '@nexus/node/api'

/** Facts about the server, as whoever runs it gave them. */
export interface About {
  /** `node`: one of one's own; `demo`, `segment`: several, as a demonstration. */
  readonly mode?: string
  readonly roundMs?: number
  readonly airSpeed?: number
}

export type CallErrorDetail =
  | { readonly code: 'unauthorised' | 'unreachable' | 'timeout'; readonly message: string; readonly next?: string }
  | ApiErrorDetail

/** A call that was refused or did not get through. */
export class CallError extends Error {
  override readonly name = 'CallError'
  readonly detail: CallErrorDetail
  constructor(detail: CallErrorDetail) {
    super(detail.message)
    this.detail = detail
  }
}

const CALL_MS_MAX = 5_000
/** A trace may take this long at the node itself. */
const LONG_CALL_MS_MAX = 65_000
/** A line of the stream: a look at many nodes with many routes is far smaller. */
const LINE_CHARS_MAX = 4_000_000

/** The server's API. @throws {CallError} from every method */
export class Client {
  readonly #token: string

  constructor(token: string) {
    this.#token = token
  }

  async call<M extends MethodName>(node: string, method: M, params: MethodParams<M>): Promise<MethodResult<M>> {
    const limitMs = method === 'trace' || method === 'ping' ? LONG_CALL_MS_MAX : CALL_MS_MAX
    const response = await this.#post(pathOf(node, method), params, AbortSignal.timeout(limitMs))
    return (await response.json()) as MethodResult<M>
  }

  async setPower(node: string, on: boolean): Promise<void> {
    await this.#post(pathOf(node, 'power'), { on }, AbortSignal.timeout(LONG_CALL_MS_MAX))
  }

  /** What the server shows, following the node of that name, until it ends or `signal` aborts. */
  async *watch(node: string | undefined, signal: AbortSignal): AsyncIterable<WatchItem> {
    const response = await this.#post('/api/watch', node === undefined ? {} : { node }, signal)
    if (response.body === null) return
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader()
    let rest = ''
    for (;;) {
      const { done, value } = await reader.read().catch((error: unknown) => {
        throw unreachable(error)
      })
      if (done) return
      const lines = (rest + value).split('\n')
      rest = lines.pop()!
      if (rest.length > LINE_CHARS_MAX) throw new CallError({ code: 'too-large', message: 'a line never ends' })
      for (const line of lines) if (line !== '') yield JSON.parse(line) as WatchItem
    }
  }

  async #post(path: string, params: unknown, signal: AbortSignal): Promise<Response> {
    const headers = { 'Content-Type': 'application/json', Authorization: `Bearer ${this.#token}` }
    let response: Response
    try {
      response = await fetch(path, { method: 'POST', headers, body: JSON.stringify(params), signal, cache: 'no-store' })
    } catch (error) {
      throw unreachable(error)
    }
    if (response.ok) return response
    const detail = (await response.json().catch(() => undefined)) as CallErrorDetail | undefined
    throw new CallError(detail ?? { code: 'internal', message: `the server answered ${response.status}` })
  }
}

const pathOf = (node: string, method: string): string => `/api/nodes/${encodeURIComponent(node)}/${method}`

function unreachable(error: unknown): CallError {
  const timedOut = error instanceof DOMException && error.name === 'TimeoutError'
  if (timedOut) return new CallError({ code: 'timeout', message: 'no answer came in time' })
  return new CallError({ code: 'unreachable', message: 'the server does not answer' })
}
