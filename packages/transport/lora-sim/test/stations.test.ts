import { describe, expect, test } from 'vitest'
import { Bench, bareChannel, bytes, LAB } from './support.ts'

describe('stations on one channel', () => {
  function meeting(count: number) {
    const bench = new Bench(bareChannel())
    const stations = Array.from({ length: count }, (_, seed) => bench.add(seed + 1))
    for (const a of stations) for (const b of stations) if (a !== b) bench.channel.setPathLoss(a.radio, b.radio, 110)
    return { bench, stations }
  }

  test('frames of every size arrive whole', () => {
    const { bench, stations } = meeting(2)
    const sizes = [1, 254, 255, 400, 508]
    for (const size of sizes) expect(stations[0]!.send(0, bytes(size))).toBe(true)
    bench.run(30_000)
    expect(bench.heard.get(stations[1]!.radio)!.map((heard) => heard.frame)).toEqual(sizes.map((size) => bytes(size)))
    expect(bench.sent.get(stations[0]!.radio)).toBe(5)
  })

  test('two saturated stations share the medium, and most of what they send arrives', () => {
    const { bench, stations } = meeting(3)
    const [a, b, listener] = stations
    bench.run(300_000, () => {
      for (const station of [a!, b!]) if (station.queuedBytes === 0) station.send(bench.nowMs, bytes(200))
    })
    const sent = [bench.sent.get(a!.radio)!, bench.sent.get(b!.radio)!]
    expect(Math.min(...sent) / (sent[0]! + sent[1]!)).toBeGreaterThan(0.35)
    const heard = bench.heard.get(listener!.radio)!.length
    expect(heard / (sent[0]! + sent[1]!)).toBeGreaterThan(0.9)
    // 200 bytes last 343 ms: more than half of the time is used.
    expect(bench.channel.stats.airtimeMs / 300_000).toBeGreaterThan(0.5)
  })

  test('six stations with a frame a second each do better than without listening', () => {
    const delivered = (listening: boolean) => {
      const { bench, stations } = meeting(6)
      let nextMs = 0
      if (listening) {
        bench.run(60_000, () => {
          while (bench.nowMs >= nextMs) {
            for (const station of stations) station.send(bench.nowMs, bytes(20))
            nextMs += 1_000
          }
        })
      } else {
        for (let nowMs = 0; nowMs < 60_000; nowMs += 1_000) {
          bench.channel.advance(nowMs)
          for (const station of stations) bench.channel.transmit(nowMs, station.radio, bytes(21))
        }
      }
      return bench.channel.stats.delivered
    }
    expect(delivered(true)).toBeGreaterThan(100)
    expect(delivered(false)).toBe(0)
  })

  test('with one per cent a station keeps to its share of the hour', () => {
    const bench = new Bench(bareChannel())
    const station = bench.add(1, { ...LAB, dutyCycle: 0.01 })
    bench.run(3_600_000, () => {
      if (station.queuedBytes === 0) station.send(bench.nowMs, bytes(508))
    })
    expect(bench.channel.stats.airtimeMs).toBeLessThanOrEqual(36_000)
    expect(bench.channel.stats.airtimeMs).toBeGreaterThan(35_000)
    expect(bench.channel.stats.dutyRefused).toBe(0)
  })
})
