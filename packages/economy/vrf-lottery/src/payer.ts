import { equalBytes } from '@nexus/codec'
import type { Crypto, Random } from '@nexus/crypto'
import { decodeClaim, type WindowClaim } from './claim.ts'
import { Draw, drawInput } from './draw.ts'
import { LotteryError } from './errors.ts'
import { FrameLog } from './frame-log.ts'
import { SERIES_BYTES, SERIES_KEPT_MS, SERIES_MAX, WINDOWS_REMEMBERED } from './limits.ts'
import type { Odds } from './messages.ts'
import { PayerSeries, type PayerWindow } from './payer-series.ts'
import { packetCostMicro, reward } from './price.ts'

/** Why a claim is not paid: the code that a channel's REFUSE carries. */
export const CLAIM_REFUSED = {
  /** No claim in form. */
  malformed: 32,
  /** A series or window that is not remembered: never opened, or too long ago. */
  unknownWindow: 33,
  /** Paid before, or forfeited. */
  closedWindow: 34,
  /** A frame that was not handed over. */
  unknownFrame: 35,
  /** A proof that does not hold. Its window is forfeited. */
  proof: 36,
  /** A frame that did not win. Its window is forfeited: losses on the way are not for guessing. */
  noWin: 37,
} as const

export type ClaimRefusal = (typeof CLAIM_REFUSED)[keyof typeof CLAIM_REFUSED]

/** What a claim is worth: the least, in whole μNXS, that its payer has to move for it. */
export type ClaimVerdict =
  | { readonly ok: true; readonly minimumPrice: bigint }
  | { readonly ok: false; readonly code: ClaimRefusal }

export interface PayerOptions {
  readonly crypto: Crypto
  readonly random: Random
  /** Ed25519 key of the neighbour that is paid. */
  readonly payeePublicKey: Uint8Array
  /** Spacing of the first repeat of a message without answer: that of the link's probes. */
  readonly repeatMs: number
}

export interface PayerPorts {
  /** Hands the body of a link message of type 4 to any link with the payee; lost ones are repeated. */
  send(body: Uint8Array): void
}

/**
 * One direction of the lottery, on the side that hands packets to a neighbour and pays for them: it commits to windows,
 * reveals them once they are over, remembers what it handed over and judges claims (docs/spec/vrf-lottery.md). A core
 * without I/O, for one neighbour across all its links; `nowMs` never falls.
 */
export class LotteryPayer {
  readonly #options: PayerOptions
  readonly #ports: PayerPorts
  readonly #series: PayerSeries[] = []
  /** Windows with frames, oldest first. */
  readonly #remembered: { readonly series: PayerSeries; readonly window: PayerWindow }[] = []
  /** The claim judged last that held: a claim repeated costs no second proof. */
  #judged: { readonly body: Uint8Array; readonly verdict: ClaimVerdict } | undefined

  constructor(options: PayerOptions, ports: PayerPorts) {
    this.#options = options
    this.#ports = ports
  }

  /** Expected cost, in μNXS, of the frames that may still be claimed. */
  get pendingMicro(): number {
    let sum = 0
    for (const { window } of this.#remembered) if (!window.closed) sum += window.costMicro
    return sum
  }

  /**
   * Opens the lottery under a key of a link, which the next frame's counter belongs to; a series that is open stays so.
   * False: no room until one of the series has ended.
   */
  openSeries(nowMs: number, handshakeHash: Uint8Array, windowFrames: number, counter: number): boolean {
    if (this.#find(handshakeHash) !== undefined) return true
    if (this.#series.length >= SERIES_MAX) {
      const ended = this.#series.findIndex((series) => series.ended)
      if (ended < 0) return false
      this.#forget(this.#series[ended]!)
    }
    const { crypto, random, repeatMs } = this.#options
    const context = { crypto, random, repeatMs, send: (body: Uint8Array) => this.#ports.send(body) }
    this.#series.push(new PayerSeries(nowMs, context, handshakeHash, windowFrames, counter))
    return true
  }

  /** The link is down, or has another key now: what was handed over under this one is revealed. */
  endSeries(nowMs: number, handshakeHash: Uint8Array): void {
    this.#find(handshakeHash)?.end(nowMs)
  }

  /** A frame of any kind went out with this counter, or is about to: ends the windows before it. */
  advance(nowMs: number, handshakeHash: Uint8Array, counter: number): void {
    this.#find(handshakeHash)?.advance(nowMs, counter)
  }

  /** Whether a priced frame may be handed over with this counter: its window has odds and is not revealed. */
  ready(handshakeHash: Uint8Array, counter: number): boolean {
    return this.#find(handshakeHash)?.openWindow(counter) !== undefined
  }

  /**
   * Remembers a packet handed over: `quote` is the lowest encoded cost that the payee quoted for its destination in this
   * window or the one before, above 0; `lengthBytes` that of the packet inside the link. False: the window is not open,
   * so nothing is owed for it.
   * @throws {RangeError} for a length outside 1…65 535 or a quote outside 1…640
   */
  handedOver(
    nowMs: number,
    handshakeHash: Uint8Array,
    counter: number,
    packetHash: Uint8Array,
    lengthBytes: number,
    quote: number,
  ): boolean {
    const series = this.#find(handshakeHash)
    if (series === undefined) return false
    series.advance(nowMs, counter)
    const window = series.openWindow(counter)
    if (window === undefined) return false
    const costMicro = packetCostMicro(lengthBytes, quote)
    if (!(lengthBytes >= 1 && lengthBytes <= 0xffff && costMicro > 0)) {
      throw new RangeError(`a priced packet of ${lengthBytes} bytes at ${quote}`)
    }
    if (window.log === undefined) this.#remember(series, window)
    const noted = window.log!.note(counter % series.windowFrames, packetHash, lengthBytes, quote)
    if (noted) window.costMicro += costMicro
    return noted
  }

  /** ODDS came from the payee. */
  receive(nowMs: number, { series, window, odds }: Odds): void {
    this.#findById(series)?.onOdds(nowMs, window, odds)
  }

  /**
   * Whether a claim of the payee holds, and the least it is worth. Paying is the caller's; only {@link honoured} closes
   * the windows, so that a claim whose payment was lost is judged alike again.
   */
  judge(body: Uint8Array): ClaimVerdict {
    if (this.#judged !== undefined && equalBytes(this.#judged.body, body)) return this.#judged.verdict
    let claims: WindowClaim[]
    try {
      claims = decodeClaim(body)
    } catch (error) {
      if (!(error instanceof LotteryError)) throw error
      return { ok: false, code: CLAIM_REFUSED.malformed }
    }
    const verdict = this.#judgeWindows(claims)
    if (verdict.ok) this.#judged = { body: body.slice(), verdict }
    return verdict
  }

  /** The payment of a claim that was judged to hold is signed by both: its windows are closed. */
  honoured(body: Uint8Array): void {
    this.#judged = undefined
    for (const { series, window } of decodeClaim(body)) {
      const known = this.#findById(series)?.windows.get(window)
      if (known !== undefined) known.closed = true
    }
  }

  /** A link with the payee came up: what was not answered is sent at once. */
  resume(nowMs: number): void {
    for (const series of this.#series) series.repeat(nowMs, true)
  }

  /** Repeats what was not answered, and forgets series that ended long ago. */
  tick(nowMs: number): void {
    for (const series of [...this.#series]) {
      if (nowMs >= series.endedMs + SERIES_KEPT_MS) this.#forget(series)
      else series.repeat(nowMs)
    }
  }

  /** When {@link tick} has something to do; Infinity: never. */
  nextWakeMs(): number {
    let wakeMs = Number.POSITIVE_INFINITY
    for (const series of this.#series) {
      wakeMs = Math.min(wakeMs, series.nextRepeatMs(), series.endedMs + SERIES_KEPT_MS)
    }
    return wakeMs
  }

  #judgeWindows(claims: readonly WindowClaim[]): ClaimVerdict {
    const known: { series: PayerSeries; window: PayerWindow; log: FrameLog }[] = []
    // All that needs no arithmetic comes first, so that a false claim costs its payer little.
    for (const claim of claims) {
      const series = this.#findById(claim.series)
      const window = series?.windows.get(claim.window)
      if (series === undefined || window === undefined || !window.revealed) {
        return { ok: false, code: CLAIM_REFUSED.unknownWindow }
      }
      const { log } = window
      if (window.closed || log === undefined) return { ok: false, code: CLAIM_REFUSED.closedWindow }
      for (const offset of claim.offsets) {
        if (offset >= series.windowFrames || log.lengthAt(offset) === 0) {
          return { ok: false, code: CLAIM_REFUSED.unknownFrame }
        }
      }
      known.push({ series, window, log })
    }
    let minimumPrice = 0n
    for (const [at, claim] of claims.entries()) {
      const { series, window, log } = known[at]!
      const price = this.#priceOf(series, window, log, claim)
      if (typeof price === 'number') {
        window.closed = true
        this.#judged = undefined
        return { ok: false, code: price }
      }
      minimumPrice += price
    }
    return { ok: true, minimumPrice }
  }

  #priceOf(series: PayerSeries, window: PayerWindow, log: FrameLog, claim: WindowClaim): bigint | ClaimRefusal {
    const { crypto, payeePublicKey } = this.#options
    const alpha = drawInput(series.handshakeHash, window.window, window.secret)
    const beta = crypto.vrfVerify(payeePublicKey, claim.proof, alpha)
    if (beta === undefined) return CLAIM_REFUSED.proof
    const odds = window.odds!
    const draw = new Draw(crypto, beta, window.window * series.windowFrames, odds)
    let price = 0n
    for (const offset of claim.offsets) {
      if (!draw.wins(log, offset)) return CLAIM_REFUSED.noWin
      price += reward(log.lengthAt(offset), odds, log.quoteAt(offset))
    }
    return price
  }

  #remember(series: PayerSeries, window: PayerWindow): void {
    window.log = new FrameLog(series.windowFrames)
    this.#remembered.push({ series, window })
    if (this.#remembered.length <= WINDOWS_REMEMBERED) return
    const { series: oldSeries, window: oldest } = this.#remembered.shift()!
    oldSeries.forgetFrames(oldest)
    this.#judged = undefined
  }

  #forget(series: PayerSeries): void {
    this.#series.splice(this.#series.indexOf(series), 1)
    this.#judged = undefined
    for (let at = this.#remembered.length - 1; at >= 0; at--) {
      if (this.#remembered[at]!.series === series) this.#remembered.splice(at, 1)
    }
  }

  #find(handshakeHash: Uint8Array): PayerSeries | undefined {
    return this.#findById(handshakeHash.subarray(0, SERIES_BYTES))
  }

  #findById(id: Uint8Array): PayerSeries | undefined {
    for (let at = this.#series.length - 1; at >= 0; at--) {
      if (equalBytes(this.#series[at]!.id, id)) return this.#series[at]
    }
    return undefined
  }
}
