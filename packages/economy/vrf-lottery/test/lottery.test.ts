import { describe, expect, test } from 'vitest'
import { packetCost, reward } from '../src/index.ts'
import { Pair } from './pair.ts'

/** 10 000 μNXS per packet of 200 bytes, about: e for 5.2e7 per MiB. */
const COST = 410

describe('a payer and a relay', () => {
  test('1 000 packets: what is paid is what the wins are worth, and near the cost', () => {
    for (const seed of ['a', 'b', 'c']) {
      const pair = new Pair({ seed, windowFrames: 256 })
      pair.open()
      for (let packet = 0; packet < 1_000; packet++) expect(pair.packet(200, COST)).toBe(true)
      pair.rekey()
      const { wins, drawn } = pair.relay.counts
      expect(drawn).toBe(1_000)
      // n = 5 for a payer that earned nothing yet: 200 expected, σ = 12.6; these seeds are within 2 σ.
      expect(Math.abs(wins - 200)).toBeLessThan(2 * Math.sqrt(1_000 * 0.2 * 0.8))
      expect(pair.paidMicro).toBe(BigInt(wins) * reward(200, 5, COST))
      expect(pair.paidMicro).toBe(pair.relay.counts.paidMicro)
      expect(pair.refusals).toEqual([])
    }
  })

  test('windows follow each other without a packet that has to wait', () => {
    const pair = new Pair({ windowFrames: 64 })
    pair.open()
    for (let packet = 0; packet < 2_000; packet++) pair.packet(450, COST)
    expect(Object.fromEntries(pair.verdicts)).toEqual({ taken: 2_000 })
    expect(pair.payments).toBeGreaterThan(10)
  })

  test('lost OPEN_LOT, REVEAL and ODDS are repeated: nothing is paid twice, nothing is forgotten', () => {
    const pair = new Pair({ windowFrames: 32, lossRatio: 0.4 })
    pair.open()
    for (let packet = 0; packet < 600; packet++) {
      if (!pair.packet(300, COST)) pair.otherFrame()
      if (packet % 200 === 199) pair.rekey()
    }
    pair.wait(60_000)
    expect(pair.refusals).toEqual([])
    expect(pair.paidMicro).toBe(pair.relay.counts.paidMicro)
    expect(pair.relay.counts.taken).toBeGreaterThan(300)
    expect(pair.relay.counts.drawn).toBe(pair.relay.counts.taken)
    expect(pair.relay.exposureMicro).toBe(0)
    expect(pair.payer.pendingMicro).toBeGreaterThanOrEqual(0)
  })

  test('opened late, among frames of others, it starts with the window of the frame that opens it', () => {
    const pair = new Pair({ windowFrames: 16 })
    pair.counter = 1_000_003
    pair.open()
    for (let packet = 0; packet < 100; packet++) expect(pair.packet(300, COST)).toBe(true)
    for (let frame = 0; frame < 500; frame++) pair.otherFrame()
    for (let packet = 0; packet < 100; packet++) expect(pair.packet(300, COST)).toBe(true)
    pair.rekey()
    expect(pair.relay.counts.drawn).toBe(200)
    expect(pair.paidMicro).toBe(pair.relay.counts.paidMicro)
  })

  test('a reward in whole numbers, its expectation the cost', () => {
    expect(reward(484, 10_000, 640)).toBe((484n * 10_000n * (2n ** 56n - 2n ** 16n)) >> 36n)
    expect(packetCost(1, 16)).toBe(0n)
    for (const cost of [1, 100, 400, 640]) {
      const exact = reward(484, 1_000, cost)
      expect(exact / 1_000n - packetCost(484, cost)).toBeLessThanOrEqual(1n)
    }
  })
})
