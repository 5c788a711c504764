// Greedy hops on ring graphs: node --conditions=nexus-source packages/network/routing/test/measure/greedy.ts [image.svg]
import { writeFileSync } from 'node:fs'
import { createSmallWorld, mean, walkGreedily } from '../small-world.ts'
import { drawPanels, type Panel } from './plot.ts'

const PAIRS = 10_000
const SIZES = [1_000, 3_162, 10_000, 31_623, 100_000]

const panels: Panel[] = [
  measure(
    'One long-range link per node',
    'log² N',
    () => 1,
    (log) => log * log,
  ),
  measure('log₂ N long-range links per node', 'log N', Math.round, (log) => log),
]
for (const panel of panels) {
  console.log(`\n${panel.title}: fitted ${panel.factor.toFixed(3)} · ${panel.law} (log₂)`)
  console.log('| N | mean hops | p95 | max | mean / law |\n|---:|---:|---:|---:|---:|')
  for (const point of panel.points) {
    const law = panel.at(point.nodes)
    console.log(
      `| ${point.nodes} | ${point.mean.toFixed(2)} | ${point.p95} | ${point.max} | ${(point.mean / law).toFixed(3)} |`,
    )
  }
}
const image = process.argv[2]
if (image !== undefined) writeFileSync(image, drawPanels(panels))

function measure(title: string, law: string, links: (log: number) => number, shape: (log: number) => number): Panel {
  const points = SIZES.map((nodes) => {
    const log = Math.log2(nodes)
    const hops = walkGreedily(createSmallWorld(nodes, nodes, links(log)), nodes + 1, PAIRS)
    return { nodes, mean: mean(hops), p95: hops[Math.floor(PAIRS * 0.95)]!, max: hops.at(-1)! }
  })
  const factor = mean(points.map((point) => point.mean / shape(Math.log2(point.nodes))))
  return { title, law, points, factor, at: (nodes) => shape(Math.log2(nodes)) }
}
