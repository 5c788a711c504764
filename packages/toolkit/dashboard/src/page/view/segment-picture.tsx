import { useState } from 'preact/hooks'
import { type Point, pointAt } from '../model/geometry.ts'
import { type Place, towards } from '../model/layout.ts'
import { ringOf, type Station, zonesOf } from '../model/segment.ts'
import { Mark } from './mark.tsx'
import { useSize } from './use-size.ts'

interface SegmentPictureProps {
  readonly stations: readonly Station[]
  /** Name of the node that is looked at. */
  readonly selected: string | undefined
  readonly onSelect: (name: string) => void
}

const RADIUS = 21
/** Signs within 20 × 20 around the origin: an anchor, and what each type of node is for. */
const ANCHOR = 'M0-6v15M-8 3a8 8 0 0 0 16 0M-4-2.5h8M0-6a2.2 2.2 0 1 0-.1-4.4A2.2 2.2 0 0 0 0-6'
const TYPE_GLYPHS: Readonly<Record<string, string>> = {
  Bridge: 'M-9 5v-3a9 9 0 0 1 18 0v3M-9.5 5h19M0 5v-12',
  'Rig-Hub': 'M0-9v5M0 4v5M-9 0h5M4 0h5M0-4a4 4 0 1 0 .1 0',
  'Data-Mule': 'M-9-6h11v9h-11zM2-2h4l3 3v2h-7M-5 4.5a1.8 1.8 0 1 0 .1 0M5.5 4.5a1.8 1.8 0 1 0 .1 0',
  Agent: 'M0-8.5a3.4 3.4 0 1 0 .1 0M-6.5 8a6.5 6.5 0 0 1 13 0',
}
/** Colours for zones; further zones begin anew. */
const ZONE_COLOURS = 6

/** A segment as a ring of stations, each with a line to the anchor that it follows. Each shown one is a button. */
export function SegmentPicture({ stations, selected, onSelect }: SegmentPictureProps) {
  const [frame, size] = useSize(1.15)
  const [focused, setFocused] = useState<string>()
  const places: ReadonlyMap<string, Place> = ringOf(stations)
  const points = new Map([...places].map(([key, place]) => [key, pointAt(place, size)]))
  const zones = zonesOf(stations)
  const entry = stations.find(({ key }) => key === focused) ?? stations.find(({ name }) => name === selected)
  const press = (event: KeyboardEvent, { key, name, shown }: Station): void => {
    const next = towards(places, key, event.key)
    if (next !== undefined) {
      setFocused(next)
      frame.current?.querySelector<SVGElement>(`[data-key="${next}"]`)?.focus()
    } else if (shown && (event.key === 'Enter' || event.key === ' ')) onSelect(name)
    else if (!event.key.startsWith('Arrow')) return
    event.preventDefault()
  }
  return (
    <figure class="graph" ref={frame} aria-label="Picture of the segment; the arrow keys lead from node to node">
      <svg width={size.width} height={size.height} role="none">
        {stations.map((station) => (
          <Allegiance key={station.key} station={station} points={points} />
        ))}
        {stations.map((station, at) => (
          <StationMark
            key={station.key}
            station={station}
            point={points.get(station.key)!}
            above={(places.get(station.key)?.y ?? 0) < -0.01}
            zone={zones.indexOf(station.zone)}
            selected={station.shown && station.name === selected}
            tabIndex={station === entry || (entry === undefined && at === 0) ? 0 : -1}
            onSelect={() => station.shown && onSelect(station.name)}
            onFocus={() => setFocused(station.key)}
            onKeyDown={(event) => press(event, station)}
          />
        ))}
      </svg>
    </figure>
  )
}

/** The zones that there are, with their colours. */
export function ZoneLegend({ stations }: { stations: readonly Station[] }) {
  return (
    <p class="legend">
      {zonesOf(stations).map((zone, at) => (
        <span key={zone} class={`badge zone-${at % ZONE_COLOURS}`}>
          <span class="zone-dot" aria-hidden="true" />
          {zone}
        </span>
      ))}
    </p>
  )
}

function Allegiance({ station, points }: { station: Station; points: ReadonlyMap<string, Point> }) {
  const from = points.get(station.key)
  const to = station.follows === undefined ? undefined : points.get(station.follows)
  if (from === undefined || to === undefined) return null
  return <line class="allegiance" x1={from.x} y1={from.y} x2={to.x} y2={to.y} />
}

interface StationMarkProps {
  readonly station: Station
  readonly point: Point
  readonly above: boolean
  /** Which zone, in their order; −1 for none. */
  readonly zone: number
  readonly selected: boolean
  readonly tabIndex: number
  readonly onSelect: () => void
  readonly onFocus: () => void
  readonly onKeyDown: (event: KeyboardEvent) => void
}

function StationMark(props: StationMarkProps) {
  const { station, point, above, zone, selected, tabIndex, onSelect, onFocus, onKeyDown } = props
  const { key, name, type, zone: zoneName, ego, shown, running, isAnchor } = station
  const standing = !running ? 'unplugged' : isAnchor ? 'anchor' : station.follows === undefined ? 'no anchor' : 'member'
  const facts = [name, standing, type, zoneName === '' ? '' : `zone ${zoneName}`, `ego ${ego}`]
  const states = [
    'station',
    shown ? 'shown' : 'far',
    running ? 'on' : 'off',
    isAnchor && 'anchor',
    selected && 'selected',
    zone >= 0 && `zone-${zone % ZONE_COLOURS}`,
  ]
  return (
    <Mark
      {...{ point, above, facts, states, shown, selected, tabIndex, onSelect, onFocus, onKeyDown }}
      id={key}
      radius={RADIUS}
      name={running ? name : `${name} (off)`}
    >
      <path class="glyph" d={isAnchor && running ? ANCHOR : (TYPE_GLYPHS[type] ?? TYPE_GLYPHS['Agent'])} />
    </Mark>
  )
}
