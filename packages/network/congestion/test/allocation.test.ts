import { expect, test } from 'vitest'
import { type Priority, Shaper } from '../src/index.ts'

const CYCLES = 20_000
const TRIALS = 11

test('a packet that is queued, chosen and taken leaves no garbage in steady state', () => {
  const shaper = new Shaper(0, { nominalBps: 1e9 }, { dropped: () => {} })
  for (let neighbour = 0; neighbour < 8; neighbour++) shaper.neighbourUp(0, neighbour)
  const packet = new Uint8Array(484)
  let nowMs = 0
  const cycle = (count: number): void => {
    for (let n = 0; n < count; n++) {
      nowMs += 0.004
      const priority = (n & 3) as Priority
      shaper.enqueue(nowMs, n & 7, packet, shaper.admit(nowMs, 1, 484, priority), 1 + (n & 15))
      if (!shaper.isFree(nowMs, 0) || !shaper.pick(nowMs)) continue
      shaper.used(nowMs, 508, 0)
      shaper.taken(nowMs)
    }
  }
  cycle(200_000)
  const grown = Array.from({ length: TRIALS }, () => {
    const before = process.memoryUsage().heapUsed
    cycle(CYCLES)
    return (process.memoryUsage().heapUsed - before) / CYCLES
  }).sort((a, b) => a - b)
  // The smallest object has 16 bytes; now and then the runtime itself makes some, or gathers them.
  expect(grown[(TRIALS - 1) / 2]!).toBeLessThan(8)
})
