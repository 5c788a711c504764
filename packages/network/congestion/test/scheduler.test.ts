import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { NEIGHBOURS_MAX, PACKET_BYTES_MAX, type Priority, Scheduler } from '../src/index.ts'
import { PlainScheduler } from './plain-scheduler.ts'

interface Drop {
  readonly mark: number
  readonly reason: string
}

/** A packet that carries a number. */
function packet(mark: number, bytes = 100): Uint8Array {
  const body = new Uint8Array(bytes)
  new DataView(body.buffer).setUint32(0, mark)
  return body
}
const markOf = (body: Uint8Array): number => new DataView(body.buffer, body.byteOffset).getUint32(0)

class Desk {
  readonly dropped: Drop[] = []
  readonly barred = new Set<string>()
  readonly scheduler: Scheduler

  constructor(capacityBytes = 100_000, bytesMax = 1_000_000) {
    this.scheduler = new Scheduler(
      { bytesMax, capacityBytes: () => capacityBytes },
      {
        mayGo: (_nowMs, neighbour, priority) => !this.barred.has(`${neighbour}/${priority}`),
        dropped: (_neighbour, body, _priority, _source, reason) => this.dropped.push({ mark: markOf(body), reason }),
      },
    )
  }

  put(nowMs: number, neighbour: number, mark: number, priority: Priority, bytes = 100, source = 1): boolean {
    return this.scheduler.enqueue(nowMs, neighbour, packet(mark, bytes), priority, source)
  }

  take(nowMs: number): number | undefined {
    if (!this.scheduler.pick(nowMs)) return undefined
    const mark = markOf(this.scheduler.packet)
    this.scheduler.take()
    return mark
  }

  takeAll(nowMs: number): number[] {
    const marks: number[] = []
    for (let mark = this.take(nowMs); mark !== undefined; mark = this.take(nowMs)) marks.push(mark)
    return marks
  }
}

describe('the order of packets', () => {
  test('by priority, and oldest first inside one', () => {
    const desk = new Desk()
    desk.scheduler.add(7)
    for (const [mark, priority] of [
      [10, 3],
      [11, 2],
      [12, 1],
      [13, 2],
      [14, 0],
    ] as const)
      desk.put(0, 7, mark, priority)
    expect(desk.takeAll(0)).toEqual([14, 12, 11, 13, 10])
    expect(desk.scheduler.isEmpty).toBe(true)
    expect(desk.scheduler.bytes).toBe(0)
  })

  test('any sequence of calls gives what the plain scheduler gives', () => {
    const offer = fc.record({
      kind: fc.constant('offer' as const),
      neighbour: fc.integer({ min: 1, max: 4 }),
      priority: fc.constantFrom<Priority>(0, 1, 2, 3),
      bytes: fc.integer({ min: 20, max: PACKET_BYTES_MAX }),
    })
    const take = fc.record({ kind: fc.constant('take' as const), waitMs: fc.nat(900) })
    fc.assert(
      fc.property(
        fc.array(fc.oneof({ weight: 3, arbitrary: offer }, { weight: 2, arbitrary: take }), { maxLength: 150 }),
        (steps) => {
          const desk = new Desk(3_000, 7_000)
          const plain = new PlainScheduler(3_000, 7_000)
          for (const neighbour of [1, 2, 3, 4]) desk.scheduler.add(neighbour)
          let nowMs = 0
          for (const [mark, step] of steps.entries()) {
            if (step.kind === 'offer') {
              const { neighbour, priority, bytes } = step
              expect(desk.put(nowMs, neighbour, mark, priority, bytes)).toBe(
                plain.enqueue({ mark, bytes, neighbour, priority, queuedAtMs: nowMs }),
              )
            } else {
              nowMs += step.waitMs
              expect(desk.take(nowMs)).toBe(plain.take(nowMs)?.mark)
            }
            expect(desk.scheduler.bytes).toBe(plain.waiting.reduce((sum, { bytes }) => sum + bytes, 0))
            const byMark = (a: Drop, b: Drop): number => a.mark - b.mark
            expect([...desk.dropped].sort(byMark)).toEqual([...plain.dropped].sort(byMark))
          }
        },
      ),
      { numRuns: 300 },
    )
  })

  test('takes turns between neighbours, by bytes and not by packets', () => {
    const desk = new Desk()
    const bytes = new Map([
      [1, 484],
      [2, 121],
      [3, 242],
    ])
    for (const neighbour of bytes.keys()) desk.scheduler.add(neighbour)
    for (let n = 0; n < 120; n++) for (const [neighbour, size] of bytes) desk.put(0, neighbour, neighbour, 2, size)
    const sent = new Map<number, number>()
    for (let n = 0; n < 140; n++) {
      const neighbour = desk.take(0)!
      sent.set(neighbour, (sent.get(neighbour) ?? 0) + bytes.get(neighbour)!)
    }
    const [least, , most] = [...sent.values()].sort((a, b) => a - b)
    expect(sent.size).toBe(3)
    expect(most! - least!).toBeLessThanOrEqual(PACKET_BYTES_MAX)
  })

  test('turns are as long as the weights, down to a sixteenth of the largest', () => {
    const desk = new Desk(1_000_000)
    const weights = new Map([
      [1, 4],
      [2, 1],
      [3, 0.000_001],
    ])
    for (const neighbour of weights.keys()) desk.scheduler.add(neighbour)
    desk.scheduler.weigh((neighbour) => weights.get(neighbour)!)
    for (let n = 0; n < 600; n++) for (const neighbour of weights.keys()) desk.put(0, neighbour, neighbour, 2, 484)
    const counts = [0, 0, 0, 0]
    for (let n = 0; n < 420; n++) counts[desk.take(0)!]!++
    expect(counts[1]! / counts[2]!).toBeCloseTo(4, 0)
    expect(counts[1]! / counts[3]!).toBeGreaterThan(13)
    expect(counts[1]! / counts[3]!).toBeLessThan(18)
  })

  test('bulk keeps a tenth of the bytes under a flood of standard and interactive packets, and no more', () => {
    const desk = new Desk()
    desk.scheduler.add(1)
    const sent = [0, 0, 0, 0]
    for (const priority of [1, 2, 3] as const) for (let n = 0; n < 20; n++) desk.put(0, 1, priority, priority, 300)
    for (let n = 0; n < 5_000; n++) {
      const priority = desk.take(0) as Priority
      sent[priority]! += 300
      desk.put(0, 1, priority, priority, 300)
    }
    const total = sent.reduce((sum, bytes) => sum + bytes, 0)
    expect(sent[3]! / total).toBeGreaterThan(0.095)
    expect(sent[3]! / total).toBeLessThan(0.105)
    expect(sent[1]! / total).toBeGreaterThan(0.89)
  })

  test('a real-time packet goes before the bulk whose part is due', () => {
    const desk = new Desk()
    desk.scheduler.add(1)
    for (let n = 0; n < 200; n++) desk.put(0, 1, 3, 3, 484)
    for (let n = 0; n < 40; n++) {
      desk.put(0, 1, 1, 1, 484)
      desk.take(0)
      desk.put(0, 1, 0, 0, 60)
      expect(desk.take(0)).toBe(0)
    }
  })

  test('a neighbour that is barred is passed over, and keeps its place', () => {
    const desk = new Desk()
    for (const neighbour of [1, 2]) desk.scheduler.add(neighbour)
    for (let n = 0; n < 3; n++) for (const neighbour of [1, 2]) desk.put(0, neighbour, neighbour, 2, 484)
    desk.barred.add('1/2')
    expect([desk.take(0), desk.take(0), desk.take(0), desk.take(0)]).toEqual([2, 2, 2, undefined])
    desk.barred.clear()
    expect(desk.takeAll(0)).toEqual([1, 1, 1])
  })

  test('only real-time packets are picked while a frame in parts is under way', () => {
    const desk = new Desk()
    desk.scheduler.add(1)
    desk.put(0, 1, 5, 1)
    expect(desk.scheduler.pick(0, 1)).toBe(false)
    desk.put(0, 1, 6, 0)
    expect(desk.scheduler.pick(0, 1)).toBe(true)
    expect(markOf(desk.scheduler.packet)).toBe(6)
  })
})

describe('the bounds of queues', () => {
  test('ages: 500 ms, 5 s, 30 s, never', () => {
    const desk = new Desk()
    desk.scheduler.add(1)
    for (const priority of [0, 1, 2, 3] as const) desk.put(0, 1, priority, priority)
    const expired = (nowMs: number) => {
      desk.scheduler.pick(nowMs)
      return desk.dropped.map(({ mark }) => mark)
    }
    expect(expired(500)).toEqual([])
    expect(expired(501)).toEqual([0])
    expect(expired(5_000)).toEqual([0])
    expect(expired(5_001)).toEqual([0, 1])
    expect(expired(30_001)).toEqual([0, 1, 2])
    expect(expired(1e12)).toEqual([0, 1, 2])
    expect(desk.dropped.every(({ reason }) => reason === 'expired')).toBe(true)
    expect(desk.scheduler.queue(1)!.drops).toEqual({ expired: 3, full: 0 })
  })

  test('a full queue refuses equals, and the oldest of the least urgent makes room for what is more urgent', () => {
    const desk = new Desk(10 * 484)
    desk.scheduler.add(1)
    for (let n = 0; n < 10; n++) expect(desk.put(0, 1, n, 3, 484)).toBe(true)
    expect(desk.put(0, 1, 10, 3, 484)).toBe(false)
    expect(desk.put(0, 1, 11, 2, 484)).toBe(true)
    expect(desk.dropped).toEqual([
      { mark: 10, reason: 'full' },
      { mark: 0, reason: 'full' },
    ])
    expect(desk.scheduler.queue(1)!.fill(10 * 484)).toBe(1)
  })

  test('a flood of tiny packets is bounded in memory, not only in bytes', () => {
    const desk = new Desk(48_400, 96_800)
    for (const neighbour of [1, 2, 3]) desk.scheduler.add(neighbour)
    let taken = 0
    for (let n = 0; n < 10_000; n++) if (desk.put(0, 1 + (n % 3), n, 3, 20)) taken++
    expect(taken).toBe(96_800 / 242)
  })

  test('as many neighbours as the limit, and no more', () => {
    const desk = new Desk()
    for (let neighbour = 0; neighbour < NEIGHBOURS_MAX; neighbour++) expect(desk.scheduler.add(neighbour)).toBe(true)
    expect(desk.scheduler.add(NEIGHBOURS_MAX)).toBe(false)
    desk.scheduler.remove(5, () => {})
    expect(desk.scheduler.add(NEIGHBOURS_MAX)).toBe(true)
  })

  test('what waits for a neighbour that goes is handed back, and its room is free again', () => {
    const desk = new Desk()
    for (const neighbour of [1, 2]) desk.scheduler.add(neighbour)
    desk.put(0, 1, 1, 2)
    desk.put(0, 1, 2, 0, 100, 9)
    desk.put(0, 2, 3, 2)
    const back: number[][] = []
    desk.scheduler.remove(1, (body, priority, source) => back.push([markOf(body), priority, source]))
    expect(back).toEqual([
      [2, 0, 9],
      [1, 2, 1],
    ])
    expect(desk.scheduler.bytes).toBe(100)
    expect(() => desk.put(0, 1, 4, 2)).toThrow(RangeError)
    expect(desk.takeAll(0)).toEqual([3])
    expect(() => desk.scheduler.enqueue(0, 2, new Uint8Array(PACKET_BYTES_MAX + 1), 2, 1)).toThrow(RangeError)
  })

  test('severity rises at a half, three quarters and nine tenths, and falls at half of each', () => {
    const desk = new Desk(100 * 484)
    desk.scheduler.add(1)
    const queue = desk.scheduler.queue(1)!
    const rising: number[] = []
    for (let n = 1; n <= 100; n++) {
      desk.put(0, 1, n, 3, 484)
      if (queue.severity > (rising.length as number)) rising.push(n)
    }
    expect(rising).toEqual([51, 76, 91])
    const falling: number[] = []
    let before = queue.severity
    for (let left = 99; left >= 0; left--) {
      desk.take(0)
      if (queue.severity < before) falling.push(left)
      before = queue.severity
    }
    expect(falling).toEqual([45, 37, 25])
  })

  test('the peak of the fill is that since it was asked last', () => {
    const desk = new Desk(100 * 484)
    desk.scheduler.add(1)
    for (let n = 0; n < 80; n++) desk.put(0, 1, n, 3, 484)
    const queue = desk.scheduler.queue(1)!
    for (let n = 0; n < 50; n++) desk.take(0)
    expect(queue.takeFillPeak(48_400)).toBe(0.8)
    expect(queue.takeFillPeak(48_400)).toBe(0.3)
    desk.takeAll(0)
    expect(queue.takeFillPeak(48_400)).toBe(0.3)
    expect(queue.takeFillPeak(48_400)).toBe(0)
  })

  test('who feeds a queue is known by bytes', () => {
    const desk = new Desk()
    desk.scheduler.add(1)
    for (let source = 1; source <= 500; source++) {
      desk.put(0, 1, source, 2, 484, source)
      desk.take(0)
    }
    desk.put(0, 1, 1, 2, 484, 777)
    desk.put(0, 1, 1, 2, 484, 777)
    const { fedBy } = desk.scheduler.queue(1)!
    expect(fedBy.get(777)).toBe(968)
    expect([...fedBy.values()].filter((bytes) => bytes > 0)).toEqual([968])
    expect(fedBy.size).toBeLessThanOrEqual(64)
  })
})
