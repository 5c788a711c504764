import { expect, test } from 'vitest'
import { measureConvergence } from './convergence.ts'
import { COST_ONLY, measureOptimality } from './optimality.ts'

test('weighing cost alone, paths cost at most 1.05 of the cheapest', () => {
  for (let seed = 1; seed <= 12; seed++) {
    const { pairs, reached, totalRatio, aboveEncoded } = measureOptimality(seed, COST_ONLY)
    expect(reached, `seed ${seed}`).toBe(pairs)
    expect(totalRatio, `seed ${seed}`).toBeLessThanOrEqual(1.05)
    expect(aboveEncoded / pairs, `seed ${seed}`).toBeLessThan(0.01)
  }
})

test('a mesh converges within three rounds, finds ways round a dead relay within three minutes, and heals black holes', () => {
  for (let seed = 1; seed <= 6; seed++) {
    const { startS, rerouteS, healS } = measureConvergence(seed, 5 + 2 * seed, seed % 2 === 0 ? 0.1 : 0)
    expect(startS, `seed ${seed}`).toBeLessThanOrEqual(180)
    expect(rerouteS, `seed ${seed}`).toBeLessThan(180)
    expect(healS, `seed ${seed}`).toBeLessThan(180)
  }
})
