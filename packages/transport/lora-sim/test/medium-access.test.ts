import { type Medium, MediumAccess } from '@nexus/transport-lora-sim'
import { describe, expect, test } from 'vitest'
import { Bench, bareChannel, bytes, LAB, seeded } from './support.ts'

/** A medium that is busy as often as it is told to be. */
function scripted(busy: boolean[], dutyWaits: number[] = []) {
  const log: string[] = []
  const medium: Medium = {
    busySince: (nowMs, sinceMs) => {
      log.push(`listen ${sinceMs}-${nowMs}`)
      return busy.shift() ?? false
    },
    airtimeMs: (packets) => 100 * packets.length,
    dutyWaitMs: () => dutyWaits.shift() ?? 0,
    transmit: (nowMs, packet) => {
      log.push(`send ${packet[0]} at ${nowMs}`)
      return nowMs + 100
    },
  }
  const reports: string[] = []
  const access = new MediumAccess({ random: seeded(1), slotMs: 1_000, queueBytesMax: 10 }, medium, {
    sent: (nowMs) => reports.push(`sent ${nowMs}`),
    dropped: (nowMs, reason) => reports.push(`${reason} ${nowMs}`),
  })
  const run = () => {
    const wakes: number[] = []
    for (let nowMs = access.nextWakeMs(); nowMs < Number.POSITIVE_INFINITY; nowMs = access.nextWakeMs()) {
      wakes.push(nowMs)
      access.tick(nowMs)
    }
    return wakes
  }
  return { access, log, reports, run }
}

describe('medium access', () => {
  test('a quiet medium: listens 5 ms, sends all packets of the frame without a gap', () => {
    const { access, log, reports, run } = scripted([])
    access.enqueue(0, [Uint8Array.of(1), Uint8Array.of(2)])
    run()
    expect(log).toEqual(['listen 0-5', 'send 1 at 5', 'send 2 at 105'])
    expect(reports).toEqual(['sent 205'])
    expect(access.queuedBytes).toBe(0)
  })

  test('a busy medium: waits 1 … 2^attempt slots, drops at the seventh', () => {
    const { access, log, reports, run } = scripted(Array.from({ length: 7 }, () => true))
    access.enqueue(0, [Uint8Array.of(1)])
    access.enqueue(0, [Uint8Array.of(2)])
    run()
    const listens = log
      .filter((entry) => entry.startsWith('listen'))
      .map((entry) => Number(entry.slice(7).split('-')[0]))
    expect(listens).toHaveLength(8)
    for (let attempt = 1; attempt <= 6; attempt++) {
      const slots = (listens[attempt]! - listens[attempt - 1]! - 5) / 1_000
      expect(Number.isInteger(slots) && slots >= 1 && slots <= 2 ** attempt).toBe(true)
    }
    expect(reports[0]).toBe(`medium-busy ${listens[6]! + 5}`)
    expect(log.filter((entry) => entry.startsWith('send'))).toEqual([`send 2 at ${listens[7]! + 5}`])
  })

  test('the slots are spread over the whole range', () => {
    const seen = new Set<number>()
    for (let seed = 1; seed <= 200; seed++) {
      let first = true
      const access = new MediumAccess(
        { random: seeded(seed), slotMs: 1, listenMs: 0 },
        {
          busySince: () => {
            const busy = first
            first = false
            return busy
          },
          airtimeMs: () => 1,
          dutyWaitMs: () => 0,
          transmit: (nowMs) => nowMs + 1,
        },
        { sent: () => {}, dropped: () => {} },
      )
      access.enqueue(0, [Uint8Array.of(1)])
      access.tick(0)
      seen.add(access.nextWakeMs())
    }
    expect([...seen].sort()).toEqual([1, 2])
  })

  test('the duty cycle makes it wait, without counting an attempt; a frame that never fits is dropped', () => {
    const { access, log, reports, run } = scripted([], [4_000, 0, Number.POSITIVE_INFINITY])
    access.enqueue(0, [Uint8Array.of(1)])
    access.enqueue(0, [Uint8Array.of(2)])
    run()
    expect(log).toEqual(['listen 4005-4010', 'send 1 at 4010'])
    expect(reports[1]).toMatch(/^duty-cycle/)
  })

  test('the queue is bounded in bytes', () => {
    const { access } = scripted([])
    expect(access.enqueue(0, [bytes(6)])).toBe(true)
    expect(access.enqueue(0, [bytes(5)])).toBe(false)
    expect(access.enqueue(0, [bytes(4)])).toBe(true)
    expect(access.queuedBytes).toBe(10)
    access.clear()
    expect(access.queuedBytes).toBe(0)
    expect(access.nextWakeMs()).toBe(Number.POSITIVE_INFINITY)
  })
})

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
