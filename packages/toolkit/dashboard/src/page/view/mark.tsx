import type { ComponentChildren } from 'preact'
import type { Point } from '../model/geometry.ts'

interface MarkProps {
  /** Marked as `data-key`, by which the arrow keys find it. */
  readonly id: string
  readonly point: Point
  readonly radius: number
  /** Whether the name stands above it. */
  readonly above: boolean
  /** What it is, in words. */
  readonly facts: readonly string[]
  /** Classes; what is falsy is left out. */
  readonly states: readonly (string | false)[]
  /** Whether this server shows it, so that it can be selected. */
  readonly shown: boolean
  readonly selected: boolean
  readonly tabIndex: number
  readonly onSelect: () => void
  readonly onFocus: () => void
  readonly onKeyDown: (event: KeyboardEvent) => void
  readonly name: string
  /** The sign in it. */
  readonly children: ComponentChildren
}

/** A node of a picture: a disc with a sign in it and a name; a button where it can be selected. */
export function Mark(props: MarkProps) {
  const { id, point, radius, above, facts, states, shown, selected, tabIndex, onSelect, onFocus, onKeyDown } = props
  return (
    <g
      class={`node ${states.filter(Boolean).join(' ')}`}
      style={{ transform: `translate(${point.x}px, ${point.y}px)` }}
      data-key={id}
      role={shown ? 'button' : 'img'}
      aria-label={facts.filter((fact) => fact !== '').join(', ')}
      {...(shown ? { 'aria-pressed': selected } : {})}
      tabIndex={tabIndex}
      {...{ onClick: onSelect, onFocus, onKeyDown }}
    >
      <circle class="focus-ring" r={radius + 6} />
      <circle class="disc" r={radius} />
      {props.children}
      <text class="name" y={above ? -radius - 10 : radius + 18}>
        {props.name}
      </text>
    </g>
  )
}
