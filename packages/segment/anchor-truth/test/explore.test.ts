import { expect, test } from 'vitest'
import { DECIDED, DEVIATIONS, everyRun, play, SCENARIOS, type Scenario } from './explore.ts'

/** NEXUS_EXPLORE=2, the whole run: two deviations at a time among 2, 3 and 4 nodes. Else one among 2 and 3. */
const isWhole = process.env['NEXUS_EXPLORE'] === '2'
const SETTLED_MS_MAX: Record<Scenario, number> = { 'cold start': 8_500, crash: 18_500, merge: 10_000 }
const SAMPLE_MS = 250
const PULSE_MS = 5_000

for (const scenario of SCENARIOS) {
  for (const nodes of isWhole ? [2, 3, 4] : [2, 3]) {
    const most = isWhole ? 2 : 1
    if (scenario === 'crash' && nodes === 2) continue
    test(`${scenario}, ${nodes} nodes, any ${most} of ${DECIDED} deliveries ${DEVIATIONS.join(' or ')}`, {
      timeout: 30 * 60_000,
    }, () => {
      let runs = 0
      let promotionsMost = 0
      let settledMost = 0
      let decidedLeast = Number.POSITIVE_INFINITY
      for (const run of everyRun(scenario, nodes, most)) {
        const { decided, dividedMs, settledMs, promotions } = play(run)
        const lost = [...run.deviations.values()].filter((deviation) => deviation === 'lost').length
        const story = JSON.stringify({ ...run, deviations: [...run.deviations], settledMs, dividedMs, promotions })
        expect(settledMs, story).toBeLessThanOrEqual(SETTLED_MS_MAX[scenario] + SAMPLE_MS + lost * 2 * PULSE_MS)
        expect(dividedMs, story).toBeLessThanOrEqual(2 * PULSE_MS + SAMPLE_MS + lost * 2 * PULSE_MS)
        expect(promotions, story).toBeLessThanOrEqual(scenario === 'merge' ? lost : Math.min(nodes, 2 + lost))
        runs += 1
        promotionsMost = Math.max(promotionsMost, promotions)
        settledMost = Math.max(settledMost, settledMs)
        decidedLeast = Math.min(decidedLeast, decided)
      }
      // Every deviation must have had a delivery to happen to.
      expect(decidedLeast).toBeGreaterThanOrEqual(DECIDED)
      console.info(
        `${scenario}, ${nodes} nodes: ${runs} runs, settled within ${settledMost} ms, at most ${promotionsMost} promotions`,
      )
    })
  }
}
