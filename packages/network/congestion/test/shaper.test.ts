import { describe, expect, test } from 'vitest'
import { Backpressure, type CongestionSignal, type Load, type Priority, type Severity, Shaper } from '../src/index.ts'

/** What a frame adds to its packet. */
const OVERHEAD_BYTES = 24

interface Sent {
  readonly atMs: number
  readonly neighbour: number
  readonly priority: Priority
  readonly bytes: number
  readonly waitedMs: number
}

/** A shaper over a wire of `bps` that carries one frame after the other, driven through virtual time. */
class Desk {
  readonly shaper: Shaper
  readonly sent: Sent[] = []
  readonly dropped: string[] = []
  nowMs = 0
  bps: number
  #freeMs = 0
  #agenda: { atMs: number; run: () => void }[] = []

  constructor(nominalBps: number, bps = nominalBps, weight?: (neighbour: number) => number) {
    this.bps = bps
    this.shaper = new Shaper(
      0,
      { nominalBps, ...(weight === undefined ? {} : { weight }) },
      { dropped: (_neighbour, _packet, priority, _source, reason) => this.dropped.push(`${priority} ${reason}`) },
    )
    this.shaper.neighbourUp(0, 1)
  }

  /** Offers a packet that carries the time; `source` is who handed it over. */
  offer(bytes: number, asked: Priority, neighbour = 1, source = 50): void {
    const packet = new Uint8Array(bytes)
    new DataView(packet.buffer).setFloat64(0, this.nowMs)
    const priority = this.shaper.admit(this.nowMs, source, bytes, asked)
    if (this.shaper.mayPass(this.nowMs, neighbour, priority) && this.shaper.isFree(this.nowMs, this.#queueBytes())) {
      this.#send(neighbour, priority, packet)
      this.shaper.passed(this.nowMs, neighbour, bytes)
    } else this.shaper.enqueue(this.nowMs, neighbour, packet, priority, source)
  }

  every(ms: number, run: () => void): void {
    const again = (): void => {
      run()
      this.#agenda.push({ atMs: this.nowMs + ms, run: again })
    }
    this.#agenda.push({ atMs: this.nowMs + ms, run: again })
  }

  run(ms: number): void {
    const endMs = this.nowMs + ms
    for (;;) {
      while (this.shaper.isFree(this.nowMs, this.#queueBytes()) && this.shaper.pick(this.nowMs)) {
        this.#send(this.shaper.neighbour, this.shaper.priority, this.shaper.packet)
        this.shaper.taken(this.nowMs)
      }
      this.#agenda.sort((a, b) => a.atMs - b.atMs)
      const wakeMs = Math.max(this.nowMs + 1e-9, this.shaper.nextWakeMs(this.nowMs))
      const nextMs = Math.min(wakeMs, this.#agenda[0]?.atMs ?? Number.POSITIVE_INFINITY)
      if (nextMs > endMs) break
      this.nowMs = nextMs
      while ((this.#agenda[0]?.atMs ?? Number.POSITIVE_INFINITY) <= this.nowMs) this.#agenda.shift()!.run()
    }
    this.nowMs = endMs
  }

  bytesOf(priority: Priority, sinceMs = 0): number {
    return this.sent.reduce(
      (sum, sent) => sum + (sent.priority === priority && sent.atMs >= sinceMs ? sent.bytes : 0),
      0,
    )
  }

  #queueBytes(): number {
    return (Math.max(0, this.#freeMs - this.nowMs) * this.bps) / 8_000
  }

  #send(neighbour: number, priority: Priority, packet: Uint8Array): void {
    const frameBytes = packet.length + OVERHEAD_BYTES
    const offeredMs = new DataView(packet.buffer, packet.byteOffset).getFloat64(0)
    this.#freeMs = Math.max(this.#freeMs, this.nowMs) + (frameBytes * 8_000) / this.bps
    const waitedMs = this.#freeMs - offeredMs
    this.sent.push({ atMs: this.nowMs, neighbour, priority, bytes: packet.length, waitedMs })
    this.shaper.used(this.nowMs, frameBytes, this.#queueBytes())
  }
}

describe('what leaves by one medium', () => {
  test.each([50_000, 100_000, 1_000_000])('at %i bit/s real-time packets pass a flood of bulk in time', (bps) => {
    const desk = new Desk(bps)
    desk.every(10, () => desk.offer(484, 3))
    desk.every(40, () => desk.offer(60, 0))
    desk.run(60_000)
    const realTime = desk.sent.filter(({ priority }) => priority === 0)
    const late = realTime.filter(({ waitedMs }) => waitedMs > 500)
    expect(realTime.length).toBeGreaterThan(1_490)
    expect(late).toEqual([])
    expect(desk.dropped.filter((drop) => drop.startsWith('0'))).toEqual([])
    expect(desk.bytesOf(3)).toBeGreaterThan(0.2 * desk.bytesOf(0))
  })

  test.each([1_200, 5_000, 20_000])('at %i bit/s a real-time packet waits for one frame at most', (bps) => {
    const desk = new Desk(bps)
    desk.every(500, () => desk.offer(484, 3))
    const frameMs = (508 * 8_000) / bps
    const ownMs = ((40 + OVERHEAD_BYTES) * 8_000) / bps
    // Rare enough that none waits for another.
    desk.every(frameMs * 7.3, () => desk.offer(40, 0))
    desk.run(frameMs * 700)
    const waits = desk.sent.filter(({ priority }) => priority === 0).map(({ waitedMs }) => waitedMs - ownMs)
    // The pause that the bucket makes after a frame belongs to that frame.
    expect(Math.max(...waits)).toBeLessThanOrEqual(frameMs / 0.9 + 1e-6)
    if (frameMs < 450) expect(waits.length).toBeGreaterThan(90)
  })

  test('no more than 90 % of the rate is used, whatever waits', () => {
    const desk = new Desk(100_000)
    desk.every(5, () => desk.offer(484, 2))
    desk.run(120_000)
    const bits = desk.sent.reduce((sum, { bytes }) => sum + 8 * (bytes + OVERHEAD_BYTES), 0)
    expect(bits / 120 / 100_000).toBeLessThan(0.905)
    expect(bits / 120 / 100_000).toBeGreaterThan(0.89)
  })

  test('a link backlogged for an hour keeps its measured rate', () => {
    const desk = new Desk(50_000)
    desk.every(50, () => desk.offer(484, 3))
    desk.run(3_600_000)
    expect(desk.shaper.meter.bps).toBeGreaterThan(0.99 * 50_000)
    expect((desk.bytesOf(3) * 8) / 3_600 / 50_000).toBeGreaterThan(0.84)
  })

  test('a wire slower than it is said to be is measured, and real-time packets are in time again', () => {
    const desk = new Desk(64_000, 44_000)
    desk.every(20, () => desk.offer(484, 3))
    desk.every(40, () => desk.offer(60, 0))
    desk.run(300_000)
    expect(desk.shaper.meter.bps / 44_000).toBeGreaterThan(0.93)
    expect(desk.shaper.meter.bps / 44_000).toBeLessThan(1.12)
    const late = desk.sent.filter(({ priority, waitedMs }) => priority === 0 && waitedMs > 300)
    expect(late).toEqual([])
  })

  test('what a slow medium took between two times at which it was full and then took more, it has carried', () => {
    const shaper = new Shaper(0, { nominalBps: 64_000 }, { dropped: () => {} })
    shaper.neighbourUp(0, 1)
    for (let n = 0; n < 20; n++) shaper.enqueue(0, 1, new Uint8Array(484), 3, 50)
    const hand = (nowMs: number): void => {
      expect(shaper.isFree(nowMs, 0) && shaper.pick(nowMs)).toBe(true)
      shaper.used(nowMs, 508, 508)
      shaper.taken(nowMs)
    }
    for (const nowMs of [0, 1]) hand(nowMs)
    expect(shaper.isFree(200, 508)).toBe(false)
    hand(300)
    expect(shaper.meter.bps).toBe(64_000)
    expect(shaper.isFree(400, 508)).toBe(false)
    hand(700)
    const kept = 2 ** (-400 / 60_000)
    expect(shaper.meter.bps).toBeCloseTo(kept * 64_000 + ((1 - kept) * 508 * 8_000) / 400, 6)
  })

  test('a kernel that hides some frames and shows one only when it is full is measured too', () => {
    const [bps, hiddenFrames, frameBytes] = [44_000, 4, 508]
    const shaper = new Shaper(0, { nominalBps: 64_000 }, { dropped: () => {} })
    shaper.neighbourUp(0, 1)
    let [inside, outside, atMs, nowMs] = [0, 0, 0, 0]
    const queueBytes = (): number => {
      inside = Math.max(0, inside - ((nowMs - atMs) * bps) / 8_000 / frameBytes)
      atMs = nowMs
      if (outside > 0 && inside <= hiddenFrames / 2) {
        inside++
        outside--
      }
      return outside * frameBytes
    }
    while (nowMs < 900_000) {
      if (shaper.isEmpty) for (let n = 0; n < 100; n++) shaper.enqueue(nowMs, 1, new Uint8Array(484), 3, 50)
      if (shaper.isFree(nowMs, queueBytes()) && shaper.pick(nowMs)) {
        if (inside + 1 <= hiddenFrames) inside++
        else outside++
        shaper.used(nowMs, frameBytes, outside * frameBytes)
        shaper.taken(nowMs)
      } else nowMs = Math.max(nowMs + 0.01, shaper.nextWakeMs(nowMs))
    }
    expect(shaper.meter.bps / bps).toBeGreaterThan(0.95)
    expect(shaper.meter.bps / bps).toBeLessThan(1.12)
  })

  test('whoever claims everything to be real-time gets half of the medium for it, shared with who else does', () => {
    const desk = new Desk(100_000)
    desk.every(10, () => desk.offer(240, 0, 1, 50))
    desk.every(50, () => desk.offer(100, 0, 1, 51))
    desk.every(20, () => desk.offer(484, 2, 1, 52))
    desk.run(60_000)
    const share = (desk.bytesOf(0, 10_000) * 8) / 50 / 100_000
    expect(share).toBeLessThan(0.52)
    // The modest one of the two has all of what it asked for.
    const modest = desk.sent.filter(({ bytes, priority, atMs }) => bytes === 100 && priority === 0 && atMs > 10_000)
    expect(modest.length).toBeGreaterThan(990)
  })

  test('neighbours share by weight where it is given', () => {
    const desk = new Desk(100_000, 100_000, (neighbour) => (neighbour === 1 ? 3 : 1))
    desk.shaper.neighbourUp(0, 2)
    desk.every(10, () => {
      desk.offer(484, 2, 1)
      desk.offer(484, 2, 2)
    })
    desk.run(60_000)
    const of = (neighbour: number) => desk.sent.filter((sent) => sent.neighbour === neighbour).length
    expect(of(1) / of(2)).toBeGreaterThan(2.7)
    expect(of(1) / of(2)).toBeLessThan(3.3)
  })

  test('frames are to be cut where one takes over 150 ms, while real-time packets come', () => {
    const [slow, fast] = [new Desk(20_000), new Desk(50_000)]
    for (const desk of [slow, fast]) {
      expect(desk.shaper.cuts(0)).toBe(false)
      desk.offer(40, 0)
    }
    expect(slow.shaper.cuts(59_999)).toBe(true)
    expect(slow.shaper.cuts(60_000)).toBe(false)
    expect(fast.shaper.cuts(1)).toBe(false)
  })

  test('radio is paced by its own airtime, and learns what it carries in it', () => {
    let usedMs = 0
    const airtimeMs = (bytes: number): number => 50 + (bytes * 8_000) / 10_000
    const shaper = new Shaper(0, { nominalBps: 10_000, airtimeMs }, { dropped: () => {} })
    shaper.neighbourUp(0, 1)
    for (let n = 0; n < 100; n++) shaper.enqueue(0, 1, new Uint8Array(100), 3, 1)
    let nowMs = 0
    for (; nowMs < 600_000; nowMs = Math.max(nowMs + 1, shaper.nextWakeMs(nowMs))) {
      if (!shaper.isFree(nowMs, 0) || !shaper.pick(nowMs)) continue
      shaper.used(nowMs, 124, 0)
      usedMs += airtimeMs(124)
      shaper.taken(nowMs)
      shaper.enqueue(nowMs, 1, new Uint8Array(100), 3, 1)
    }
    expect(usedMs / nowMs).toBeGreaterThan(0.88)
    expect(usedMs / nowMs).toBeLessThan(0.91)
    expect(shaper.meter.bps).toBeGreaterThan((124 * 8_000) / airtimeMs(124) - 1)
    expect(shaper.meter.bps).toBeLessThan((124 * 8_000) / airtimeMs(124) + 60)
  })
})

describe('signals of a neighbour', () => {
  const signal = (severity: Severity, sequence: number, drainMs = 20_000): CongestionSignal => ({
    severity,
    scope: 'link',
    drainMs,
    sequence,
  })

  /** Standard packets per second, in % of what went before the signal, in its drain time and after it. */
  function obeyed(severity: Severity): { during: number[]; after: number } {
    const desk = new Desk(100_000)
    desk.every(30, () => desk.offer(200, 2))
    desk.every(100, () => desk.offer(60, 1))
    desk.every(100, () => desk.offer(40, 0))
    desk.run(20_000)
    const rate = (priority: Priority, fromMs: number, toMs: number): number =>
      desk.sent.filter((sent) => sent.priority === priority && sent.atMs >= fromMs && sent.atMs < toMs).length /
      ((toMs - fromMs) / 1_000)
    const before = ([0, 1, 2] as const).map((priority) => rate(priority, 10_000, 20_000))
    expect(desk.shaper.signal(desk.nowMs, 1, signal(severity, 5))).toBe(true)
    desk.run(60_000)
    return {
      during: ([0, 1, 2] as const).map((priority) => (100 * rate(priority, 22_000, 40_000)) / before[priority]!),
      after: (100 * rate(2, 70_000, 80_000)) / before[2]!,
    }
  }

  test('moderate takes a quarter off, real-time packets excepted', () => {
    const { during, after } = obeyed(1)
    expect(during[0]).toBeCloseTo(100, -1)
    expect(during[2]).toBeGreaterThan(55)
    expect(during[2]).toBeLessThan(80)
    expect(after).toBeGreaterThan(99)
  })

  test('severe takes a half', () => {
    const { during } = obeyed(2)
    expect(during[0]).toBeCloseTo(100, -1)
    expect(during[2]).toBeGreaterThan(25)
    expect(during[2]).toBeLessThan(52)
  })

  test('saturated: real-time packets alone, and interactive ones throttled', () => {
    const { during, after } = obeyed(3)
    expect(during[0]).toBeCloseTo(100, -1)
    expect(during[1]).toBeGreaterThan(20)
    expect(during[2]).toBe(0)
    expect(after).toBeGreaterThan(99)
  })

  test('afterwards the rate comes back by a quarter a second, not in one burst', () => {
    const desk = new Desk(100_000)
    desk.every(30, () => desk.offer(200, 2))
    desk.run(20_000)
    desk.shaper.signal(desk.nowMs, 1, signal(2, 5, 5_000))
    desk.run(5_000)
    const bps = (fromMs: number): number =>
      desk.sent.reduce((sum, { atMs, bytes }) => sum + (atMs >= fromMs && atMs < fromMs + 1_000 ? 8 * bytes : 0), 0)
    const [before, during] = [bps(19_000), bps(24_000)]
    desk.run(15_000)
    expect(during / before).toBeLessThan(0.6)
    expect(bps(25_000) / during).toBeLessThan(1.35)
    expect(bps(26_000) / during).toBeLessThan(1.7)
    expect(bps(30_000) / during).toBeGreaterThan(1.7)
  })

  test('the same signal again prolongs it and takes off no more; a worse one does', () => {
    const rates = (severities: readonly Severity[]): number => {
      const desk = new Desk(100_000)
      desk.every(30, () => desk.offer(200, 2))
      desk.run(20_000)
      for (const [at, severity] of severities.entries()) {
        desk.shaper.signal(desk.nowMs, 1, signal(severity, at, 6_000))
        desk.run(3_000)
      }
      return desk.sent.filter(({ atMs }) => atMs > desk.nowMs - 2_000).length / (2_000 / 30)
    }
    expect(rates([1])).toBeCloseTo(0.75, 1)
    expect(rates([1, 1, 1, 1])).toBeCloseTo(0.75, 1)
    expect(rates([1, 2])).toBeLessThan(0.45)
    expect(rates([2, 1, 1])).toBeLessThan(0.55)
  })

  test('an older signal never overrides a newer one, and a clear one ends it', () => {
    const { shaper } = new Desk(100_000)
    expect(shaper.signal(0, 1, signal(2, 250))).toBe(true)
    expect(shaper.severity(0, 1)).toBe(2)
    expect(shaper.signal(0, 1, signal(0, 249))).toBe(false)
    expect(shaper.signal(0, 1, signal(0, 250))).toBe(false)
    expect(shaper.severity(0, 1)).toBe(2)
    expect(shaper.signal(0, 1, signal(3, 3))).toBe(true)
    expect(shaper.severity(0, 1)).toBe(3)
    expect(shaper.severity(20_000, 1)).toBe(0)
    expect(shaper.signal(30_000, 1, signal(1, 4))).toBe(true)
    expect(shaper.signal(30_000, 1, signal(0, 5))).toBe(true)
    expect(shaper.severity(30_000, 1)).toBe(0)
    expect(shaper.signal(0, 99, signal(1, 0))).toBe(false)
  })

  test('one hop only: signals of one neighbour say nothing about another', () => {
    const { shaper } = new Desk(100_000)
    shaper.neighbourUp(0, 2)
    shaper.signal(0, 1, signal(3, 0))
    expect(shaper.mayPass(0, 1, 2)).toBe(false)
    expect(shaper.mayPass(0, 2, 2)).toBe(true)
  })
})

describe('what neighbours upstream are told', () => {
  function desk(spacingMs = 500) {
    const sent: [number, number, CongestionSignal][] = []
    let isTaken = true
    const backpressure = new Backpressure({
      send: (nowMs, upstream, signal) => {
        if (isTaken) sent.push([nowMs, upstream, signal])
        return isTaken
      },
      spacingMs: () => spacingMs,
    })
    const loads = (entries: Record<number, Omit<Load, 'scope'> & Partial<Load>>): Map<number, Load> =>
      new Map(Object.entries(entries).map(([upstream, load]) => [Number(upstream), { scope: 'link', ...load }]))
    return { sent, backpressure, loads, refuse: (refused: boolean) => (isTaken = !refused) }
  }

  test('at once when it begins, spaced when it gets worse, again at half the drain time, and when it is over', () => {
    const { sent, backpressure, loads } = desk()
    backpressure.update(0, loads({ 7: { severity: 1, drainMs: 8_000 } }))
    backpressure.update(100, loads({ 7: { severity: 2, drainMs: 9_000 } }))
    backpressure.update(500, loads({ 7: { severity: 2, drainMs: 9_000 } }))
    expect(backpressure.nextWakeMs()).toBe(5_000)
    backpressure.update(4_999, loads({ 7: { severity: 2, drainMs: 9_000 } }))
    backpressure.update(5_000, loads({ 7: { severity: 2, drainMs: 99_000, scope: 'all' } }))
    expect(backpressure.told(7)).toBe(2)
    backpressure.update(5_600, loads({}))
    backpressure.update(60_000, loads({}))
    expect(sent).toEqual([
      [0, 7, { severity: 1, scope: 'link', drainMs: 8_000, sequence: 0 }],
      [500, 7, { severity: 2, scope: 'link', drainMs: 9_000, sequence: 1 }],
      [5_000, 7, { severity: 2, scope: 'all', drainMs: 65_535, sequence: 2 }],
      [5_600, 7, { severity: 0, scope: 'link', drainMs: 0, sequence: 3 }],
    ])
    expect(backpressure.nextWakeMs()).toBe(Number.POSITIVE_INFINITY)
  })

  test('only those who feed the queue are told, each by its own sequence', () => {
    const { sent, backpressure, loads } = desk()
    backpressure.update(0, loads({ 7: { severity: 1, drainMs: 1_000 } }))
    backpressure.update(600, loads({ 7: { severity: 1, drainMs: 1_000 }, 8: { severity: 3, drainMs: 2_000 } }))
    expect(sent.map(([, upstream, { severity, sequence }]) => [upstream, severity, sequence])).toEqual([
      [7, 1, 0],
      [7, 1, 1],
      [8, 3, 0],
    ])
  })

  test('what the link did not take is tried again', () => {
    const { sent, backpressure, loads, refuse } = desk()
    refuse(true)
    backpressure.update(0, loads({ 7: { severity: 1, drainMs: 1_000 } }))
    expect(sent).toEqual([])
    expect(backpressure.nextWakeMs()).toBe(500)
    refuse(false)
    backpressure.update(500, loads({ 7: { severity: 1, drainMs: 1_000 } }))
    expect(sent).toHaveLength(1)
    backpressure.forget(7)
    expect(backpressure.told(7)).toBe(0)
  })

  test('a queue that swings is not told of faster than the spacing', () => {
    const { sent, backpressure, loads } = desk(2_000)
    for (let nowMs = 0; nowMs < 20_000; nowMs += 100) {
      const load = (nowMs / 100) % 2 === 0 ? loads({ 7: { severity: 2, drainMs: 500 } }) : loads({})
      backpressure.update(nowMs, load)
    }
    expect(sent.length).toBeLessThanOrEqual(12)
  })
})
