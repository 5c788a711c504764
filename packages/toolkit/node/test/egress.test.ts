import type { Priority } from '@nexus/congestion'
import type { Tier } from '@nexus/gossip'
import { describe, expect, test } from 'vitest'
import { type ControlFrame, Egress, SELF } from '../src/core/egress.ts'

/** What a link adds to a body. */
const OVERHEAD_BYTES = 22

/** A medium that takes `room` frames, and remembers them. */
class Medium {
  room = Number.POSITIVE_INFINITY
  /** Parts that a packet is cut into. */
  parts = 4
  waitingBytes = 0
  readonly sent: { atMs: number; link: number; type: number; first: number; bytes: number }[] = []
  readonly dropped: string[] = []
  readonly control = new Map<string, ControlFrame[]>()
  readonly egress: Egress
  #left = 0

  constructor(usableBps = 1_000_000, nominalBps = usableBps) {
    this.egress = new Egress(
      0,
      { usableBps, nominalBps },
      {
        send: (nowMs, link, type, body) => (this.#take(nowMs, link, type, body, body.length) ? body.length + 22 : 0),
        sendFirstPart: (nowMs, link, packet) => {
          if (!this.#take(nowMs, link, 6, packet, packet.length / this.parts)) return -1
          this.#left = this.parts - 1
          return this.#left
        },
        sendNextPart: (nowMs, link) => {
          this.#take(nowMs, link, 6, Uint8Array.of(255), 100)
          return --this.#left
        },
        mediumQueueBytes: () => this.waitingBytes,
        hasControl: (link, tier) => (this.control.get(`${link}/${tier}`)?.length ?? 0) > 0,
        pullControl: (_nowMs, link, tier) => this.control.get(`${link}/${tier}`)?.shift(),
        dropped: (_link, _packet, reason) => this.dropped.push(reason),
      },
    )
  }

  get marks(): number[] {
    return this.sent.map(({ first }) => first)
  }

  offer(nowMs: number, link: number, body: Uint8Array, priority: Priority, source = SELF): boolean {
    return this.egress.offer(nowMs, link, body, priority, source)
  }

  addControl(link: number, tier: Tier, bytes: number): void {
    const frames = this.control.get(`${link}/${tier}`) ?? []
    frames.push({ type: tier === 1 ? 3 : 2, body: new Uint8Array(bytes).fill(200 + tier) })
    this.control.set(`${link}/${tier}`, frames)
    this.egress.want(link)
  }

  /** Lets time pass as a driver would. */
  run(fromMs: number, untilMs: number): void {
    for (let nowMs = fromMs; nowMs <= untilMs; nowMs = Math.max(nowMs + 0.001, this.egress.nextWakeMs())) {
      this.egress.pump(nowMs)
    }
  }

  #take(nowMs: number, link: number, type: number, body: Uint8Array, bytes: number): boolean {
    if (this.room <= 0) return false
    this.room--
    this.sent.push({ atMs: nowMs, link, type, first: body[0] ?? -1, bytes })
    this.egress.used(nowMs, bytes + OVERHEAD_BYTES)
    return true
  }
}

const packet = (mark: number, bytes = 100): Uint8Array => new Uint8Array(bytes).fill(mark)

describe('egress', () => {
  test('sends at once where nothing waits, and in priority order once the medium takes frames again', () => {
    const medium = new Medium()
    medium.egress.linkUp(0, 1)
    expect(medium.offer(0, 1, packet(1), 2)).toBe(true)
    expect(medium.sent).toHaveLength(1)
    medium.room = 0
    const offers: [number, Priority][] = [
      [10, 3],
      [11, 2],
      [12, 1],
      [13, 2],
      [14, 0],
    ]
    for (const [mark, priority] of offers) expect(medium.offer(0, 1, packet(mark), priority)).toBe(true)
    medium.room = Number.POSITIVE_INFINITY
    medium.egress.unblock()
    medium.run(1, 1_000)
    expect(medium.marks.slice(1)).toEqual([14, 12, 11, 13, 10])
  })

  test('takes turns between neighbours', () => {
    const medium = new Medium()
    for (const link of [1, 2, 3]) medium.egress.linkUp(0, link)
    medium.room = 0
    for (let n = 0; n < 5; n++) for (const link of [1, 2, 3]) medium.offer(0, link, packet(link, 484), 2)
    medium.room = 9
    medium.egress.unblock()
    medium.run(1, 1_000)
    const counts = [1, 2, 3].map((link) => medium.sent.filter((frame) => frame.link === link).length)
    expect(counts).toEqual([3, 3, 3])
  })

  test('no more than 90 % of the rate is used, the first burst apart', () => {
    const medium = new Medium(50_000)
    medium.egress.linkUp(0, 1)
    for (let n = 0; n < 300; n++) medium.offer(0, 1, packet(1, 484), 3)
    medium.run(0, 20_000)
    const bits = medium.sent.reduce((sum, { bytes }) => sum + 8 * (bytes + OVERHEAD_BYTES), 0)
    expect(bits).toBeLessThanOrEqual(0.9 * 50_000 * 20 + 2 * 8 * 508)
    expect(bits).toBeGreaterThan(0.88 * 50_000 * 20)
  })

  test('nothing is handed to a slow medium in which something waits, and it is looked at again soon', () => {
    const medium = new Medium(50_000)
    medium.egress.linkUp(0, 1)
    medium.waitingBytes = 100
    medium.offer(0, 1, packet(1), 2)
    medium.egress.pump(0)
    expect(medium.sent).toEqual([])
    expect(medium.egress.nextWakeMs()).toBeGreaterThan(0)
    expect(medium.egress.nextWakeMs()).toBeLessThanOrEqual(20)
    medium.waitingBytes = 0
    medium.egress.pump(medium.egress.nextWakeMs())
    expect(medium.marks).toEqual([1])
  })

  test('real-time packets go before control, and control before all others', () => {
    const medium = new Medium()
    medium.egress.linkUp(0, 1)
    medium.room = 0
    medium.offer(0, 1, packet(12), 1)
    medium.offer(0, 1, packet(10), 0)
    medium.addControl(1, 1, 50)
    medium.room = Number.POSITIVE_INFINITY
    medium.egress.unblock()
    medium.run(1, 1_000)
    expect(medium.marks).toEqual([10, 201, 12])
  })

  test('on a slow medium real-time packets go between the parts of a frame, and nothing else does', () => {
    const medium = new Medium(10_000)
    medium.egress.linkUp(0, 1)
    // What was saved up is used up.
    medium.offer(0, 1, packet(9, 484), 2)
    medium.room = 0
    medium.offer(0, 1, packet(10, 40), 0)
    medium.offer(0, 1, packet(30, 400), 3)
    medium.room = Number.POSITIVE_INFINITY
    medium.egress.unblock()
    medium.run(1, 100)
    expect(medium.marks).toEqual([9, 10, 30])
    medium.offer(101, 1, packet(11, 40), 0)
    medium.offer(101, 1, packet(20, 40), 1)
    medium.run(102, 3_000)
    expect(medium.marks).toEqual([9, 10, 30, 11, 255, 255, 255, 20])
  })

  test('where no real-time packet was seen frames are whole', () => {
    const medium = new Medium(10_000)
    medium.egress.linkUp(0, 1)
    for (const mark of [30, 31]) medium.offer(0, 1, packet(mark, 400), 3)
    medium.run(1, 3_000)
    expect(medium.sent.map(({ type }) => type)).toEqual([1, 1])
  })

  test('control keeps to its budget, whatever waits, and wakes when more may be said', () => {
    const medium = new Medium(10_000)
    medium.egress.linkUp(0, 1)
    for (let n = 0; n < 200; n++) medium.addControl(1, 2, 100)
    medium.run(0, 600_000)
    const bytes = medium.sent.reduce((sum, frame) => sum + frame.bytes + 22, 0)
    expect(bytes).toBeLessThanOrEqual((10_000 / 8 / 10) * 600 + 300)
    expect(bytes).toBeGreaterThan((10_000 / 8 / 10) * 600 * 0.3)
  })

  test('a control frame that the medium does not take is kept for when it does', () => {
    const medium = new Medium()
    medium.egress.linkUp(0, 1)
    medium.room = 0
    medium.addControl(1, 1, 50)
    medium.egress.pump(0)
    expect(medium.sent).toHaveLength(0)
    medium.room = 1
    medium.egress.unblock()
    medium.egress.pump(1)
    expect(medium.sent).toMatchObject([{ type: 3, bytes: 50 }])
  })

  test('each tier takes turns of its own: two that alternate do not keep a link from its turn', () => {
    const medium = new Medium(400)
    for (const link of [1, 2]) {
      medium.egress.linkUp(0, link)
      for (let count = 0; count < 20; count++) {
        medium.addControl(link, 1, 60)
        medium.addControl(link, 2, 60)
      }
    }
    for (let nowMs = 0; medium.sent.length < 40; nowMs = Math.max(nowMs + 1, medium.egress.nextWakeMs())) {
      medium.egress.pump(nowMs)
    }
    for (const tier of [1, 2]) {
      const links = medium.sent.filter(({ first }) => first === 200 + tier).map(({ link }) => link)
      expect(Math.abs(links.filter((link) => link === 1).length - links.length / 2)).toBeLessThanOrEqual(1)
    }
  })

  test('old packets are given up by priority', () => {
    const medium = new Medium()
    medium.egress.linkUp(0, 1)
    medium.room = 0
    for (const priority of [0, 1, 2, 3] as const) medium.offer(0, 1, packet(priority), priority)
    medium.room = 5
    medium.egress.unblock()
    medium.egress.pump(31_000)
    expect(medium.dropped).toEqual(['expired', 'expired', 'expired'])
    expect(medium.marks).toEqual([3])
  })

  test('a full queue refuses equals and makes room for what is more urgent', () => {
    const medium = new Medium()
    medium.egress.linkUp(0, 1)
    medium.room = 0
    const { capacityBytes } = medium.egress.shaper
    const count = Math.ceil(capacityBytes / 400)
    const taken = Array.from({ length: count + 10 }, () => medium.offer(0, 1, packet(1, 400), 3)).filter(Boolean)
    expect(medium.egress.queuedBytes).toBeLessThanOrEqual(capacityBytes)
    expect(taken.length).toBeLessThan(count + 1)
    expect(medium.egress.fill(1)).toBeGreaterThan(250)
    expect(medium.offer(0, 1, packet(9, 400), 1)).toBe(true)
    expect(medium.egress.queuedBytes).toBeLessThanOrEqual(capacityBytes)
  })

  test('what waits for a link that ends is handed back, and its bytes are free again', () => {
    const medium = new Medium()
    medium.egress.linkUp(0, 1)
    medium.room = 0
    medium.offer(0, 1, packet(1), 2, 7)
    medium.offer(0, 1, packet(2), 0)
    expect(medium.egress.linkDown(1).map(({ packet: [mark], priority, source }) => [mark, priority, source])).toEqual([
      [2, 0, SELF],
      [1, 2, 7],
    ])
    expect(medium.egress.queuedBytes).toBe(0)
    expect(medium.offer(0, 1, packet(3), 2)).toBe(false)
  })

  test('what is recalled for another way is out of the queue, the more urgent stays', () => {
    const medium = new Medium()
    medium.egress.linkUp(0, 1)
    medium.room = 0
    for (const priority of [0, 1, 2, 3] as const) medium.offer(0, 1, packet(priority), priority)
    expect(medium.egress.recall(1, 2).map(({ packet: [mark] }) => mark)).toEqual([2, 3])
    medium.room = 5
    medium.egress.unblock()
    medium.run(1, 400)
    expect(medium.marks).toEqual([0, 1])
  })

  test('a medium that gave up a frame is severe until it is over', () => {
    const medium = new Medium()
    medium.egress.linkUp(0, 1)
    expect(medium.egress.severity(0, 1)).toBe(0)
    medium.egress.jammed(1_000)
    expect(medium.egress.severity(999, 1)).toBe(2)
    expect(medium.egress.severity(1_000, 1)).toBe(0)
    expect(medium.egress.jams).toBe(1)
  })
})
