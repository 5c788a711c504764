import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Medium, MediumAccess } from '../src/index.ts'

/** Xorshift bytes: the same for the same seed. */
function seeded(seed: number): (length: number) => Uint8Array {
  let state = (Math.imul(seed, 0x9e3779b1) | 1) >>> 0
  return (length) =>
    Uint8Array.from({ length }, () => {
      state ^= state << 13
      state ^= state >>> 17
      state ^= state << 5
      state >>>= 0
      return state >>> 24
    })
}

/** A medium that is busy as often as it is told to be. */
function scripted(busy: boolean[], dutyWaits: number[] = [], seed = 1) {
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
  const access = new MediumAccess({ random: seeded(seed), slotMs: 1_000, queueBytesMax: 10 }, medium, {
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
  const listens = () =>
    log.filter((entry) => entry.startsWith('listen')).map((entry) => Number(entry.slice(7).split('-')[0]))
  return { access, log, reports, run, listens }
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
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 10_000 }), (seed) => {
        const { access, log, reports, run, listens } = scripted(
          Array.from({ length: 7 }, () => true),
          [],
          seed,
        )
        access.enqueue(0, [Uint8Array.of(1)])
        access.enqueue(0, [Uint8Array.of(2)])
        run()
        const at = listens()
        expect(at).toHaveLength(8)
        for (let attempt = 1; attempt <= 6; attempt++) {
          const slots = (at[attempt]! - at[attempt - 1]! - 5) / 1_000
          expect(Number.isInteger(slots) && slots >= 1 && slots <= 2 ** attempt).toBe(true)
        }
        expect(reports[0]).toBe(`medium-busy ${at[6]! + 5}`)
        expect(log.filter((entry) => entry.startsWith('send'))).toEqual([`send 2 at ${at[7]! + 5}`])
      }),
    )
  })

  test.each([1, 2, 3, 4, 5, 6])('attempt %i draws from all of its slots, evenly', (attempt) => {
    const counts = new Array<number>(2 ** attempt).fill(0)
    const runs = 200 * counts.length
    for (let seed = 1; seed <= runs; seed++) {
      const { access, run, listens } = scripted(
        Array.from({ length: attempt }, () => true),
        [],
        seed,
      )
      access.enqueue(0, [Uint8Array.of(1)])
      run()
      const at = listens()
      counts[(at[attempt]! - at[attempt - 1]! - 5) / 1_000 - 1]!++
    }
    expect(Math.min(...counts)).toBeGreaterThan(100)
    expect(Math.max(...counts)).toBeLessThan(300)
  })

  test('the next frame begins with a first attempt again', () => {
    const { access, listens, run } = scripted([...Array.from({ length: 6 }, () => true), false, true])
    access.enqueue(0, [Uint8Array.of(1)])
    access.enqueue(0, [Uint8Array.of(2)])
    run()
    const at = listens()
    expect(at).toHaveLength(9)
    expect((at[8]! - at[7]! - 5) / 1_000).toBeLessThanOrEqual(2)
  })

  test('the duty cycle makes it wait, without counting an attempt; a frame that never fits is dropped', () => {
    const { access, log, reports, run } = scripted([], [4_000, 0, Number.POSITIVE_INFINITY])
    access.enqueue(0, [Uint8Array.of(1)])
    access.enqueue(0, [Uint8Array.of(2)])
    run()
    expect(log).toEqual(['listen 4005-4010', 'send 1 at 4010'])
    expect(reports[1]).toMatch(/^duty-cycle/)
  })

  test('after a frame of its own it yields for up to a slot', () => {
    const waits = Array.from({ length: 200 }, (_, seed) => {
      const { access, run, listens } = scripted([], [], seed + 1)
      access.enqueue(0, [Uint8Array.of(1)])
      access.enqueue(0, [Uint8Array.of(2)])
      run()
      return listens()[1]! - 105
    })
    expect(Math.min(...waits)).toBeGreaterThanOrEqual(0)
    expect(Math.max(...waits)).toBeLessThan(1_000)
    expect(Math.max(...waits) - Math.min(...waits)).toBeGreaterThan(900)
  })

  test('the queue is bounded in bytes', () => {
    const { access } = scripted([])
    expect(access.enqueue(0, [new Uint8Array(6)])).toBe(true)
    expect(access.enqueue(0, [new Uint8Array(5)])).toBe(false)
    expect(access.enqueue(0, [new Uint8Array(4)])).toBe(true)
    expect(access.queuedBytes).toBe(10)
    access.clear()
    expect(access.queuedBytes).toBe(0)
    expect(access.nextWakeMs()).toBe(Number.POSITIVE_INFINITY)
    expect(() => access.enqueue(0, [])).toThrow(RangeError)
  })

  test('a radio that does not take the packet costs the frame', () => {
    const reports: string[] = []
    const access = new MediumAccess(
      { random: seeded(1), slotMs: 1_000 },
      { busySince: () => false, airtimeMs: () => 1, dutyWaitMs: () => 0, transmit: () => undefined },
      { sent: () => reports.push('sent'), dropped: (_nowMs, reason) => reports.push(reason) },
    )
    access.enqueue(0, [new Uint8Array(6)])
    access.tick(5)
    expect(reports).toEqual(['radio-off'])
    expect(access.queuedBytes).toBe(0)
  })
})
