import type { Crypto, Random } from '@nexus/crypto'
import { commitTo } from './draw.ts'
import type { FrameLog } from './frame-log.ts'
import { HANDSHAKE_BYTES, REPEAT_SPACINGS_MAX, REVEAL_BYTES, SERIES_BYTES, UNANSWERED_MAX } from './limits.ts'
import { encodeLotteryMessage } from './messages.ts'
import { smallestOdds } from './price.ts'

/** What a payer's series needs of its payer. */
export interface PayerContext {
  readonly crypto: Crypto
  readonly random: Random
  /** Spacing of the first repeat of a message without answer. */
  readonly repeatMs: number
  send(body: Uint8Array): void
}

/** One window of frames that a payer hands over. */
export interface PayerWindow {
  readonly window: number
  /** r_w. */
  readonly secret: Uint8Array
  /** n as the payee fixed it; until then no priced frame is handed over. */
  odds: number | undefined
  log: FrameLog | undefined
  costMicro: number
  revealed: boolean
  /** Paid for, or forfeited by a false claim: no claim counts any more. */
  closed: boolean
}

interface Repeat {
  readonly body: Uint8Array
  nextMs: number
  spacingMs: number
}

/** An OPEN_LOT under way: the payee's ODDS tell which window was the current one when it came. */
interface Opening {
  readonly secrets: readonly [Uint8Array, Uint8Array]
  readonly fromWindow: number
  readonly heard: Map<number, number>
  readonly repeat: Repeat
}

/** ODDS for an OPEN_LOT that are kept until two of them follow each other. */
const OPENING_ODDS_MAX = 4

/** All windows under one key of a link, from the payer's side: the chain of commitments, and repeats until they are answered. */
export class PayerSeries {
  readonly id: Uint8Array
  readonly handshakeHash: Uint8Array
  readonly windowFrames: number
  readonly windows = new Map<number, PayerWindow>()
  endedMs = Number.POSITIVE_INFINITY
  readonly #context: PayerContext
  readonly #unanswered = new Map<number, Repeat>()
  #opening: Opening | undefined
  #current: number

  constructor(nowMs: number, context: PayerContext, handshakeHash: Uint8Array, windowFrames: number, counter: number) {
    this.#context = context
    this.handshakeHash = handshakeHash.slice(0, HANDSHAKE_BYTES)
    this.id = this.handshakeHash.subarray(0, SERIES_BYTES)
    this.windowFrames = windowFrames
    this.#current = Math.floor(counter / windowFrames)
    this.#open(nowMs)
  }

  get ended(): boolean {
    return this.endedMs !== Number.POSITIVE_INFINITY
  }

  /** The window of a counter, where priced frames may be handed over in it. */
  openWindow(counter: number): PayerWindow | undefined {
    const window = this.windows.get(Math.floor(counter / this.windowFrames))
    return window === undefined || window.odds === undefined || window.revealed || this.ended ? undefined : window
  }

  /** The next frame will have at least this counter: windows before it are over and get revealed. */
  advance(nowMs: number, counter: number): void {
    const current = Math.floor(counter / this.windowFrames)
    if (current <= this.#current || this.ended) return
    this.#current = current
    for (const window of [...this.windows.values()]) if (window.window < current) this.#over(nowMs, window)
    this.#openIfBehind(nowMs)
  }

  onOdds(nowMs: number, window: number, odds: number): void {
    if (odds < smallestOdds(this.windowFrames)) return
    this.#unanswered.delete(window - 2)
    const known = this.windows.get(window)
    // Odds are fixed once: a second answer with others changes nothing.
    if (known !== undefined) known.odds ??= odds
    else this.#onOpened(nowMs, window, odds)
    this.forgetFinished()
  }

  /** No frame follows under this key: what was handed over is revealed, and repeated in the next link if need be. */
  end(nowMs: number): void {
    if (this.ended) return
    this.endedMs = nowMs
    this.#opening = undefined
    for (const window of [...this.windows.values()]) this.#over(nowMs, window)
  }

  /** Whether messages wait for an answer. */
  get waits(): boolean {
    return this.#opening !== undefined || this.#unanswered.size > 0
  }

  /** Sends what was not answered, if its time has come or `atOnce`. */
  repeat(nowMs: number, atOnce = false): void {
    for (const repeat of this.#repeats()) {
      if (!atOnce && nowMs < repeat.nextMs) continue
      this.#context.send(repeat.body)
      repeat.spacingMs = Math.min(2 * repeat.spacingMs, REPEAT_SPACINGS_MAX * this.#context.repeatMs)
      repeat.nextMs = nowMs + repeat.spacingMs
    }
  }

  nextRepeatMs(): number {
    let nextMs = Number.POSITIVE_INFINITY
    for (const repeat of this.#repeats()) nextMs = Math.min(nextMs, repeat.nextMs)
    return nextMs
  }

  /** Forgets windows that are over and without frames. */
  forgetFinished(): void {
    for (const [key, { revealed, log }] of this.windows) {
      if (revealed && log === undefined && !this.#unanswered.has(key)) this.windows.delete(key)
    }
  }

  /** Forgets the frames of a window, and with them every claim on it. */
  forgetFrames(window: PayerWindow): void {
    window.log = undefined
    window.costMicro = 0
    window.closed = true
    this.forgetFinished()
  }

  *#repeats(): Iterable<Repeat> {
    if (this.#opening !== undefined) yield this.#opening.repeat
    yield* this.#unanswered.values()
  }

  #open(nowMs: number): void {
    const { crypto, random } = this.#context
    const secrets = [random(REVEAL_BYTES), random(REVEAL_BYTES)] as const
    const commits = [commitTo(crypto, secrets[0]), commitTo(crypto, secrets[1])] as const
    const repeat = this.#say(nowMs, encodeLotteryMessage({ kind: 'open-lot', series: this.id, commits }))
    this.#opening = { secrets, fromWindow: this.#current, heard: new Map(), repeat }
  }

  /** Where the frames of others outran the chain of commitments, a new OPEN_LOT catches up with them. */
  #openIfBehind(nowMs: number): void {
    if (this.#opening !== undefined) return
    for (const window of this.windows.keys()) if (window >= this.#current) return
    this.#open(nowMs)
  }

  #onOpened(nowMs: number, window: number, odds: number): void {
    const opening = this.#opening
    if (opening === undefined || window < opening.fromWindow || window > this.#current + 1) return
    const { heard, secrets } = opening
    if (heard.size < OPENING_ODDS_MAX && !heard.has(window)) heard.set(window, odds)
    const first = heard.has(window - 1) ? window - 1 : window
    if (!heard.has(first) || !heard.has(first + 1) || first > this.#current) return
    this.#opening = undefined
    for (const [at, secret] of secrets.entries()) this.#commit(first + at, secret).odds = heard.get(first + at)
    for (const window of [...this.windows.values()]) if (window.window < this.#current) this.#over(nowMs, window)
    this.#openIfBehind(nowMs)
  }

  /** Ends a window: its secret is of use for its own frames, and for the commitment to a window that is still to come. */
  #over(nowMs: number, window: PayerWindow): void {
    if (window.revealed) return
    const leadsOn = !this.ended && window.window + 2 >= this.#current && this.#unanswered.size < UNANSWERED_MAX
    if (leadsOn || window.log !== undefined) this.#reveal(nowMs, window)
    else this.windows.delete(window.window)
  }

  #commit(window: number, secret: Uint8Array): PayerWindow {
    const made: PayerWindow = {
      window,
      secret,
      odds: undefined,
      log: undefined,
      costMicro: 0,
      revealed: false,
      closed: false,
    }
    this.windows.set(window, made)
    return made
  }

  #reveal(nowMs: number, { window, secret }: PayerWindow): void {
    const { crypto, random } = this.#context
    const next = random(REVEAL_BYTES)
    const commit = commitTo(crypto, next)
    this.windows.get(window)!.revealed = true
    if (!this.ended) this.#commit(window + 2, next)
    const body = encodeLotteryMessage({ kind: 'reveal', series: this.id, window, secret, commit })
    this.#unanswered.set(window, this.#say(nowMs, body))
  }

  #say(nowMs: number, body: Uint8Array): Repeat {
    const { repeatMs } = this.#context
    this.#context.send(body)
    return { body, nextMs: nowMs + repeatMs, spacingMs: repeatMs }
  }
}
