import type { Place } from './layout.ts'
import type { Edge, Topology } from './topology.ts'

/** A point of the picture, in pixels. */
export interface Point {
  readonly x: number
  readonly y: number
}

export interface Line {
  readonly from: Point
  readonly to: Point
}

export interface Size {
  readonly width: number
  readonly height: number
}

/** Distance between links that join the same two nodes. */
const SIDE_BY_SIDE = 26
/** Room for names beside and above the outermost nodes. */
const MARGIN_X = 52
const MARGIN_Y = 58
const RADIUS_X_MAX = 300

/** Where a place is in a picture of this size. */
export function pointAt({ x, y }: Place, { width, height }: Size): Point {
  const radiusX = Math.min(width / 2 - MARGIN_X, RADIUS_X_MAX)
  const radiusY = height / 2 - MARGIN_Y
  return { x: Math.round(width / 2 + x * radiusX), y: Math.round(height / 2 + y * radiusY) }
}

/** The line of a link; those between the same two nodes lie side by side. */
export function lineOf(edge: Edge, { edges }: Topology, points: ReadonlyMap<string, Point>): Line | undefined {
  const [from, to] = [points.get(edge.ends[0]), points.get(edge.ends[1])]
  if (from === undefined || to === undefined) return undefined
  const siblings = [...edges.values()].filter(({ ends }) => ends.join() === edge.ends.join())
  const offset = (siblings.findIndex(({ key }) => key === edge.key) - (siblings.length - 1) / 2) * SIDE_BY_SIDE
  const length = Math.hypot(to.x - from.x, to.y - from.y) || 1
  const [dx, dy] = [(-(to.y - from.y) / length) * offset, ((to.x - from.x) / length) * offset]
  return { from: { x: from.x + dx, y: from.y + dy }, to: { x: to.x + dx, y: to.y + dy } }
}

/** The way from one point to another without its first and last `gap` pixels; of a short way a third is left. */
export function shortened(from: Point, to: Point, gap: number): [Point, Point] {
  const share = Math.min(1 / 3, gap / (Math.hypot(to.x - from.x, to.y - from.y) || 1))
  const [dx, dy] = [(to.x - from.x) * share, (to.y - from.y) * share]
  return [
    { x: from.x + dx, y: from.y + dy },
    { x: to.x - dx, y: to.y - dy },
  ]
}
