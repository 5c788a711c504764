import { equalBytes } from '@nexus/codec'
import { encodeClaim, windowClaimBytes } from './claim.ts'
import { Draw, drawInput } from './draw.ts'
import { FrameLog } from './frame-log.ts'
import {
  CLAIM_BYTES_MAX,
  CLAIM_WINDOWS_MAX,
  CLAIM_WINS_MAX,
  JOIN_BELOW_BYTES,
  SERIES_BYTES,
  SERIES_KEPT_MS,
  SERIES_MAX,
  WINDOWS_REMEMBERED,
} from './limits.ts'
import { encodeLotteryMessage, type OpenLot, type Reveal } from './messages.ts'
import { chooseOdds, Traffic } from './odds-policy.ts'
import { Owed } from './owed.ts'
import { packetCostMicro, reward } from './price.ts'
import type { Claim, RelayCounts, RelayOptions, RelayPorts, RelayStanding, TakeVerdict } from './relay-ports.ts'
import { type Announcement, RelaySeries, type RelayWindow } from './relay-series.ts'

/** Tickets that one proof costs as much time as. */
const PROOF_TICKETS = 256

/**
 * One direction of the lottery, on the side that takes packets from a neighbour and is paid for them: it fixes odds, notes
 * packets in passing, draws later, and claims (docs/spec/vrf-lottery.md). A core without I/O, for one neighbour across all
 * its links; `nowMs` never falls.
 */
export class LotteryRelay {
  readonly counts: RelayCounts = {
    taken: 0,
    refused: 0,
    drawn: 0,
    wins: 0,
    paidMicro: 0n,
    refusedClaims: 0,
    expiredMicro: 0n,
    falseReveals: 0,
  }
  readonly #options: RelayOptions
  readonly #ports: RelayPorts
  readonly #traffic = new Traffic()
  readonly #series: RelaySeries[] = []
  /** Windows with frames that are neither paid nor given up, oldest first. */
  readonly #unpaid: RelayWindow[] = []
  readonly #owed: Owed
  #claimed: { readonly claim: Claim; readonly windows: readonly RelayWindow[] } | undefined
  #paidPackets: number
  #pendingMicro = 0
  /** What the packet seen last would win. */
  #winMicro = 0
  /** Windows announced since the start. */
  #announced = 0

  constructor(options: RelayOptions, ports: RelayPorts) {
    this.#options = options
    this.#ports = ports
    this.#owed = new Owed(options.epoch, options.standing?.owedMicro)
    this.#paidPackets = options.standing?.paidPackets ?? 0
  }

  /** Expected cost, in μNXS, of what was taken and is neither paid nor forgiven: counts against the exposure limit. */
  get exposureMicro(): number {
    return this.#pendingMicro + this.#owed.micro
  }

  /** What to keep of this neighbour between runs: windows under way count as owed. */
  get standing(): RelayStanding {
    return { paidPackets: this.#paidPackets, owedMicro: this.#owed.with(this.#pendingMicro) }
  }

  /**
   * OPEN_LOT or REVEAL came from the payer: the handshake hash and counter are those of the frame that carried it, the
   * windows those of the payer's link parameters.
   */
  receive(
    nowMs: number,
    handshakeHash: Uint8Array,
    counter: number,
    windowFrames: number,
    message: OpenLot | Reveal,
  ): void {
    const odds = (): number => chooseOdds(windowFrames, this.#traffic.perMinute(nowMs), this.#paidPackets)
    if (message.kind === 'open-lot') {
      if (!equalBytes(message.series, handshakeHash.subarray(0, SERIES_BYTES))) return
      const series = this.#find(handshakeHash) ?? this.#add(handshakeHash, windowFrames)
      for (const window of series?.open(message, counter, odds) ?? []) this.#announce(window.series, window)
      return
    }
    const series = this.#findById(message.series)
    if (series === undefined) return
    const announcement = series.reveal(this.#options.crypto, message, odds)
    if (announcement === undefined) this.counts.falseReveals++
    else this.#announce(series, announcement)
  }

  /**
   * A priced packet came: whether it may be forwarded on credit. Takes note of it and draws nothing, in constant time.
   * `quote` is the lowest encoded cost given to this neighbour for the destination in this window or the one before.
   */
  take(
    nowMs: number,
    handshakeHash: Uint8Array,
    counter: number,
    packetHash: Uint8Array,
    lengthBytes: number,
    quote: number,
  ): TakeVerdict {
    const verdict = this.#take(handshakeHash, counter, packetHash, lengthBytes, quote)
    if (verdict === 'taken') {
      this.counts.taken++
      this.#traffic.count(nowMs)
    } else this.counts.refused++
    return verdict
  }

  /** Draws up to so many tickets of revealed windows, off the forwarding path. Whether more wait. */
  draw(ticketsMax: number): boolean {
    let left = ticketsMax
    for (const window of [...this.#unpaid]) {
      if (window.secret === undefined || window.log === undefined || window.next >= window.series.windowFrames) continue
      if (left <= 0) return true
      if (window.draw === undefined) {
        this.#prepare(window, window.secret)
        left -= PROOF_TICKETS
      }
      left -= this.#drawSome(window, window.log, Math.max(left, 1))
      if (window.next < window.series.windowFrames) return true
      this.#conclude(window)
    }
    return false
  }

  /**
   * The next claim, where one is due: one at a time, until its outcome is told. Claims of short packets wait for those of
   * the next windows, four at the most.
   */
  nextClaim(): Claim | undefined {
    if (this.#claimed !== undefined) return undefined
    const windows: RelayWindow[] = []
    let bytes = 0
    let full = false
    for (const window of this.#unpaid) {
      if (window.worth === 0n) continue
      const more = windowClaimBytes(window.wins.length)
      full = windows.length === CLAIM_WINDOWS_MAX || bytes + more > CLAIM_BYTES_MAX
      if (full) break
      windows.push(window)
      bytes += more
    }
    const oldest = windows[0]
    if (oldest === undefined || (!full && windows.length < CLAIM_WINDOWS_MAX && mayWait(oldest))) return undefined
    const body = encodeClaim(
      windows.map(({ series, window, wins, proof }) => ({ series: series.id, window, offsets: wins, proof: proof! })),
    )
    const expectedMicro = windows.reduce((sum, { worth }) => sum + worth, 0n)
    const packets = windows.reduce((sum, { log }) => sum + (log?.count ?? 0), 0)
    const claim = { body, expectedMicro, packets }
    this.#claimed = { claim, windows }
    return claim
  }

  /** The claim under way, if there is one. */
  get claimed(): Claim | undefined {
    return this.#claimed?.claim
  }

  /** The claim under way was paid: both signed. What it lacks stays owed, and then its packets earn no odds. */
  claimPaid(paidMicro: bigint): void {
    const { claim, windows } = this.#endClaim()
    this.counts.paidMicro += paidMicro
    const lackingMicro = claim.expectedMicro - paidMicro
    if (lackingMicro > 0n) this.#owed.add(Number(lackingMicro))
    for (const window of windows) this.#close(window, lackingMicro > 0n ? 'paid-less' : 'paid')
  }

  /** A payment came for what was given up here, or claimed by an earlier run: so much is owed no more. */
  paidLate(paidMicro: bigint): void {
    this.counts.paidMicro += paidMicro
    this.#owed.pay(Number(paidMicro))
  }

  /** The payer refused the claim under way: its packets stay owed until they are forgiven. */
  claimRefused(): void {
    this.counts.refusedClaims++
    for (const window of this.#endClaim().windows) this.#close(window, 'unpaid')
  }

  /** The claim under way came to no outcome, such as by a restart of the payer: it is made again. */
  claimLost(): void {
    this.#claimed = undefined
  }

  /** The link is down, or the neighbour uses another key now. */
  endSeries(nowMs: number, handshakeHash: Uint8Array): void {
    const series = this.#find(handshakeHash)
    if (series === undefined || series.ended) return
    series.endedMs = nowMs
  }

  /** What was owed before the last whole epoch is forgiven. */
  epochIs(epoch: number): void {
    this.#owed.epochIs(epoch)
  }

  /** Gives up what its payer has forgotten. */
  tick(nowMs: number): void {
    for (const series of [...this.#series]) {
      if (nowMs >= series.endedMs + SERIES_KEPT_MS) this.#forget(series)
    }
  }

  /** When {@link tick} has something to do; Infinity: never. */
  nextWakeMs(): number {
    let wakeMs = Number.POSITIVE_INFINITY
    for (const { endedMs } of this.#series) wakeMs = Math.min(wakeMs, endedMs + SERIES_KEPT_MS)
    return wakeMs
  }

  #take(
    handshakeHash: Uint8Array,
    counter: number,
    packetHash: Uint8Array,
    lengthBytes: number,
    quote: number,
  ): TakeVerdict {
    const series = this.#find(handshakeHash)
    const window = series?.windows.get(Math.floor(counter / series.windowFrames))
    if (series === undefined || series.ended || window?.rank === undefined) return 'no-odds'
    if (window.secret !== undefined) return 'revealed'
    const costMicro = packetCostMicro(lengthBytes, quote)
    if (!(lengthBytes >= 1 && lengthBytes <= 0xffff && costMicro > 0)) {
      throw new RangeError(`a priced packet of ${lengthBytes} bytes at ${quote}`)
    }
    this.#winMicro = costMicro * window.odds
    if (!this.#mayOwe()) return 'credit'
    if (window.log === undefined) {
      window.log = new FrameLog(series.windowFrames)
      this.#unpaid.push(window)
    }
    if (!window.log.note(counter % series.windowFrames, packetHash, lengthBytes, quote)) return 'repeated'
    window.costMicro += costMicro
    this.#pendingMicro += costMicro
    return 'taken'
  }

  /**
   * Sends the odds of a window, where its frames could be paid for: not while its payer might forget an unpaid window over
   * it, or owes too much. The payer asks again, and hands over nothing until it is answered.
   */
  #announce(series: RelaySeries, announcement: Announcement): void {
    if (announcement.rank === undefined) {
      const oldest = this.#unpaid[0]?.rank
      if (!this.#mayOwe() || (oldest !== undefined && this.#announced - oldest >= WINDOWS_REMEMBERED)) return
      announcement.rank = this.#announced++
    }
    const { window, odds } = announcement
    this.#ports.send(encodeLotteryMessage({ kind: 'odds', series: series.id, window, odds }))
  }

  /** Whether this neighbour may owe another win like the last one at stake. */
  #mayOwe(): boolean {
    return this.exposureMicro + this.#winMicro <= this.#ports.creditMicro()
  }

  #prepare(window: RelayWindow, secret: Uint8Array): void {
    const { crypto, prove } = this.#options
    const { series, odds } = window
    window.proof = prove(drawInput(series.drawHash, window.window, secret))
    const beta = crypto.vrfHash(window.proof)
    if (beta === undefined) throw new Error('lottery: a proof of our own has no output')
    window.draw = new Draw(crypto, beta, window.window * series.windowFrames, odds)
  }

  /** Draws from where the window stands; the number of tickets drawn. */
  #drawSome(window: RelayWindow, log: FrameLog, ticketsMax: number): number {
    let drawn = 0
    for (; window.next < window.series.windowFrames && drawn < ticketsMax; window.next++) {
      const lengthBytes = log.lengthAt(window.next)
      if (lengthBytes === 0) continue
      drawn++
      if (!window.draw!.wins(log, window.next) || window.wins.length === CLAIM_WINS_MAX) continue
      window.wins.push(window.next)
      window.worth += reward(lengthBytes, window.odds, log.quoteAt(window.next))
    }
    this.counts.drawn += drawn
    return drawn
  }

  /** All tickets of a window are drawn; without a win worth anything it is paid. */
  #conclude(window: RelayWindow): void {
    this.counts.wins += window.wins.length
    if (window.worth === 0n) this.#close(window, 'paid')
  }

  #endClaim(): { readonly claim: Claim; readonly windows: readonly RelayWindow[] } {
    const claimed = this.#claimed
    if (claimed === undefined) throw new TypeError('no claim is under way')
    this.#claimed = undefined
    return claimed
  }

  #close(window: RelayWindow, outcome: 'paid' | 'paid-less' | 'unpaid'): void {
    const at = this.#unpaid.indexOf(window)
    if (at >= 0) this.#unpaid.splice(at, 1)
    window.series.windows.delete(window.window)
    this.#pendingMicro = this.#unpaid.length === 0 ? 0 : this.#pendingMicro - window.costMicro
    if (outcome === 'paid') this.#paidPackets += window.log?.count ?? 0
    else if (outcome === 'unpaid') this.#owed.add(window.costMicro)
    for (const series of this.#series) {
      for (const next of series.windows.values()) if (next.rank === undefined) this.#announce(series, next)
    }
  }

  #add(handshakeHash: Uint8Array, windowFrames: number): RelaySeries | undefined {
    if (this.#series.length >= SERIES_MAX) {
      const ended = this.#series.find((series) => series.ended)
      if (ended === undefined) return undefined
      this.#forget(ended)
    }
    const series = new RelaySeries(handshakeHash, windowFrames)
    this.#series.push(series)
    return series
  }

  #forget(series: RelaySeries): void {
    this.#series.splice(this.#series.indexOf(series), 1)
    if (this.#claimed?.windows.some((window) => window.series === series)) this.#claimed = undefined
    for (const window of [...this.#unpaid]) {
      if (window.series !== series) continue
      this.counts.expiredMicro += window.worth
      this.#close(window, 'unpaid')
    }
  }

  #find(handshakeHash: Uint8Array): RelaySeries | undefined {
    for (const series of this.#series) if (series.handshakeHash === handshakeHash) return series
    return this.#findById(handshakeHash.subarray(0, SERIES_BYTES))
  }

  #findById(id: Uint8Array): RelaySeries | undefined {
    for (let at = this.#series.length - 1; at >= 0; at--) {
      if (equalBytes(this.#series[at]!.id, id)) return this.#series[at]
    }
    return undefined
  }
}

/** Whether the claim of a window may wait for the next ones: its packets are short, and its payer keeps it for a while. */
function mayWait({ series, window, log }: RelayWindow): boolean {
  if (series.ended || log === undefined || log.bytes >= JOIN_BELOW_BYTES * log.count) return false
  return series.newest - 2 - window < CLAIM_WINDOWS_MAX
}
