import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { AirtimeBucket, BandwidthMeter, effectiveCost } from '../src/index.ts'

describe('the bucket of airtime', () => {
  test('over any time no more than 0.9 of it, the bound and one frame', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ waitMs: fc.nat(400), airtimeMs: fc.integer({ min: 1, max: 300 }) }), { maxLength: 200 }),
        (offers) => {
          const bucket = new AirtimeBucket(0, 100)
          const sent: { atMs: number; airtimeMs: number }[] = []
          let nowMs = 0
          for (const { waitMs, airtimeMs } of offers) {
            nowMs += waitMs
            if (bucket.freeAtMs(nowMs) > nowMs) continue
            bucket.spend(nowMs, airtimeMs)
            sent.push({ atMs: nowMs, airtimeMs })
          }
          for (let from = 0; from < sent.length; from++) {
            let used = 0
            for (let to = from; to < sent.length; to++) {
              used += sent[to]!.airtimeMs
              const elapsedMs = sent[to]!.atMs - sent[from]!.atMs
              expect(used).toBeLessThanOrEqual(0.9 * elapsedMs + 100 + 300 + 1e-6)
            }
          }
        },
      ),
    )
  })

  test('is free exactly when it says that it will be', () => {
    const bucket = new AirtimeBucket(0, 20)
    bucket.spend(0, 110)
    const freeMs = bucket.freeAtMs(0)
    expect(freeMs).toBeCloseTo(100, 6)
    expect(bucket.freeAtMs(freeMs - 0.1)).toBeGreaterThan(freeMs - 0.1)
    expect(bucket.freeAtMs(freeMs)).toBe(freeMs)
  })

  test('a clock that falls back fills nothing', () => {
    const bucket = new AirtimeBucket(1_000, 10)
    bucket.spend(1_000, 100)
    const freeMs = bucket.freeAtMs(1_000)
    bucket.freeAtMs(0)
    expect(bucket.freeAtMs(1_000)).toBe(freeMs)
  })
})

/** A medium of `bps` with a sender that always has packets waiting and keeps to `refill` of what it measures, for `ms`. */
let nowMs = 0
function backlogged(meter: BandwidthMeter, bps: number, ms: number, refill = 0.9): number {
  const frameBytes = 508
  const endMs = nowMs + ms
  let freeMs = nowMs
  let sentBytes = 0
  while (nowMs < endMs) {
    const queueBytes = freeMs > nowMs ? frameBytes : 0
    meter.observe(nowMs, queueBytes, queueBytes > 0)
    if (queueBytes > 0) {
      // Looked at again within a twentieth of a frame.
      nowMs += Math.min(freeMs - nowMs, (frameBytes * 8_000) / bps / 20)
      continue
    }
    freeMs = nowMs + (frameBytes * 8_000) / bps
    sentBytes += frameBytes
    meter.handed(nowMs, frameBytes, frameBytes)
    nowMs += (frameBytes * 8_000) / meter.bps / refill
  }
  return (sentBytes * 8_000) / ms
}

describe('the measured rate', () => {
  test.each([1_200, 50_000, 1_000_000])('of a link of %i bit/s stays what it is through an hour of backlog', (bps) => {
    const meter = new BandwidthMeter(bps)
    const sentBps = backlogged(meter, bps, 3_600_000)
    expect(meter.bps / bps).toBeGreaterThan(0.99)
    expect(meter.bps / bps).toBeLessThanOrEqual(1.001)
    expect(sentBps / bps).toBeGreaterThan(0.89)
    expect(sentBps / bps).toBeLessThan(0.91)
  })

  test('comes down to what a slower medium carries, and then leaves a tenth of it free', () => {
    const meter = new BandwidthMeter(64_000)
    backlogged(meter, 40_000, 600_000)
    expect(meter.bps / 40_000).toBeGreaterThan(0.95)
    expect(meter.bps / 40_000).toBeLessThan(1.15)
    expect(backlogged(meter, 40_000, 600_000) / 40_000).toBeGreaterThan(0.85)
  })

  test('grows again once the medium does, up to the nominal rate and no further', () => {
    const meter = new BandwidthMeter(64_000)
    backlogged(meter, 20_000, 600_000)
    expect(meter.bps).toBeLessThan(24_000)
    backlogged(meter, 64_000, 600_000)
    expect(meter.bps).toBeGreaterThan(60_000)
    backlogged(meter, 1_000_000, 600_000)
    expect(meter.bps).toBe(64_000)
  })

  test('grows only after five minutes in which the medium kept up', () => {
    const meter = new BandwidthMeter(64_000)
    meter.spent(0, 60_000)
    expect(meter.bps).toBeCloseTo(32_000, 6)
    const keepUp = (fromMs: number, untilMs: number): void => {
      for (let atMs = fromMs; atMs < untilMs; atMs += 500) {
        meter.observe(atMs, 0, false)
        meter.handed(atMs, 508, 508)
      }
    }
    keepUp(0, 300_000)
    expect(meter.bps).toBeCloseTo(32_000, 6)
    // Held back once: the five minutes begin again.
    meter.observe(300_000, 508, true)
    meter.observe(300_500, 0, true)
    keepUp(301_000, 600_000)
    expect(meter.bps).toBeLessThan(33_000)
    keepUp(600_000, 612_000)
    expect(meter.bps).toBeGreaterThan(34_000)
  })

  test('is right also where a kernel hides some frames, and shows one only when it is full', () => {
    const meter = new BandwidthMeter(64_000)
    const [frameBytes, bps, hiddenFrames] = [508, 44_000, 4]
    const frameMs = (frameBytes * 8_000) / bps
    // Frames in the kernel as of `atMs`, and whether one more waits outside of it until half are gone.
    let [inside, outside, atMs, debtMs] = [0, 0, nowMs, 0]
    const work = (): void => {
      inside = Math.max(0, inside - (nowMs - atMs) / frameMs)
      atMs = nowMs
      if (outside > 0 && inside <= hiddenFrames / 2) {
        inside += outside
        outside = 0
      }
    }
    for (const endMs = nowMs + 900_000; nowMs < endMs; nowMs += 2) {
      work()
      debtMs = Math.max(0, debtMs - 0.9 * 2)
      if (debtMs > 0) continue
      meter.observe(nowMs, outside * frameBytes, outside > 0)
      if (outside > 0) continue
      debtMs += (frameBytes * 8_000) / meter.bps
      if (inside + 1 <= hiddenFrames) inside++
      else outside++
      meter.handed(nowMs, frameBytes, outside * frameBytes)
    }
    expect(meter.bps / bps).toBeGreaterThan(0.95)
    expect(meter.bps / bps).toBeLessThan(1.15)
  })

  test('has a floor, and half of what it knew is gone in 60 s of airtime', () => {
    const meter = new BandwidthMeter(64_000)
    for (let n = 0; n < 60; n++) meter.spent(0, 1_000)
    expect(meter.bps).toBeCloseTo(32_000, 6)
    for (let n = 0; n < 6_000; n++) meter.spent(0, 1_000)
    expect(meter.bps).toBe(4_000)
  })

  test('nothing is learnt from a medium that may have been idle, nor while nothing waits', () => {
    const meter = new BandwidthMeter(64_000)
    for (let n = 0; n < 1_000; n++) {
      meter.handed(n * 1_000, 508, 508)
      meter.observe(n * 1_000 + 900, 0, false)
    }
    expect(meter.bps).toBe(64_000)
    for (let n = 1_000; n < 2_000; n++) {
      meter.handed(n * 1_000, 508, 508)
      meter.pause()
      meter.observe(n * 1_000 + 900, 100, false)
    }
    expect(meter.bps).toBe(64_000)
  })

  test('another medium starts anew', () => {
    const meter = new BandwidthMeter(64_000)
    backlogged(meter, 10_000, 600_000)
    meter.reset(9_600)
    expect([meter.bps, meter.nominalBps]).toEqual([9_600, 9_600])
    expect(() => meter.reset(0)).toThrow(RangeError)
    expect(() => new BandwidthMeter(Number.NaN)).toThrow(RangeError)
  })
})

describe('what a fuller queue costs', () => {
  test('what the vectors say', () => {
    const file = new URL('../../../../conformance-vectors/congestion/congestion.effectiveCost.json', import.meta.url)
    for (const { in: given, out } of JSON.parse(readFileSync(file, 'utf8')).cases) {
      expect({ cost: effectiveCost(given.base, given.fill) }).toEqual(out)
    }
  })

  test('the base up to a half, then base × (1 + fill²)', () => {
    expect(effectiveCost(1_000, 0)).toBe(1_000)
    expect(effectiveCost(1_000, 0.5)).toBe(1_000)
    expect(effectiveCost(1_000, 0.6)).toBeCloseTo(1_360, 9)
    expect(effectiveCost(1_000, 0.75)).toBe(1_562.5)
    expect(effectiveCost(1_000, 1)).toBe(2_000)
    expect(effectiveCost(0, 1)).toBe(0)
    for (const fill of [-0.1, 1.1, Number.NaN]) expect(() => effectiveCost(1, fill)).toThrow(RangeError)
    expect(() => effectiveCost(-1, 0)).toThrow(RangeError)
  })
})
