import { expect, test } from 'vitest'
import { type Outcome, simulate } from './simulate.ts'

/** Seeds from NEXUS_FIRST_SEED, 0 if not said: one that broke a rule can be run by itself. */
const firstSeed = Number(process.env['NEXUS_FIRST_SEED'] ?? 0)
const seeds = Number(process.env['NEXUS_SEEDS'] ?? (process.env['CI'] === 'true' ? 500 : 120))
/** Longest time with two anchors on one link that is allowed, by share of lost deliveries; sampled each half second. */
const DIVIDED_MS_MAX = new Map([
  [0, 10_500],
  [0.05, 60_000],
  [0.1, 60_000],
  [0.2, 90_000],
  [0.3, 120_000],
])
/** The bound of 18.5 s after the last pulse; what is sampled begins with the crash. */
const LEADERLESS_MS_MAX = 19_000

test(`${seeds} seeds: one anchor within the bounds, whatever fails`, { timeout: 40 * 60_000 }, () => {
  const byLoss = new Map<
    number,
    { seeds: number; dividedMs: number; leaderlessMs: number; promotions: number; vacancies: number; most: number }
  >()
  const broken: string[] = []
  for (let seed = firstSeed; seed < firstSeed + seeds; seed++) {
    const outcome = simulate(seed)
    const rules = brokenBy(outcome)
    if (rules.length > 0) broken.push(`${rules.join(', ')}: ${JSON.stringify(outcome)}`)
    const row = byLoss.get(outcome.loss) ?? {
      seeds: 0,
      dividedMs: 0,
      leaderlessMs: 0,
      promotions: 0,
      vacancies: 0,
      most: 0,
    }
    row.seeds += 1
    row.dividedMs = Math.max(row.dividedMs, outcome.dividedMs)
    row.leaderlessMs = Math.max(row.leaderlessMs, outcome.leaderlessMs)
    row.promotions += outcome.promotions
    row.vacancies += outcome.vacancies
    row.most = Math.max(row.most, outcome.promotions / Math.max(1, outcome.vacancies))
    byLoss.set(outcome.loss, row)
  }
  console.table([...byLoss].sort(([a], [b]) => a - b).map(([loss, row]) => ({ loss, ...row })))
  expect(broken).toEqual([])
})

/** What a seed must show and did not. */
function brokenBy({ isAgreed, dividedMs, leaderlessMs, loss, promotions, vacancies, faults }: Outcome): string[] {
  // A storm is many nodes that take the lead at once; splits and lies may add a change each.
  const promotionsMax = (loss === 0 ? 2 : 4) * (vacancies + faults.length + 1)
  return [
    isAgreed ? '' : 'not agreed at the end',
    dividedMs <= DIVIDED_MS_MAX.get(loss)! ? '' : 'divided for too long',
    loss > 0 || leaderlessMs <= LEADERLESS_MS_MAX ? '' : 'without an anchor for too long',
    promotions <= promotionsMax ? '' : 'a storm of promotions',
  ].filter((rule) => rule !== '')
}
