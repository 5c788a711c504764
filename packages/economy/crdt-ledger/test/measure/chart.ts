// A small chart of rounds over network sizes, as SVG that reads well on light and on dark pages.

export interface Series {
  readonly name: string
  readonly style: 'first' | 'second' | 'bound' | 'law'
  readonly points: readonly { readonly nodes: number; readonly value: number }[]
}

const WIDTH = 760
const HEIGHT = 430
const PLOT = { left: 64, top: 96, width: 640, height: 256 }

const STYLE = `
  text { font-family: ui-sans-serif, system-ui, 'Segoe UI', Helvetica, Arial, sans-serif; fill: #1f2933 }
  .card { fill: #ffffff; stroke: #e1e6ec }
  .title { font-size: 19px; font-weight: 650 }
  .sub, .tick, .key { font-size: 12.5px; fill: #5b6875 }
  .value { font-size: 12px; font-weight: 600; fill: #0f6fb8 }
  .grid { stroke: #e6eaef } .axis { stroke: #aab4bf; stroke-width: 1.2 }
  polyline, .sample { fill: none; stroke-width: 2.4; stroke-linejoin: round }
  .first { stroke: #0f6fb8 } .second { stroke: #2f9e6e } .bound { stroke: #8a96a3; stroke-dasharray: 2 4 }
  .law { stroke: #d9772b; stroke-dasharray: 6 5 }
  .dot { stroke: #ffffff; stroke-width: 1.6 } .dot.first { fill: #0f6fb8 } .dot.second { fill: #2f9e6e }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6ebf1 }
    .card { fill: #12181f; stroke: #2a333d }
    .sub, .tick, .key { fill: #9aa7b4 }
    .value { fill: #6cb6f5 }
    .grid { stroke: #232c35 } .axis { stroke: #4b5763 }
    .first { stroke: #6cb6f5 } .second { stroke: #5fd0a0 } .bound { stroke: #76828e } .law { stroke: #f2a15c }
    .dot { stroke: #12181f } .dot.first { fill: #6cb6f5 } .dot.second { fill: #5fd0a0 }
  }`

/** Lines over a logarithmic axis of nodes. The first two have dots, the first its values. */
export function drawChart(series: readonly Series[]): string {
  const nodes = series[0]!.points.map((point) => point.nodes)
  const [first, last] = [Math.log10(nodes[0]!), Math.log10(nodes.at(-1)!)]
  const highest = Math.ceil(Math.max(...series.flatMap(({ points }) => points.map(({ value }) => value))) / 2) * 2
  const x = (count: number): number => PLOT.left + ((Math.log10(count) - first) / (last - first)) * PLOT.width
  const y = (value: number): number => PLOT.top + PLOT.height - (value / highest) * PLOT.height
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-labelledby="t d">`,
    '<title id="t">Rounds until all replicas of the ledger agree</title>',
    `<desc id="d">${describe(series[0]!)}; with diameter + 2 and log2 N as lines.</desc>`,
    `<style>${STYLE}\n</style>`,
    `<rect class="card" x="0.5" y="0.5" width="${WIDTH - 1}" height="${HEIGHT - 1}" rx="14"/>`,
    '<text class="title" x="28" y="38">All replicas agree within the diameter of the network</text>',
    '<text class="sub" x="28" y="60">Rounds of one hop until the state hash is the same everywhere; ring with log₂ N random links a node</text>',
    ...grid(highest, nodes, x, y),
    ...series.map((line) => draw(line, x, y)),
    ...series.map((line, at) => key(line, at)),
    '</svg>',
  ].join('\n')}\n`
}

const describe = ({ name, points }: Series): string =>
  `${name}: ${points.map(({ nodes, value }) => `${value} at ${nodes} nodes`).join(', ')}`

type Scale = (value: number) => number

function grid(highest: number, nodes: readonly number[], x: Scale, y: Scale): string[] {
  const parts: string[] = []
  for (let value = 0; value <= highest; value += 2) {
    const kind = value === 0 ? 'axis' : 'grid'
    const right = PLOT.left + PLOT.width
    parts.push(`<line class="${kind}" x1="${PLOT.left}" x2="${right}" y1="${y(value)}" y2="${y(value)}"/>`)
    parts.push(`<text class="tick" x="${PLOT.left - 9}" y="${y(value) + 4}" text-anchor="end">${value}</text>`)
  }
  const bottom = PLOT.top + PLOT.height
  for (const count of nodes) {
    parts.push(`<text class="tick" x="${x(count).toFixed(1)}" y="${bottom + 20}" text-anchor="middle">${count}</text>`)
  }
  parts.push(
    `<text class="tick" x="${PLOT.left + PLOT.width / 2}" y="${bottom + 40}" text-anchor="middle">replicas</text>`,
  )
  return parts
}

function draw({ style, points }: Series, x: Scale, y: Scale): string {
  const at = points.map(({ nodes, value }) => [x(nodes).toFixed(1), y(value).toFixed(1)] as const)
  const parts = [`<polyline class="${style}" points="${at.map(([px, py]) => `${px},${py}`).join(' ')}"/>`]
  if (style === 'first' || style === 'second') {
    for (const [px, py] of at) parts.push(`<circle class="dot ${style}" cx="${px}" cy="${py}" r="4.4"/>`)
  }
  if (style === 'first') {
    for (const [index, [px, py]] of at.entries()) {
      const label = points[index]!.value
      parts.push(`<text class="value" x="${px}" y="${Number(py) + 20}" text-anchor="middle">${label}</text>`)
    }
  }
  return parts.join('\n')
}

function key({ name, style }: Series, index: number): string {
  const [left, top] = [PLOT.left + 16, PLOT.top + 8 + index * 20]
  return [
    `<line class="sample ${style}" x1="${left}" x2="${left + 26}" y1="${top}" y2="${top}"/>`,
    `<text class="key" x="${left + 34}" y="${top + 4}">${name}</text>`,
  ].join('\n')
}
