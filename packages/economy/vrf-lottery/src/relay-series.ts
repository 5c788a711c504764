import { equalBytes } from '@nexus/codec'
import type { Crypto } from '@nexus/crypto'
import { commitTo, type Draw } from './draw.ts'
import type { FrameLog } from './frame-log.ts'
import { HANDSHAKE_BYTES, SERIES_BYTES } from './limits.ts'
import type { OpenLot, Reveal } from './messages.ts'
import { smallestOdds } from './price.ts'

/** One window of frames that a relay takes. */
export interface RelayWindow {
  readonly series: RelaySeries
  readonly window: number
  readonly commit: Uint8Array
  /** n, fixed with the window. */
  readonly odds: number
  /** Rank among the windows announced; undefined: not yet, and nothing is taken in it. */
  rank: number | undefined
  log: FrameLog | undefined
  costMicro: number
  /** r_w, once the payer said it: nothing is taken any more. */
  secret: Uint8Array | undefined
  proof: Uint8Array | undefined
  draw: Draw | undefined
  /** Offset of the next ticket to draw; the window's frames once all are drawn. */
  next: number
  readonly wins: number[]
  /** What the wins are worth, in whole μNXS. */
  worth: bigint
}

/** What ODDS are to say: of a window, or of one that is forgotten here and only needs an answer. */
export type Announcement = RelayWindow | { readonly window: number; readonly odds: number; readonly rank: 0 }

/** All windows under one key of a link, from the relay's side. */
export class RelaySeries {
  readonly id: Uint8Array
  /** The array that frames are named by: compared by identity first. */
  readonly handshakeHash: Uint8Array
  readonly windowFrames: number
  readonly windows = new Map<number, RelayWindow>()
  endedMs = Number.POSITIVE_INFINITY
  /** The OPEN_LOT answered last, and the first window that it opened. */
  #opened: { readonly message: OpenLot; readonly first: number } | undefined
  /** Highest window there was, among the even ones and the odd: each REVEAL leads to the next of its own. */
  readonly #newest: [even: number, odd: number] = [-1, -1]

  constructor(handshakeHash: Uint8Array, windowFrames: number) {
    this.handshakeHash = handshakeHash
    this.id = handshakeHash.slice(0, SERIES_BYTES)
    this.windowFrames = windowFrames
  }

  get ended(): boolean {
    return this.endedMs !== Number.POSITIVE_INFINITY
  }

  /** 32 bytes for the input of the VRF. */
  get drawHash(): Uint8Array {
    return this.handshakeHash.subarray(0, HANDSHAKE_BYTES)
  }

  /** Highest window that there was. */
  get newest(): number {
    return Math.max(...this.#newest)
  }

  /** The windows that an OPEN_LOT opens, those of its first copy; none where it would reopen a window. */
  open(message: OpenLot, counter: number, odds: () => number): RelayWindow[] {
    const known = this.#opened
    if (known !== undefined && sameCommits(known.message, message)) {
      return [this.windows.get(known.first), this.windows.get(known.first + 1)].filter((one) => one !== undefined)
    }
    const first = Math.floor(counter / this.windowFrames)
    if (this.ended || first <= this.newest) return []
    this.forgetIdle()
    this.#opened = { message, first }
    return message.commits.map((commit, at) => this.#add(first + at, commit, odds()))
  }

  /**
   * Takes r_w where it is what was committed to, once, and announces w + 2. The answer is what w + 2 was announced with,
   * whenever its commitment is the one known; undefined: a REVEAL of no window here, or a false one.
   */
  reveal(crypto: Crypto, message: Reveal, odds: () => number): Announcement | undefined {
    const next = this.windows.get(message.window + 2)
    if (next !== undefined) return equalBytes(next.commit, message.commit) ? next : undefined
    const window = this.windows.get(message.window)
    if (window === undefined || window.secret !== undefined) {
      // Where w + 2 is over and forgotten here, it is answered, so that its payer need not repeat it.
      const isOver = message.window + 2 <= this.#newest[parityOf(message.window)]
      return isOver ? { window: message.window + 2, odds: smallestOdds(this.windowFrames), rank: 0 } : undefined
    }
    if (!equalBytes(commitTo(crypto, message.secret), window.commit)) return undefined
    window.secret = message.secret
    if (window.log === undefined) this.windows.delete(window.window)
    return this.#add(message.window + 2, message.commit, odds())
  }

  /** Forgets windows without frames. */
  forgetIdle(): void {
    for (const [key, { log }] of this.windows) if (log === undefined) this.windows.delete(key)
  }

  #add(window: number, commit: Uint8Array, odds: number): RelayWindow {
    const made: RelayWindow = {
      series: this,
      window,
      commit,
      odds,
      rank: undefined,
      log: undefined,
      costMicro: 0,
      secret: undefined,
      proof: undefined,
      draw: undefined,
      next: 0,
      wins: [],
      worth: 0n,
    }
    this.windows.set(window, made)
    const parity = parityOf(window)
    this.#newest[parity] = Math.max(this.#newest[parity], window)
    return made
  }
}

function parityOf(window: number): 0 | 1 {
  return window % 2 === 0 ? 0 : 1
}

function sameCommits(a: OpenLot, b: OpenLot): boolean {
  return equalBytes(a.commits[0], b.commits[0]) && equalBytes(a.commits[1], b.commits[1])
}
