import { describe, expect, test } from 'vitest'
import { Draw, FrameLog, packetCost, reward } from '../src/index.ts'
import { crypto, Pair, relativeBound, slowCrypto } from './pair.ts'

const COST = 410
const LENGTH = 300

describe('what is paid is the cost', () => {
  test.each([10, 100, 1_000])('over 10^6 draws at 1/%i within 4σ', (odds) => {
    const draws = 1_000_000
    const windowFrames = 16_384
    const random = new Pair({ seed: `fair ${odds}` }).random
    let paid = 0n
    let drawn = 0
    for (let window = 0; drawn < draws; window++) {
      const draw = new Draw(crypto, random(64), window * windowFrames, odds)
      const log = new FrameLog(windowFrames)
      const hashes = random(8 * windowFrames)
      for (let offset = 0; offset < windowFrames && drawn < draws; offset++, drawn++) {
        log.note(offset, hashes.subarray(8 * offset), LENGTH, COST)
        if (draw.wins(log, offset)) paid += reward(LENGTH, odds, COST)
      }
    }
    const ratio = Number(paid) / (draws * Number(packetCost(LENGTH, COST)))
    expect(Math.abs(ratio - 1)).toBeLessThan(relativeBound(odds, draws))
  })

  test('both providers draw the same tickets', () => {
    const random = new Pair({ seed: 'providers' }).random
    const beta = random(64)
    const log = new FrameLog(256)
    for (let offset = 0; offset < 256; offset++) log.note(offset, random(8), LENGTH, COST)
    // A counter above 2^32, as window 16 777 217 of a wide link has it.
    const first = 16_777_217 * 16_384
    const [fast, slow] = [crypto, slowCrypto].map((one) => new Draw(one, beta, first, 10))
    const winners = Array.from({ length: 256 }, (_, offset) => fast!.wins(log, offset))
    expect(winners).toEqual(Array.from({ length: 256 }, (_, offset) => slow!.wins(log, offset)))
    expect(winners.filter(Boolean).length).toBeGreaterThan(5)
  })

  test('a link with mixed prices and lengths, odds that rise with what was paid: within 4σ', () => {
    const pair = new Pair({ seed: 'mixed' })
    pair.open()
    let variance = 0
    for (let packet = 0; packet < 20_000; packet++) {
      const [length, cost] = [40 + (packet % 440), 300 + (packet % 200)]
      pair.packet(length, cost)
      pair.nowMs += 20
      // n is at most 10 000 · …; the odds of the window are not ours to see, so the largest seen bounds the deviation.
      variance += Number(packetCost(length, cost)) ** 2
    }
    pair.rekey()
    const error = Number(pair.paidMicro - pair.costMicro)
    expect(pair.relay.counts.taken).toBe(20_000)
    expect(Math.abs(error)).toBeLessThan(4 * Math.sqrt(variance * 10_000))
    expect(pair.refusals).toEqual([])
  })

  test('payments only for wins: about one in ten minutes at a steady rate, once it is earned', () => {
    const pair = new Pair({ seed: 'steady', standing: { paidPackets: 1_000_000, owedMicro: new Map() } })
    pair.open()
    // 30 packets a minute for 24 hours: n = 300, 0.1 payments a minute.
    for (let packet = 0; packet < 43_200; packet++) {
      pair.packet(400, COST)
      pair.nowMs += 2_000
    }
    expect(pair.payments).toBeGreaterThan(80)
    expect(pair.payments).toBeLessThan(190)
    // OPEN_LOT, REVEAL and ODDS, with a data frame's 5 + 1 + 16 bytes around each, and 0.5 % of 1 kbit/s for a day.
    const frames = 2 * Math.ceil(43_200 / 256) + 3
    expect(pair.messageBytes + 22 * frames).toBeLessThan(0.005 * 125 * 86_400)
  })
})
