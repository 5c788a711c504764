import { describe, expect, test } from 'vitest'
import { CLAIM_REFUSED, chooseOdds, decodeClaim, QuoteBook, SERIES_KEPT_MS, WINDOWS_REMEMBERED } from '../src/index.ts'
import { QUOTES_MAX, SERIES_MAX } from '../src/limits.ts'
import { Traffic } from '../src/odds-policy.ts'
import { Pair } from './pair.ts'

const COST = 410

/** Claims are made one at a time and never answered: the channel is busy. */
class BusyPair extends Pair {
  override claim(): void {
    this.relay.nextClaim()
  }
}

describe('memory', () => {
  test('a relay takes no more before its payer forgets, and tickets that nobody redeems expire as owed', () => {
    const pair = new BusyPair({ seed: 'busy' })
    pair.open()
    for (let packet = 0; packet < 256 * 12; packet++) if (!pair.packet(300, COST)) pair.otherFrame()
    expect(pair.relay.counts.taken).toBe(256 * WINDOWS_REMEMBERED)
    expect(Object.fromEntries(pair.verdicts)).toEqual({ taken: 2_048, 'not-ready': 1_024 })
    // The claim of the oldest window still holds: nothing was handed over that could push it out of the memory.
    const claimed = pair.relay.claimed!
    expect(pair.payer.judge(claimed.body)).toEqual({ ok: true, minimumPrice: claimed.expectedMicro })
    const owed = pair.relay.exposureMicro
    pair.payer.endSeries(pair.nowMs, pair.handshakeHash)
    pair.relay.endSeries(pair.nowMs, pair.handshakeHash)
    pair.settle()
    pair.wait(SERIES_KEPT_MS + 1)
    expect(pair.relay.claimed).toBeUndefined()
    expect(pair.relay.counts.expiredMicro).toBeGreaterThan(0n)
    expect(pair.relay.exposureMicro).toBeCloseTo(owed, -3)
    expect(pair.payer.judge(claimed.body)).toEqual({ ok: false, code: CLAIM_REFUSED.unknownWindow })
    expect(pair.payer.pendingMicro).toBe(0)
  })

  test('a relay that is paid late goes on by itself', () => {
    const pair = new BusyPair({ seed: 'late' })
    pair.open()
    for (let packet = 0; packet < 256 * 12; packet++) if (!pair.packet(300, COST)) pair.otherFrame()
    for (let claim = pair.relay.claimed; claim !== undefined; claim = pair.relay.nextClaim()) {
      expect(pair.payer.judge(claim.body).ok).toBe(true)
      pair.payer.honoured(claim.body)
      pair.relay.claimPaid(claim.expectedMicro)
    }
    pair.settle()
    expect(pair.packet(300, COST)).toBe(true)
  })

  test('a payer remembers the frames of eight windows', () => {
    const pair = new Pair({ seed: 'eight', windowFrames: 16 })
    const bodies: Uint8Array[] = []
    pair.claim = () => {
      for (let claim = pair.relay.nextClaim(); claim !== undefined; claim = pair.relay.nextClaim()) {
        bodies.push(claim.body)
        pair.relay.claimPaid(claim.expectedMicro)
      }
    }
    pair.open()
    for (let packet = 0; packet < 16 * 40; packet++) expect(pair.packet(300, COST)).toBe(true)
    const windows = bodies.map((body) => decodeClaim(body)[0]!.window)
    const verdicts = bodies.map((body) => pair.payer.judge(body).ok)
    expect(windows.length).toBeGreaterThan(10)
    for (const [at, window] of windows.entries()) expect(verdicts[at]).toBe(window >= 40 - WINDOWS_REMEMBERED)
  })

  test('paid within the memory of a link that ended, by the next one', () => {
    const pair = new Pair({ seed: 'next link' })
    pair.open()
    for (let packet = 0; packet < 200; packet++) pair.packet(300, COST)
    expect(pair.paidMicro).toBe(0n)
    pair.rekey()
    expect(pair.paidMicro).toBeGreaterThan(0n)
    expect(pair.relay.exposureMicro).toBe(0)
  })

  test('of debts: what is paid after all is owed no more, the oldest first', () => {
    const owedMicro = new Map([
      [0, 300],
      [1, 500],
    ])
    const pair = new Pair({ seed: 'late', standing: { paidPackets: 4, owedMicro } })
    pair.relay.epochIs(1)
    pair.relay.paidLate(400n)
    expect(pair.relay.exposureMicro).toBe(400)
    pair.relay.epochIs(2)
    expect(pair.relay.exposureMicro).toBe(400)
    pair.relay.paidLate(9_000n)
    expect(pair.relay.exposureMicro).toBe(0)
    expect(pair.relay.standing).toEqual({ paidPackets: 4, owedMicro: new Map() })
    expect(pair.relay.counts.paidMicro).toBe(9_400n)
  })

  test('series: eight, of which ended ones give way', () => {
    const pair = new Pair({ seed: 'series' })
    for (let key = 0; key < 3 * SERIES_MAX; key++) {
      pair.open()
      for (let packet = 0; packet < 5; packet++) expect(pair.packet(300, COST)).toBe(true)
      pair.rekey()
    }
    const hashes = Array.from({ length: SERIES_MAX + 2 }, () => pair.random(64))
    const fresh = new Pair({ seed: 'fresh' })
    const opened = hashes.map((hash) => fresh.payer.openSeries(0, hash, 256, 0))
    expect(opened.filter(Boolean).length).toBe(SERIES_MAX)
    fresh.payer.endSeries(0, hashes[0]!)
    expect(fresh.payer.openSeries(0, hashes[SERIES_MAX]!, 256, 0)).toBe(true)
  })

  test('claims of short packets are joined, four windows at the most', () => {
    const pair = new Pair({ seed: 'short', windowFrames: 16 })
    const counts: number[] = []
    const judge = pair.payer.judge.bind(pair.payer)
    pair.payer.judge = (body) => {
      counts.push(decodeClaim(body).length)
      return judge(body)
    }
    pair.open()
    for (let packet = 0; packet < 16 * 40; packet++) expect(pair.packet(100, COST)).toBe(true)
    pair.rekey()
    expect(Math.max(...counts)).toBe(4)
    expect(pair.refusals).toEqual([])
    expect(pair.relay.exposureMicro).toBe(0)
  })

  test('quotes: the lowest of this window and the one before, and a bounded book', () => {
    const book = new QuoteBook()
    expect(book.lowest('d')).toBeUndefined()
    book.quote('d', 100)
    book.quote('d', 200)
    expect(book.lowest('d')).toBe(100)
    const [first, second] = [new Uint8Array(64), new Uint8Array(64).fill(1)]
    book.turnTo(first, 0)
    book.turnTo(first, 1)
    expect(book.lowest('d')).toBe(100)
    book.turnTo(first, 2)
    expect(book.lowest('d')).toBe(200)
    book.quote('d', 300)
    book.quote('d', 250)
    book.turnTo(first, 2)
    expect(book.lowest('d')).toBe(200)
    // Another key: its first window follows the last one of the key before, whose late frames change nothing.
    book.turnTo(second, 0)
    book.turnTo(first, 2)
    expect(book.lowest('d')).toBe(200)
    book.turnTo(second, 1)
    expect(book.lowest('d')).toBe(250)
    // Windows of which no frame was seen have passed too.
    book.quote('d', 400)
    book.turnTo(second, 3)
    expect(book.lowest('d')).toBe(400)
    book.quote('d', undefined)
    expect(book.lowest('d')).toBeUndefined()
    for (let at = 0; at < QUOTES_MAX + 10; at++) book.quote(`${at}`, 5)
    expect(book.size).toBe(QUOTES_MAX)
    expect(book.lowest('0')).toBeUndefined()
    expect(book.lowest(`${QUOTES_MAX}`)).toBe(5)
  })
})

describe('odds', () => {
  test('follow the traffic, between their bounds, as far as they are earned', () => {
    expect(chooseOdds(256, undefined, 0)).toBe(5)
    expect(chooseOdds(16_384, undefined, 0)).toBe(128)
    expect(chooseOdds(256, undefined, 1e6)).toBe(100)
    expect(chooseOdds(16_384, undefined, 1e6)).toBe(128)
    expect(chooseOdds(256, 30, 1e6)).toBe(300)
    expect(chooseOdds(256, 30, 400)).toBe(100)
    expect(chooseOdds(256, 0, 1e6)).toBe(5)
    expect(chooseOdds(256, 1e9, 1e9)).toBe(10_000)
  })

  test('are averaged over five whole minutes, silent ones too', () => {
    const traffic = new Traffic()
    expect(traffic.perMinute(0)).toBeUndefined()
    for (let at = 0; at < 120; at++) traffic.count(at * 1_000)
    expect(traffic.perMinute(120_000)).toBe(60)
    expect(traffic.perMinute(300_000)).toBe(24)
    expect(traffic.perMinute(360_000)).toBe(12)
    expect(traffic.perMinute(3_600_000)).toBe(0)
  })
})
