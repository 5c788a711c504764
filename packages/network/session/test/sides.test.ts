import assert from 'node:assert/strict'
import fc from 'fast-check'
import { describe, test } from 'vitest'
import { ReceivedCounters } from '../src/received-counters.ts'
import { Recovery } from '../src/recovery.ts'
import type { Chunk } from '../src/segment.ts'
import { ReceiveSide, SendSide } from '../src/stream-sides.ts'
import { bodyOf } from './world.ts'

const spanOf = ({ offset, bytes, fin }: Chunk) => ({ start: offset, end: offset + bytes.length, fin })

describe('both sides', () => {
  test('whatever is lost, repeated, reordered or re-cut, the bytes come out as they went in', () => {
    const step = fc.record({
      write: fc.nat(40),
      send: fc.nat(25),
      fate: fc.constantFrom('deliver', 'lose', 'late'),
      read: fc.nat(30),
      close: fc.nat(9),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        const [sending, receiving] = [new SendSide(64, 16), new ReceiveSide(64)]
        const data = bodyOf(1, 5_000)
        const out: number[] = []
        const late: Chunk[] = []
        let written = 0
        const arrive = (chunk: Chunk) => {
          assert.equal(receiving.take(chunk), true)
          sending.acked(spanOf(chunk))
          sending.grant(receiving.credit)
        }
        for (const { write, send, fate, read, close } of steps) {
          if (!sending.isClosed) written += sending.write(data.subarray(written, written + write))
          if (close === 0) sending.close()
          const next = sending.nextChunk(1 + send)
          if (next !== undefined) {
            // What is late arrives after other writes.
            const chunk = { ...next, bytes: next.bytes.slice() }
            if (fate === 'deliver') arrive(chunk)
            else {
              sending.lost(spanOf(chunk))
              if (fate === 'late') late.push(chunk)
            }
          }
          if (late.length > 2) arrive(late.shift()!)
          out.push(...receiving.read(read))
        }
        sending.close()
        for (let rounds = 0; rounds < 5_000 && !(sending.isDone && receiving.isDone); rounds++) {
          const chunk = sending.nextChunk(7)
          if (chunk !== undefined) arrive(chunk)
          out.push(...receiving.read(5))
          sending.grant(receiving.credit)
        }
        assert.ok(sending.isDone && receiving.isDone)
        assert.deepEqual(Uint8Array.from(out), data.slice(0, written))
      }),
      { numRuns: 200 },
    )
  })

  test('bytes beyond the credit, beyond the end, a second end and endless gaps are refused', () => {
    const chunk = (offset: number, length: number, fin = false) => ({ offset, bytes: new Uint8Array(length), fin })
    assert.equal(new ReceiveSide(10).take(chunk(0, 11)), false)
    assert.equal(new ReceiveSide(10).take(chunk(10, 1)), false)
    const ended = new ReceiveSide(10)
    assert.equal(ended.take(chunk(0, 5, true)), true)
    assert.equal(ended.take(chunk(5, 1)), false)
    assert.equal(ended.take(chunk(0, 4, true)), false)
    assert.equal(ended.take(chunk(3, 2, true)), true)
    const early = new ReceiveSide(10)
    early.take(chunk(4, 2))
    assert.equal(early.take(chunk(0, 3, true)), false)
    const gaps = new ReceiveSide(20_000)
    let taken = 0
    while (gaps.take(chunk(taken * 2 + 1, 1))) taken++
    assert.equal(taken, 4_096)
  })
})

describe('counters', () => {
  test('each is taken once, whatever the order', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(300), { maxLength: 400 }), (counters) => {
        const received = new ReceivedCounters()
        const taken = new Set<number>()
        for (const counter of counters) {
          if (!received.isNew(counter)) continue
          assert.ok(!taken.has(counter))
          taken.add(counter)
          received.add(counter)
        }
        for (const { start, end } of received.newest()) for (let at = start; at < end; at++) assert.ok(taken.has(at))
      }),
    )
  })

  test('of endless gaps only the newest are open, and a long run is told in part', () => {
    const received = new ReceivedCounters()
    for (let counter = 0; counter < 1_000; counter += 2) received.add(counter)
    assert.equal(received.isNew(1), false)
    assert.equal(received.isNew(999), true)
    assert.equal(received.newest().length, 17)
    const long = new ReceivedCounters()
    for (let counter = 0; counter < 70_000; counter++) long.add(counter)
    assert.deepEqual(long.newest(), [{ start: 70_000 - 65_536, end: 70_000 }])
  })
})

describe('recovery', () => {
  const packet = (counter: number, sentMs: number) => ({ counter, bytes: 465, sentMs })

  test('three later acknowledgements tell of a loss, and the window falls once per round trip', () => {
    const recovery = new Recovery(1_000)
    for (let counter = 0; counter < 4; counter++) recovery.sent(packet(counter, 0))
    const before = recovery.windowBytes
    const { acked, lost } = recovery.acked(100, [{ start: 3, end: 4 }], 0)
    assert.deepEqual([acked.map(({ counter }) => counter), lost.map(({ counter }) => counter)], [[3], [0]])
    assert.ok(Math.abs(recovery.windowBytes - before * 0.7) <= 465)
    const after = recovery.windowBytes
    assert.deepEqual(
      recovery.timer(recovery.timerMs).lost.map(({ counter }) => counter),
      [1, 2],
    )
    assert.equal(recovery.windowBytes, after)
    assert.equal(recovery.timerMs, Number.POSITIVE_INFINITY)
  })

  test('silence asks for a probe, twice as late each time, and shrinks the window at the third', () => {
    const recovery = new Recovery(1_000)
    for (let counter = 0; counter < 4; counter++) recovery.sent(packet(counter, 0))
    const waits: number[] = []
    let nowMs = 0
    for (let timeout = 0; timeout < 3; timeout++) {
      waits.push(recovery.timerMs - nowMs)
      nowMs = recovery.timerMs
      assert.equal(recovery.timer(nowMs).probe, true)
    }
    assert.deepEqual(waits, [1_025, 2_050, 4_100])
    assert.equal(recovery.windowBytes, 930)
    assert.equal(recovery.timeouts, 3)
  })

  test('the window doubles per round trip at first and grows by a packet after a loss', () => {
    const recovery = new Recovery(1_000)
    let counter = 0
    const round = (nowMs: number, lose = false) => {
      const first = counter
      while (recovery.allows(465)) recovery.sent(packet(counter++, nowMs))
      recovery.acked(nowMs + 100, [{ start: lose ? first + 1 : first, end: counter }], 0)
    }
    round(0)
    round(100)
    assert.equal(recovery.windowBytes, 465 * 16)
    round(200, true)
    const lost = recovery.windowBytes
    round(300.1)
    assert.ok(recovery.windowBytes - lost > 300 && recovery.windowBytes - lost < 700)
  })
})
