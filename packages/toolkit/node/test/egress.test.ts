import type { Tier } from '@nexus/gossip'
import { describe, expect, test } from 'vitest'
import { type ControlFrame, Egress, type Priority } from '../src/core/egress.ts'
import { EGRESS_BYTES_PER_LINK_MAX } from '../src/core/limits.ts'

/** A medium that takes `room` frames, and remembers them. */
class Medium {
  room = Number.POSITIVE_INFINITY
  readonly sent: { link: number; type: number; first: number; bytes: number }[] = []
  readonly dropped: string[] = []
  readonly control = new Map<string, ControlFrame[]>()
  readonly egress: Egress

  constructor(usableBps = 1_000_000) {
    this.egress = new Egress(0, usableBps, 22, {
      send: (_nowMs, link, type, body) => {
        if (this.room <= 0) return 0
        this.room--
        this.sent.push({ link, type, first: body[0] ?? -1, bytes: body.length })
        return body.length + 22
      },
      hasControl: (link, tier) => (this.control.get(`${link}/${tier}`)?.length ?? 0) > 0,
      pullControl: (_nowMs, link, tier, bytesMax) => {
        const frames = this.control.get(`${link}/${tier}`) ?? []
        return frames[0] !== undefined && frames[0].body.length <= bytesMax ? frames.shift() : undefined
      },
      dropped: (_link, _packet, reason) => this.dropped.push(reason),
    })
  }

  addControl(link: number, tier: Tier, bytes: number): void {
    const frames = this.control.get(`${link}/${tier}`) ?? []
    frames.push({ type: tier === 1 ? 3 : 2, body: new Uint8Array(bytes).fill(200 + tier) })
    this.control.set(`${link}/${tier}`, frames)
    this.egress.want(link)
  }
}

const packet = (mark: number, bytes = 100): Uint8Array => new Uint8Array(bytes).fill(mark)

describe('egress', () => {
  test('sends at once where nothing waits, and in priority order once the medium takes frames again', () => {
    const medium = new Medium()
    medium.egress.linkUp(1)
    expect(medium.egress.offer(0, 1, packet(1), 2)).toBe(true)
    expect(medium.sent).toHaveLength(1)
    medium.room = 0
    const offers: [number, Priority][] = [
      [10, 3],
      [11, 2],
      [12, 1],
      [13, 2],
      [14, 0],
    ]
    for (const [mark, priority] of offers) expect(medium.egress.offer(0, 1, packet(mark), priority)).toBe(true)
    medium.room = Number.POSITIVE_INFINITY
    medium.egress.unblock()
    medium.egress.pump(1)
    expect(medium.sent.slice(1).map(({ first }) => first)).toEqual([14, 12, 11, 13, 10])
  })

  test('takes turns between neighbours', () => {
    const medium = new Medium()
    for (const link of [1, 2, 3]) medium.egress.linkUp(link)
    medium.room = 0
    for (let n = 0; n < 5; n++) for (const link of [1, 2, 3]) medium.egress.offer(0, link, packet(link), 2)
    medium.room = 9
    medium.egress.unblock()
    medium.egress.pump(1)
    const counts = [1, 2, 3].map((link) => medium.sent.filter((frame) => frame.link === link).length)
    expect(counts).toEqual([3, 3, 3])
  })

  test('control keeps to its budget, whatever waits, and wakes when more may be said', () => {
    const medium = new Medium(10_000)
    medium.egress.linkUp(1)
    for (let n = 0; n < 200; n++) medium.addControl(1, 2, 100)
    let nowMs = 0
    for (; nowMs < 600_000; nowMs = Math.max(nowMs + 1, Math.min(600_000, medium.egress.nextWakeMs())))
      medium.egress.pump(nowMs)
    const bytes = medium.sent.reduce((sum, frame) => sum + frame.bytes + 22, 0)
    expect(bytes).toBeLessThanOrEqual((10_000 / 8 / 10) * 600 + 300)
    expect(bytes).toBeGreaterThan((10_000 / 8 / 10) * 600 * 0.3)
  })

  test('a control frame that the medium does not take is kept for when it does', () => {
    const medium = new Medium()
    medium.egress.linkUp(1)
    medium.room = 0
    medium.addControl(1, 1, 50)
    medium.egress.pump(0)
    expect(medium.sent).toHaveLength(0)
    medium.room = 1
    medium.egress.unblock()
    medium.egress.pump(1)
    expect(medium.sent).toMatchObject([{ type: 3, bytes: 50 }])
  })

  test('old packets are given up by priority', () => {
    const medium = new Medium()
    medium.egress.linkUp(1)
    medium.room = 0
    for (const priority of [0, 1, 2, 3] as const) medium.egress.offer(0, 1, packet(priority), priority)
    medium.egress.pump(31_000)
    expect(medium.dropped).toEqual(['expired', 'expired', 'expired'])
    medium.room = 5
    medium.egress.unblock()
    medium.egress.pump(31_001)
    expect(medium.sent.map(({ first }) => first)).toEqual([3])
  })

  test('a full queue refuses equals and makes room for what is more urgent', () => {
    const medium = new Medium()
    medium.egress.linkUp(1)
    medium.room = 0
    const count = Math.ceil(EGRESS_BYTES_PER_LINK_MAX / 400)
    const taken = Array.from({ length: count + 10 }, () => medium.egress.offer(0, 1, packet(1, 400), 3)).filter(Boolean)
    expect(medium.egress.queuedBytes).toBeLessThanOrEqual(EGRESS_BYTES_PER_LINK_MAX)
    expect(taken.length).toBeLessThan(count + 1)
    expect(medium.egress.fill(1)).toBeGreaterThan(250)
    expect(medium.egress.offer(0, 1, packet(9, 400), 1)).toBe(true)
    expect(medium.egress.queuedBytes).toBeLessThanOrEqual(EGRESS_BYTES_PER_LINK_MAX)
  })

  test('what waits for a link that ends is handed back, and its bytes are free again', () => {
    const medium = new Medium()
    medium.egress.linkUp(1)
    medium.room = 0
    medium.egress.offer(0, 1, packet(1), 2)
    medium.egress.offer(0, 1, packet(2), 0)
    expect(medium.egress.linkDown(1).map(({ packet: [mark], priority }) => [mark, priority])).toEqual([
      [2, 0],
      [1, 2],
    ])
    expect(medium.egress.queuedBytes).toBe(0)
    expect(medium.egress.offer(0, 1, packet(3), 2)).toBe(false)
  })
})
