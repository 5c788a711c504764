import { expect, test } from 'vitest'
import { runChurn } from './churn.ts'

const seeds = Number(process.env['NEXUS_SEEDS'] ?? 300)

test(`no loop in ${seeds} seeds of changing links, prices, losses and restarts`, { timeout: 0 }, () => {
  let steps = 0
  for (let seed = 1; seed <= seeds; seed++) {
    const outcome = runChurn(seed)
    expect(outcome.loop, `seed ${seed}`).toBeUndefined()
    steps += outcome.checks
  }
  expect(steps).toBeGreaterThan(seeds * 100)
})
