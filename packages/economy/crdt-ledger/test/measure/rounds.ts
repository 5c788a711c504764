// Rounds to convergence: node --conditions=nexus-source packages/economy/crdt-ledger/test/measure/rounds.ts [image.svg]
import { writeFileSync } from 'node:fs'
import { type Links, measureRounds, smallWorld } from '../mesh.ts'
import { drawChart, type Series } from './chart.ts'

const SIZES = [3, 10, 30, 100, 300, 1_000]
const seedsOf = (nodes: number): number => (nodes <= 100 ? 5 : nodes <= 300 ? 3 : 1)

interface Row {
  readonly nodes: number
  readonly diameter: number
  readonly clean: number
  readonly lossy: number
}

const dense = measure((nodes, seed) => smallWorld(nodes, Math.ceil(Math.log2(nodes)), seed))
const sparse = measure((nodes, seed) => smallWorld(nodes, 1, seed))
print('log₂ N random links a node', dense)
print('one random link a node', sparse)

const image = process.argv[2]
if (image !== undefined) {
  const points = (rows: readonly Row[], value: (row: Row) => number): Series['points'] =>
    rows.map((row) => ({ nodes: row.nodes, value: value(row) }))
  writeFileSync(
    image,
    drawChart([
      { name: 'rounds', style: 'first', points: points(dense, (row) => row.clean) },
      { name: 'rounds, 10 % of frames lost', style: 'second', points: points(dense, (row) => row.lossy) },
      { name: 'diameter + 2', style: 'bound', points: points(dense, (row) => row.diameter + 2) },
      { name: 'log₂ N', style: 'law', points: points(dense, (row) => Math.log2(row.nodes)) },
    ]),
  )
}

function measure(graph: (nodes: number, seed: number) => Links): Row[] {
  return SIZES.map((nodes) => {
    const runs = Array.from({ length: seedsOf(nodes) }, (_, run) => {
      const links = graph(nodes, run + 1)
      const clean = measureRounds(nodes, links, run + 1, 0)
      return { ...clean, clean: clean.rounds, lossy: measureRounds(nodes, links, run + 1, 10).rounds }
    })
    const worst = (value: (run: (typeof runs)[number]) => number): number => Math.max(...runs.map(value))
    const row = {
      nodes,
      diameter: worst(({ diameter }) => diameter),
      clean: worst(({ clean }) => clean),
      lossy: worst(({ lossy }) => lossy),
    }
    console.error(JSON.stringify(row))
    return row
  })
}

function print(title: string, rows: readonly Row[]): void {
  console.log(`\n${title}\n\n| N | diameter + 2 | log₂ N | rounds | rounds, 10 % of frames lost |\n|-:|-:|-:|-:|-:|`)
  for (const { nodes, diameter, clean, lossy } of rows) {
    console.log(`| ${nodes} | ${diameter + 2} | ${Math.log2(nodes).toFixed(1)} | ${clean} | ${lossy} |`)
  }
}
