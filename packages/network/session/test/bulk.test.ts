import assert from 'node:assert/strict'
import { describe, test } from 'vitest'
import { Bulk } from '../src/bulk.ts'

const PART = 310

/** Sends what may be sent now, and returns the parts. */
function pump(bulk: Bulk, nowMs: number): number[] {
  const sent: number[] = []
  for (let part = bulk.next(); part !== undefined; part = bulk.next()) {
    bulk.sent(part, nowMs)
    sent.push(part)
  }
  return sent
}

describe('a long body', () => {
  test('starts with eight parts, and each one held lets two more go', () => {
    const bulk = new Bulk(40 * PART)
    assert.deepEqual(pump(bulk, 0), [0, 1, 2, 3, 4, 5, 6, 7])
    assert.equal(bulk.held(1n, Uint8Array.of(0b1111, 0, 0, 0, 0), 100)?.rttMs, 100)
    assert.deepEqual(pump(bulk, 100), [8, 9, 10, 11, 12, 13, 14, 15])
    assert.equal(bulk.allSent, false)
  })

  test('a part is lost where one sent three later is held, and only then', () => {
    const bulk = new Bulk(40 * PART)
    pump(bulk, 0)
    bulk.held(1n, Uint8Array.of(0b01110110, 0, 0, 0, 0), 100)
    assert.deepEqual(pump(bulk, 100).slice(0, 3), [0, 3, 8])
  })

  test('of bitmaps that come out of order only the newest counts', () => {
    const bulk = new Bulk(40 * PART)
    pump(bulk, 0)
    assert.equal(bulk.held(5n, Uint8Array.of(0b11, 0, 0, 0, 0), 100)?.rttMs, 100)
    assert.equal(bulk.held(4n, Uint8Array.of(0b11111111, 0, 0, 0, 0), 200), undefined)
    assert.equal(bulk.held(5n, Uint8Array.of(0b11111111, 0, 0, 0, 0), 200), undefined)
    assert.equal(bulk.held(6n, Uint8Array.of(0b11, 0), 200), undefined)
  })

  test('a part that is waited for no more still has its round trip; one sent twice, or by an earlier run, has none', () => {
    const bulk = new Bulk(40 * PART)
    pump(bulk, 1_000_000)
    bulk.timedOut()
    assert.deepEqual(pump(bulk, 1_015_000), [0, 1, 2, 3])
    assert.deepEqual(bulk.held(1n, Uint8Array.of(0b10000000, 0, 0, 0, 0), 1_016_000), { rttMs: 16_000 })
    assert.deepEqual(bulk.held(2n, Uint8Array.of(0b10000001, 0, 0, 0, 0), 1_017_000), { rttMs: undefined })
    const restarted = new Bulk(40 * PART)
    assert.deepEqual(restarted.held(1n, Uint8Array.of(0b1111, 0, 0, 0, 0), 1_000), { rttMs: undefined })
  })

  test('silence halves the window, not below two', () => {
    const bulk = new Bulk(40 * PART)
    assert.equal(pump(bulk, 0).length, 8)
    for (const parts of [4, 2, 2]) {
      bulk.timedOut()
      assert.equal(pump(bulk, 0).length, parts)
    }
  })

  test('a receiver may lose what it held a few times, then its word counts no more', () => {
    const bulk = new Bulk(16 * PART)
    pump(bulk, 0)
    let believed = 0
    for (let receipt = 1n; receipt <= 60n; receipt++) {
      const bitmap = receipt % 2n === 0n ? Uint8Array.of(0, 0) : Uint8Array.of(255, 0)
      if (bulk.held(receipt, bitmap, 100) !== undefined) believed++
    }
    assert.equal(believed, 9)
  })
})
