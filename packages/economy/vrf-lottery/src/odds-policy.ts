import { ODDS_MAX, ODDS_PER_PACKET_RATE, ODDS_START, PACKETS_PER_ODDS, TRAFFIC_MINUTES } from './limits.ts'
import { smallestOdds } from './price.ts'

const MINUTE_MS = 60_000

/** Priced packets of the last five whole minutes, for the odds. */
export class Traffic {
  readonly #counts = new Float64Array(TRAFFIC_MINUTES + 1)
  #firstMinute: number | undefined
  #minute = 0

  count(nowMs: number): void {
    this.#turn(nowMs)
    this.#counts[this.#minute % this.#counts.length]! += 1
  }

  /** Packets a minute, averaged over the whole minutes seen of the last five; undefined before the first one ended. */
  perMinute(nowMs: number): number | undefined {
    if (this.#firstMinute === undefined) return undefined
    this.#turn(nowMs)
    const minutes = Math.min(this.#minute - this.#firstMinute, TRAFFIC_MINUTES)
    if (minutes === 0) return undefined
    let sum = 0
    for (let back = 1; back <= minutes; back++) sum += this.#counts[(this.#minute - back) % this.#counts.length]!
    return sum / minutes
  }

  #turn(nowMs: number): void {
    const minute = Math.floor(nowMs / MINUTE_MS)
    if (this.#firstMinute === undefined) {
      this.#firstMinute = minute
      this.#minute = minute
    }
    const silent = Math.min(minute - this.#minute, this.#counts.length)
    for (let ahead = 1; ahead <= silent; ahead++) this.#counts[(this.#minute + ahead) % this.#counts.length] = 0
    this.#minute = Math.max(this.#minute, minute)
  }
}

/**
 * n for a window that is announced now (docs/spec/vrf-lottery.md): ten times the packets a minute, or 100 while those are
 * unknown, between the smallest for the window and 10 000; and no more than a quarter of the packets that this payer paid
 * for.
 */
export function chooseOdds(windowFrames: number, packetsPerMinute: number | undefined, paidPackets: number): number {
  const least = smallestOdds(windowFrames)
  const wanted = packetsPerMinute === undefined ? ODDS_START : Math.round(ODDS_PER_PACKET_RATE * packetsPerMinute)
  const earned = Math.floor(paidPackets / PACKETS_PER_ODDS)
  return Math.min(Math.max(least, Math.min(wanted, earned)), ODDS_MAX)
}
