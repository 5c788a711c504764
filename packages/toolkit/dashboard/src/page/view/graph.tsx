import { useEffect, useRef, useState } from 'preact/hooks'
import { bitrate, counted, latency } from '../model/format.ts'
import { type Line, lineOf, type Point, pointAt } from '../model/geometry.ts'
import { type Place, towards } from '../model/layout.ts'
import type { Payment } from '../model/money.ts'
import type { Edge, ShownNode, Topology, Vertex } from '../model/topology.ts'
import type { Flow } from '../state.ts'
import { Glyph } from './glyphs.tsx'
import { Mark } from './mark.tsx'
import { MEDIUM_NAMES } from './media.ts'
import { pulseFlows, pulseJourney, pulsePayments } from './pulses.ts'
import { useSize } from './use-size.ts'

interface GraphProps {
  readonly topology: Topology
  readonly places: ReadonlyMap<string, Place>
  readonly selected: ShownNode | undefined
  readonly flows: ReadonlyMap<string, Flow>
  readonly look: number
  /** Those made since the look before. */
  readonly payments: readonly Payment[]
  /** Keys along a traced path. */
  readonly path: readonly string[]
  /** The way of the newest message. */
  readonly journey: { readonly id: string; readonly way: readonly string[] } | undefined
  readonly onSelect: (name: string) => void
}

const NODE_RADIUS = 23
const FAR_RADIUS = 7
/** Names of far nodes that find room. */
const FAR_NAMES_MAX = 12
/** Pixels between two nodes from which the figures of their link have room there. */
const LABEL_GAP = 106

/** The picture of the mesh: each node a button, in the order of the ring, the arrow keys leading from one to the next. */
export function Graph(props: GraphProps) {
  const { topology, places, selected, flows, look, payments, path, journey, onSelect } = props
  const [frame, size] = useSize()
  const [focused, setFocused] = useState<string>()
  const pulses = useRef<SVGGElement>(null)
  const coins = useRef<SVGGElement>(null)
  const points = new Map([...places].map(([key, place]) => [key, pointAt(place, size)]))
  // Later ones are drawn over earlier ones.
  const vertices = [...topology.vertices.values()].sort((a, b) => b.hops - a.hops || Number(a.shown) - Number(b.shown))
  const alone = vertices.filter(({ shown }) => shown).length === 1 && vertices.length > 1
  const crowded = vertices.filter(({ hops }) => hops > 0).length > (size.width < 480 ? 0 : FAR_NAMES_MAX)
  const selectedKey = vertices.find(({ shown, name }) => shown && name === selected?.name)?.key
  const edges = [...topology.edges.values()].map((edge) => ({ edge, line: lineOf(edge, topology, points) }))

  useEffect(() => {
    if (pulses.current !== null) pulseFlows(pulses.current, edges, flows)
    if (coins.current !== null) pulsePayments(coins.current, payments, points)
  }, [look])
  useEffect(() => {
    if (pulses.current === null || journey === undefined) return
    pulseJourney(
      pulses.current,
      journey.way.flatMap((key) => points.get(key) ?? []),
    )
  }, [journey?.id])

  const press = (event: KeyboardEvent, { key, name, shown }: Vertex): void => {
    const next = towards(places, key, event.key)
    if (next !== undefined) {
      setFocused(next)
      frame.current?.querySelector<SVGElement>(`[data-key="${next}"]`)?.focus()
    } else if (shown && (event.key === 'Enter' || event.key === ' ')) onSelect(name)
    else if (!event.key.startsWith('Arrow')) return
    event.preventDefault()
  }
  const entry = focused !== undefined && topology.vertices.has(focused) ? focused : (selectedKey ?? vertices[0]?.key)

  return (
    <figure class="graph" ref={frame} aria-label="Picture of the mesh; the arrow keys lead from node to node">
      <svg width={size.width} height={size.height} role="none">
        {vertices.map((vertex) => vertex.hops > 0 && <Beyond key={vertex.key} vertex={vertex} points={points} />)}
        {edges.map(({ edge, line }) => line && <EdgeLine key={edge.key} edge={edge} line={line} />)}
        <PathLine path={path} points={points} />
        <g ref={pulses} />
        {edges.map(
          ({ edge, line }) => line && <EdgeLabel key={edge.key} edge={edge} line={line} topology={topology} />,
        )}
        {vertices.map((vertex) => (
          <NodeMark
            key={vertex.key}
            vertex={vertex}
            point={points.get(vertex.key)!}
            above={(places.get(vertex.key)?.y ?? 0) < -0.01}
            named={vertex.shown ? !alone : vertex.hops === 0 || !crowded}
            selected={vertex.key === selectedKey}
            onPath={path.includes(vertex.key)}
            links={countLinks(topology, vertex.key)}
            tabIndex={vertex.key === entry ? 0 : -1}
            onSelect={() => vertex.shown && onSelect(vertex.name)}
            onFocus={() => setFocused(vertex.key)}
            onKeyDown={(event) => press(event, vertex)}
          />
        ))}
        <g ref={coins} />
      </svg>
    </figure>
  )
}

function EdgeLine({ edge, line: { from, to } }: { edge: Edge; line: Line }) {
  const width = Math.min(5, Math.max(1.75, Math.log10(edge.bitrateBps) - 1.75))
  return <line class={`edge medium-${edge.medium}`} x1={from.x} y1={from.y} x2={to.x} y2={to.y} stroke-width={width} />
}

function EdgeLabel({ edge, line: { from, to }, topology }: { edge: Edge; line: Line; topology: Topology }) {
  const names = edge.ends.map((key) => topology.vertices.get(key)?.name ?? key.slice(0, 8))
  const all = [bitrate(edge.bitrateBps), ...(edge.rttMs === null ? [] : [latency(edge.rttMs)])]
  // Between nodes that are close to each other there is room for one figure, or none.
  const gap = Math.hypot(to.x - from.x, to.y - from.y) - 2 * NODE_RADIUS
  const texts = gap > LABEL_GAP ? all : gap > LABEL_GAP / 2 ? all.slice(-1) : []
  if (texts.length === 0) return null
  const width = Math.max(...texts.map((text) => text.length)) * 6.2 + 14
  const height = texts.length * 14 + 6
  const [x, y] = [(from.x + to.x) / 2, (from.y + to.y) / 2]
  const facts = `${MEDIUM_NAMES[edge.medium]} link of ${names.join(' and ')}: ${all.join(', ')}`
  const description = { role: 'img', 'aria-label': facts } as const
  return (
    <g class="edge-label" transform={`translate(${x} ${y})`} {...description}>
      <rect x={-width / 2} y={-height / 2} width={width} height={height} rx={8} />
      {texts.map((text, at) => (
        <text key={at} y={(at - (texts.length - 1) / 2) * 14 + 4}>
          {text}
        </text>
      ))}
      <title>{facts}</title>
    </g>
  )
}

/** A way that goes on beyond a neighbour, over links that are not known here. */
function Beyond({ vertex, points }: { vertex: Vertex; points: ReadonlyMap<string, Point> }) {
  const [from, to] = [points.get(vertex.via ?? ''), points.get(vertex.key)]
  if (from === undefined || to === undefined) return null
  return <line class="beyond" x1={from.x} y1={from.y} x2={to.x} y2={to.y} />
}

function PathLine({ path, points }: { path: readonly string[]; points: ReadonlyMap<string, Point> }) {
  const along = path.flatMap((key) => points.get(key) ?? [])
  if (along.length < 2) return null
  const text = along.map(({ x, y }) => `${x},${y}`).join(' ')
  return (
    <g class="path">
      <polyline class="path-glow" points={text} />
      <polyline class="path-dash" points={text} />
    </g>
  )
}

interface NodeMarkProps {
  readonly vertex: Vertex
  readonly point: Point
  readonly above: boolean
  /** Whether there is room for its name; otherwise it shows while it is pointed at. */
  readonly named: boolean
  readonly selected: boolean
  readonly onPath: boolean
  readonly links: number
  readonly tabIndex: number
  readonly onSelect: () => void
  readonly onFocus: () => void
  readonly onKeyDown: (event: KeyboardEvent) => void
}

function NodeMark(props: NodeMarkProps) {
  const { vertex, point, above, named, selected, onPath, links, tabIndex, onSelect, onFocus, onKeyDown } = props
  const { key, name, role, media, shown, running, hops } = vertex
  const radius = shown ? NODE_RADIUS : hops === 0 ? FAR_RADIUS * 1.6 : FAR_RADIUS
  const facts = shown
    ? [name, role, running ? counted(links, 'link') : 'unplugged']
    : [name, hops === 0 ? 'neighbour' : `${counted(hops, 'relay')} away`]
  const states = [
    shown ? 'shown' : 'far',
    running ? 'on' : 'off',
    selected && 'selected',
    onPath && 'on-path',
    !named && 'unnamed',
  ]
  return (
    <Mark
      {...{ point, radius, above, facts, states, shown, selected, tabIndex, onSelect, onFocus, onKeyDown }}
      id={key}
      name={shown && !running ? `${name} (off)` : name}
    >
      {shown && (
        <g class="glyph">
          <Glyph media={media} />
        </g>
      )}
    </Mark>
  )
}

const countLinks = ({ edges }: Topology, key: string): number =>
  [...edges.values()].filter(({ ends }) => ends.includes(key)).length
