// Chosen paths against Dijkstra's: node --conditions=nexus-source packages/network/routing/test/measure/optimality.ts
import type { Policy, PolicyName } from '@nexus/routing'
import { COST_ONLY, measureOptimality } from '../optimality.ts'

const topologies = Number(process.argv[2] ?? 200)
const policies: [string, Policy | PolicyName][] = [
  ['cost only', COST_ONLY],
  ['cheapest', 'cheapest'],
  ['balanced', 'balanced'],
  ['fastest', 'fastest'],
  ['mostReliable', 'mostReliable'],
]
console.log(`| policy | pairs | reached | total ratio | worst topology | pair p95 | pair max | above encoded optimum |`)
console.log('|---|---:|---:|---:|---:|---:|---:|---:|')
for (const [name, policy] of policies) {
  const runs = Array.from({ length: topologies }, (_, seed) => measureOptimality(seed + 1, policy))
  const ratios = runs.flatMap((run) => run.ratios).sort((a, b) => a - b)
  const sum = (of: (run: (typeof runs)[number]) => number): number => runs.reduce((total, run) => total + of(run), 0)
  const mean = sum((run) => run.totalRatio) / runs.length
  const worst = Math.max(...runs.map((run) => run.totalRatio))
  const cells = [
    name,
    sum((run) => run.pairs),
    sum((run) => run.reached),
    mean.toFixed(4),
    worst.toFixed(4),
    ratios[Math.floor(ratios.length * 0.95)]!.toFixed(4),
    ratios.at(-1)!.toFixed(4),
    sum((run) => run.aboveEncoded),
  ]
  console.log(`| ${cells.join(' | ')} |`)
}
