// A small chart of hops over network sizes, as SVG that reads well on light and on dark pages.

export interface Panel {
  readonly title: string
  readonly law: string
  readonly factor: number
  /** The law without its factor. */
  readonly at: (nodes: number) => number
  readonly points: readonly {
    readonly nodes: number
    readonly mean: number
    readonly p95: number
    readonly max: number
  }[]
}

const WIDTH = 960
const HEIGHT = 430
const PLOT = { width: 380, height: 250, top: 112 }
const LEFTS = [64, 540]

const STYLE = `
  text { font-family: ui-sans-serif, system-ui, 'Segoe UI', Helvetica, Arial, sans-serif; fill: #1f2933 }
  .card { fill: #ffffff; stroke: #e1e6ec }
  .title { font-size: 19px; font-weight: 650 }
  .sub, .tick, .key { font-size: 12.5px; fill: #5b6875 }
  .panel { font-size: 14.5px; font-weight: 600 }
  .value { font-size: 12px; font-weight: 600; fill: #0f6fb8 }
  .grid { stroke: #e6eaef; stroke-width: 1 }
  .axis { stroke: #aab4bf; stroke-width: 1.2 }
  .law { fill: none; stroke: #d9772b; stroke-width: 2; stroke-dasharray: 6 5 }
  .mean { fill: none; stroke: #0f6fb8; stroke-width: 2.6; stroke-linejoin: round }
  .dot { fill: #0f6fb8; stroke: #ffffff; stroke-width: 1.6 }
  .band { fill: #0f6fb8; opacity: 0.11 }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6ebf1 }
    .card { fill: #12181f; stroke: #2a333d }
    .sub, .tick, .key { fill: #9aa7b4 }
    .value { fill: #6cb6f5 }
    .grid { stroke: #232c35 }
    .axis { stroke: #4b5763 }
    .law { stroke: #f2a15c }
    .mean { stroke: #6cb6f5 }
    .dot { fill: #6cb6f5; stroke: #12181f }
    .band { fill: #6cb6f5; opacity: 0.16 }
  }`

/** Two panels side by side, each with its own scale: mean, 95th percentile as a band, and the fitted law. */
export function drawPanels(panels: readonly Panel[]): string {
  const about = panels.map((panel) => `${panel.title}: ${panel.factor.toFixed(2)} ${panel.law}`).join('; ')
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-labelledby="t d">`,
    '<title id="t">Greedy hops on a ring with long-range links</title>',
    `<desc id="d">Mean and 95th percentile of 10 000 walks per size. ${about}.</desc>`,
    `<style>${STYLE}\n</style>`,
    `<rect class="card" x="0.5" y="0.5" width="${WIDTH - 1}" height="${HEIGHT - 1}" rx="14"/>`,
    '<text class="title" x="28" y="40">Greedy walks stay short as the network grows</text>',
    '<text class="sub" x="28" y="62">Hops to a destination without a route, 10 000 random pairs per size, by the routing core’s own step</text>',
    ...panels.map((panel, index) => drawPanel(panel, LEFTS[index]!)),
    '</svg>',
  ].join('\n')}\n`
}

function drawPanel(panel: Panel, left: number): string {
  const { width, height, top } = PLOT
  const first = Math.log10(panel.points[0]!.nodes)
  const last = Math.log10(panel.points.at(-1)!.nodes)
  const step = tickStep(Math.max(...panel.points.map((point) => point.p95)))
  const highest = Math.ceil(Math.max(...panel.points.map((point) => point.p95)) / step) * step
  const x = (nodes: number): string => (left + ((Math.log10(nodes) - first) / (last - first)) * width).toFixed(1)
  const y = (hops: number): string => (top + height - (hops / highest) * height).toFixed(1)
  const parts = [`<text class="panel" x="${left}" y="${top - 18}">${panel.title}</text>`]
  for (let hops = 0; hops <= highest; hops += step) {
    parts.push(
      `<line class="${hops === 0 ? 'axis' : 'grid'}" x1="${left}" x2="${left + width}" y1="${y(hops)}" y2="${y(hops)}"/>`,
    )
    parts.push(`<text class="tick" x="${left - 9}" y="${Number(y(hops)) + 4}" text-anchor="end">${hops}</text>`)
  }
  for (const nodes of [1_000, 10_000, 100_000]) {
    const label = `${nodes / 1_000} 000`
    parts.push(`<text class="tick" x="${x(nodes)}" y="${top + height + 20}" text-anchor="middle">${label}</text>`)
  }
  parts.push(`<text class="tick" x="${left + width / 2}" y="${top + height + 40}" text-anchor="middle">nodes</text>`)
  const { points } = panel
  const upper = points.map((point) => `${x(point.nodes)},${y(point.p95)}`)
  const lower = points.map((point) => `${x(point.nodes)},${y(point.mean)}`)
  parts.push(`<polygon class="band" points="${[...upper, ...lower.toReversed()].join(' ')}"/>`)
  const curve = Array.from({ length: 41 }, (_, at) => 10 ** (first + ((last - first) * at) / 40))
  const law = curve.map((nodes) => `${x(nodes)},${y(panel.factor * panel.at(nodes))}`)
  parts.push(`<polyline class="law" points="${law.join(' ')}"/>`)
  parts.push(`<polyline class="mean" points="${lower.join(' ')}"/>`)
  for (const point of points) {
    parts.push(`<circle class="dot" cx="${x(point.nodes)}" cy="${y(point.mean)}" r="4.6"/>`)
    const below = Number(y(point.mean)) + 20
    parts.push(
      `<text class="value" x="${x(point.nodes)}" y="${below}" text-anchor="middle">${point.mean.toFixed(1)}</text>`,
    )
  }
  parts.push(drawKey(panel, left + 14, top + 14))
  return `<g>${parts.join('\n')}</g>`
}

function drawKey(panel: Panel, left: number, top: number): string {
  const label = `${panel.factor.toFixed(2)} · ${panel.law.replace('log', 'log₂')}`
  return [
    `<line class="mean" x1="${left}" x2="${left + 26}" y1="${top}" y2="${top}"/>`,
    `<text class="key" x="${left + 34}" y="${top + 4}">mean, band to the 95th percentile</text>`,
    `<line class="law" x1="${left}" x2="${left + 26}" y1="${top + 20}" y2="${top + 20}"/>`,
    `<text class="key" x="${left + 34}" y="${top + 24}">${label}</text>`,
  ].join('\n')
}

function tickStep(highest: number): number {
  for (const step of [1, 2, 5, 10, 20, 50, 100]) if (highest / step <= 6) return step
  return 200
}
