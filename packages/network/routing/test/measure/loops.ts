// Loops in networks under churn: node --conditions=nexus-source packages/network/routing/test/measure/loops.ts [seeds]
import { runChurn } from '../churn.ts'

const seeds = Number(process.argv[2] ?? 10_000)
const events: Record<string, number> = {}
let checks = 0
let pairs = 0
let reached = 0
const loops: string[] = []
for (let seed = 1; seed <= seeds; seed++) {
  const outcome = runChurn(seed)
  checks += outcome.checks
  pairs += outcome.pairs
  reached += outcome.reached
  if (outcome.loop !== undefined) loops.push(`seed ${seed}, ${outcome.loop}`)
  for (const [event, count] of Object.entries(outcome.events)) events[event] = (events[event] ?? 0) + count
}
console.log(`${seeds} seeds, ${checks} checks of all destinations, ${loops.length} loops`)
console.log(`connected pairs with a path amid churn: ${((100 * reached) / pairs).toFixed(1)} % of ${pairs}`)
console.log(events)
for (const loop of loops) console.log(loop)
if (loops.length > 0) process.exitCode = 1
