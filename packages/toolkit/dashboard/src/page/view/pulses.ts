import { type Line, type Point, shortened } from '../model/geometry.ts'
import { nxs, type Payment } from '../model/money.ts'
import type { Edge } from '../model/topology.ts'
import type { Flow } from '../state.ts'

const SVG = 'http://www.w3.org/2000/svg'
const PULSES_MAX = 60
const FLOW_MS = 900
const HOP_MS = 450
/** Long enough to read the amount. */
const COIN_MS = 2_200
/** Pixels between a coin and the middle of the node that it leaves or reaches. */
const COIN_GAP = 34

const wantsStillness = (): boolean => matchMedia('(prefers-reduced-motion: reduce)').matches

/** One dot over each link and direction that bytes have passed since the last look; more bytes make a larger dot. */
export function pulseFlows(
  layer: SVGGElement,
  edges: readonly { readonly edge: Edge; readonly line: Line | undefined }[],
  flows: ReadonlyMap<string, Flow>,
): void {
  if (wantsStillness()) return
  for (const { edge, line } of edges) {
    const flow = flows.get(edge.key)
    if (line === undefined || flow === undefined) continue
    if (flow.forth > 0) pulse(layer, `pulse medium-${edge.medium}`, sizeOf(flow.forth), [line.from, line.to], FLOW_MS)
    if (flow.back > 0) pulse(layer, `pulse medium-${edge.medium}`, sizeOf(flow.back), [line.to, line.from], FLOW_MS)
  }
}

/** A message on its way. */
export function pulseJourney(layer: SVGGElement, points: readonly Point[]): void {
  if (wantsStillness() || points.length < 2) return
  pulse(layer, 'pulse journey', 7, points, HOP_MS * (points.length - 1))
}

/** A coin with its amount, from who pays to who relayed. */
export function pulsePayments(
  layer: SVGGElement,
  payments: readonly Payment[],
  points: ReadonlyMap<string, Point>,
): void {
  if (wantsStillness()) return
  for (const { payer, relay, micro } of payments) {
    const [from, to] = [points.get(payer), points.get(relay)]
    if (from === undefined || to === undefined) continue
    const coin = document.createElementNS(SVG, 'g')
    coin.setAttribute('class', 'coin')
    coin.setAttribute('aria-hidden', 'true')
    const disc = document.createElementNS(SVG, 'circle')
    disc.setAttribute('r', '7')
    const amount = document.createElementNS(SVG, 'text')
    amount.setAttribute('y', '-11')
    amount.textContent = nxs(micro)
    coin.append(disc, amount)
    travel(layer, coin, shortened(from, to, COIN_GAP), COIN_MS)
  }
}

function pulse(layer: SVGGElement, name: string, radius: number, points: readonly Point[], durationMs: number): void {
  const dot = document.createElementNS(SVG, 'circle')
  dot.setAttribute('class', name)
  dot.setAttribute('r', String(radius))
  travel(layer, dot, points, durationMs)
}

/** Moves a mark along points, and takes it away at the last. */
function travel(layer: SVGGElement, mark: SVGElement, points: readonly Point[], durationMs: number): void {
  if (layer.childElementCount >= PULSES_MAX) return
  layer.append(mark)
  const frames = points.map(({ x, y }) => ({ transform: `translate(${x}px, ${y}px)` }))
  const animation = mark.animate(frames, { duration: durationMs, easing: 'ease-in-out' })
  const end = (): void => mark.remove()
  animation.finished.then(end, end)
}

function sizeOf(bytes: number): number {
  return Math.min(6, 1.6 + Math.log10(bytes))
}
