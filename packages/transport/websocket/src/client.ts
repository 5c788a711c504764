import {
  Backoff,
  type BackoffOptions,
  CONNECT_MS_MAX,
  HostGate,
  IDLE_MS,
  type Interface,
  type InterfaceFacts,
  STEADY_MS,
  type Transport,
  type TransportHost,
} from '@nexus/transport'
import { factsOf, HEADER_BYTES_MAX, settingsOf, type WebSocketOptions } from './options.ts'

/** The browser's window or worker, where there is one. */
const page = globalThis as Partial<Pick<EventTarget, 'addEventListener' | 'removeEventListener'>>

/** How often a full queue is looked at: the browser's WebSocket tells nothing when it has drained. */
const DRAIN_POLL_MS = 10
const CHECK_MS = 1_000
/** How long the closing handshake may take before `stop` no longer waits for it. */
const CLOSE_MS_MAX = 500

export interface WebSocketClientOptions extends WebSocketOptions, BackoffOptions {
  /** `wss://relay.example.org/nexus` */
  readonly url: string
  /** An attempt that takes longer has failed, in ms; default {@link CONNECT_MS_MAX}. */
  readonly connectMsMax?: number
  /** A connection without a frame for so long is closed; default {@link IDLE_MS}, `Infinity` for never. */
  readonly idleMs?: number
}

/** A dialling transport: one interface, up while connected. */
export interface WebSocketClient extends Transport {
  /** Dials now instead of when the wait is over. */
  kick(): void
}

/**
 * A WebSocket that is kept: dialled, and dialled again with growing, jittered waits when it ends; at once when a browser
 * says that it is online again. Uses the platform's own WebSocket.
 *
 * @throws {TypeError} where the URL is none of a WebSocket
 * @throws {RangeError} for a setting that cannot work
 */
export function webSocketClient(options: WebSocketClientOptions): WebSocketClient {
  return new Dialler(options)
}

class Dialler implements WebSocketClient {
  readonly name: string
  readonly #options: WebSocketClientOptions
  readonly #facts: InterfaceFacts
  readonly #url: string
  readonly #backoff: Backoff
  readonly #queueBytesMax: number
  #gate: HostGate | undefined
  #retry: ReturnType<typeof setTimeout> | undefined
  #attempt: Attempt | undefined
  #stopped = false

  constructor(options: WebSocketClientOptions) {
    const url = new URL(options.url)
    if (url.protocol !== 'ws:' && url.protocol !== 'wss:')
      throw new TypeError(`not the URL of a WebSocket: ${options.url}`)
    const settings = settingsOf(options)
    this.name = `websocket:${url.href}`
    this.#url = url.href
    this.#options = options
    this.#queueBytesMax = settings.queueBytesMax
    this.#facts = factsOf(this.name, settings)
    this.#backoff = new Backoff(options)
  }

  async start(host: TransportHost): Promise<void> {
    if (this.#gate !== undefined) throw new TypeError('a transport starts once')
    this.#gate = new HostGate(this.name, host)
    page.addEventListener?.('online', this.#onOnline)
    await this.#dial(this.#gate)
  }

  kick(): void {
    if (this.#gate === undefined || this.#stopped || this.#attempt?.open === true) return
    this.#backoff.reset()
    // An attempt under way may wait for a network that is gone: its end dials anew, now with a short wait.
    if (this.#attempt !== undefined) this.#attempt.end('dialled anew')
    else void this.#dial(this.#gate)
  }

  async stop(): Promise<void> {
    this.#stopped = true
    page.removeEventListener?.('online', this.#onOnline)
    clearTimeout(this.#retry)
    this.#attempt?.end('stopped')
    await this.#attempt?.closed
    this.#gate?.shut()
  }

  readonly #onOnline = (): void => this.kick()

  /** One attempt; resolves when it has succeeded or failed. */
  async #dial(gate: HostGate): Promise<void> {
    clearTimeout(this.#retry)
    const attempt = new Attempt(this.#url, this.#facts, gate, {
      queueBytesMax: this.#queueBytesMax,
      connectMsMax: this.#options.connectMsMax ?? CONNECT_MS_MAX,
      idleMs: this.#options.idleMs ?? IDLE_MS,
    })
    this.#attempt = attempt
    void attempt.closed.then(({ why, openMs }) => {
      this.#attempt = undefined
      if (this.#stopped) return
      // A server that accepts and closes at once is not up: only a connection that held starts the waits anew.
      if (openMs >= STEADY_MS) this.#backoff.reset()
      const retryMs = this.#backoff.nextMs()
      gate.problem({ code: 'transport/connect', address: this.#url, why, retryMs })
      this.#retry = setTimeout(() => void this.#dial(gate), retryMs)
    })
    await attempt.settled
  }
}

interface AttemptLimits {
  readonly queueBytesMax: number
  readonly connectMsMax: number
  readonly idleMs: number
}

/** One WebSocket from dialling to its end. */
class Attempt implements Interface {
  readonly facts: InterfaceFacts
  /** Resolves when the attempt has succeeded or failed. */
  readonly settled: Promise<void>
  /** Resolves when nothing is left of it. */
  readonly closed: Promise<{ readonly why: string; readonly openMs: number }>
  open = false
  readonly #socket: WebSocket
  readonly #gate: HostGate
  readonly #limits: AttemptLimits
  #settle: () => void = () => {}
  #finish: (end: { why: string; openMs: number }) => void = () => {}
  #ended = false
  #why = 'no answer'
  #sinceMs = 0
  #heardMs = 0
  #limit: ReturnType<typeof setTimeout>
  #check: ReturnType<typeof setInterval> | undefined
  #drainPoll: ReturnType<typeof setInterval> | undefined

  constructor(url: string, facts: InterfaceFacts, gate: HostGate, limits: AttemptLimits) {
    this.facts = facts
    this.#gate = gate
    this.#limits = limits
    this.settled = new Promise((resolve) => {
      this.#settle = resolve
    })
    this.closed = new Promise((resolve) => {
      this.#finish = resolve
    })
    this.#socket = new WebSocket(url)
    this.#socket.binaryType = 'arraybuffer'
    this.#socket.onopen = () => this.#onOpen()
    this.#socket.onmessage = ({ data }) => this.#onMessage(data)
    this.#socket.onclose = ({ code, reason }) => this.#onClose(reason === '' ? `closed, code ${code}` : reason)
    this.#limit = setTimeout(() => this.end(`no answer within ${limits.connectMsMax} ms`), limits.connectMsMax)
  }

  get queuedBytes(): number {
    return this.#socket.bufferedAmount
  }

  send(frame: Uint8Array): boolean {
    if (!this.open) return false
    const bytes = frame.length
    const { mtuBytes, id: interfaceId } = this.facts
    if (bytes === 0 || bytes > mtuBytes) {
      this.#gate.problem({ code: 'transport/frame-size', interfaceId, bytes, mtuBytes })
      return false
    }
    if (this.#socket.bufferedAmount + bytes + HEADER_BYTES_MAX > this.#limits.queueBytesMax) {
      this.#drainPoll ??= setInterval(() => this.#lookForDrain(), DRAIN_POLL_MS)
      return false
    }
    this.#socket.send(frame as Uint8Array<ArrayBuffer>)
    return true
  }

  async close(): Promise<void> {
    this.end('closed')
    await this.closed
  }

  /** Takes the interface down and closes the socket. */
  end(why: string): void {
    if (this.#ended) return
    this.#ended = true
    this.#why = why
    this.#goDown()
    this.#socket.close()
    this.#limit = setTimeout(() => this.#onClose(why), CLOSE_MS_MAX)
  }

  #onOpen(): void {
    if (this.#ended) return
    clearTimeout(this.#limit)
    this.open = true
    this.#sinceMs = performance.now()
    this.#heardMs = this.#sinceMs
    this.#check = setInterval(() => {
      if (performance.now() - this.#heardMs > this.#limits.idleMs) this.end(`silent for ${this.#limits.idleMs} ms`)
    }, CHECK_MS)
    this.#gate.up(this)
    this.#settle()
  }

  #onMessage(data: unknown): void {
    if (!this.open) return
    const { mtuBytes, id: interfaceId } = this.facts
    if (!(data instanceof ArrayBuffer)) {
      this.#gate.problem({ code: 'transport/framing', interfaceId, why: 'a text message' })
      this.end('a text message')
      return
    }
    const bytes = data.byteLength
    if (bytes > mtuBytes) {
      this.#gate.problem({ code: 'transport/frame-size', interfaceId, bytes, mtuBytes })
      this.end(`a frame over ${mtuBytes} bytes`)
    } else if (bytes > 0) {
      this.#heardMs = performance.now()
      this.#gate.frame(this, new Uint8Array(data))
    }
  }

  #onClose(why: string): void {
    clearTimeout(this.#limit)
    if (!this.#ended) this.#why = why
    this.#ended = true
    this.#goDown()
    this.#socket.onopen = this.#socket.onmessage = this.#socket.onclose = null
    this.#settle()
    this.#finish({ why: this.#why, openMs: this.#sinceMs === 0 ? 0 : performance.now() - this.#sinceMs })
  }

  #goDown(): void {
    clearTimeout(this.#limit)
    clearInterval(this.#check)
    clearInterval(this.#drainPoll)
    if (!this.open) return
    this.open = false
    this.#gate.down(this, this.#why)
  }

  #lookForDrain(): void {
    if (this.#socket.bufferedAmount > this.#limits.queueBytesMax / 2) return
    clearInterval(this.#drainPoll)
    this.#drainPoll = undefined
    this.#gate.drain(this)
  }
}
