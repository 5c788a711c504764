// Seconds to converge: node --conditions=nexus-source packages/network/routing/test/measure/convergence.ts [seeds]
import { measureConvergence } from '../convergence.ts'

const seeds = Number(process.argv[2] ?? 100)
console.log('| nodes | loss | start mean / max | relay removed mean / max | black hole mean / max |')
console.log('|---:|---:|---:|---:|---:|')
for (const nodes of [5, 12, 24]) {
  for (const loss of [0, 0.1, 0.3]) {
    const runs = Array.from({ length: seeds }, (_, seed) => measureConvergence(seed + 1, nodes, loss))
    const cell = (values: readonly number[]): string =>
      `${(values.reduce((sum, value) => sum + value, 0) / values.length).toFixed(1)} / ${Math.max(...values)} s`
    const cells = [
      cell(runs.map((run) => run.startS)),
      cell(runs.map((run) => run.rerouteS)),
      cell(runs.map((run) => run.healS)),
    ]
    console.log(`| ${nodes} | ${loss * 100} % | ${cells.join(' | ')} |`)
  }
}
