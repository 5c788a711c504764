import type { ComponentChildren } from 'preact'
import { percent } from '../model/format.ts'
import type { Medium } from '../model/topology.ts'
import { MEDIUM_NAMES } from './media.ts'

/** The sign of NEXUS. */
export function Mark() {
  return (
    <svg class="mark" viewBox="0 0 32 32" aria-hidden="true">
      <rect width="32" height="32" rx="8" />
      <path d="M9 22V10l14 12V10" />
      <circle cx="9" cy="10" r="2.6" />
      <circle cx="9" cy="22" r="2.6" />
      <circle cx="23" cy="10" r="2.6" />
      <circle cx="23" cy="22" r="2.6" />
    </svg>
  )
}

/** A titled box. `id` names its heading. */
export function Card(props: { id: string; title: string; aside?: ComponentChildren; children: ComponentChildren }) {
  const { id, title, aside, children } = props
  return (
    <section class="card" aria-labelledby={id}>
      <div class="card-head">
        <h2 id={id}>{title}</h2>
        {aside}
      </div>
      {children}
    </section>
  )
}

export function MediumBadge({ medium }: { medium: Medium }) {
  return (
    <span class={`badge medium-${medium}`}>
      <svg viewBox="0 0 18 6" aria-hidden="true">
        <line x1="1" y1="3" x2="17" y2="3" />
      </svg>
      {MEDIUM_NAMES[medium]}
    </span>
  )
}

export function Figure({ name, children }: { name: string; children: ComponentChildren }) {
  return (
    <div class="figure">
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  )
}

/** A share of something as a bar; above `warnAt` it is drawn as a warning. */
export function Meter({ label, share, warnAt = 0.8 }: { label: string; share: number; warnAt?: number }) {
  return (
    <meter
      aria-label={label}
      aria-valuetext={percent(share)}
      min={0}
      max={1}
      high={warnAt}
      optimum={0}
      value={Math.min(1, share)}
    />
  )
}

/** A part that scrolls by itself, by keyboard too; `capped` in height as well. `label` or `labelledBy` names it. */
export function Scroll(props: { label?: string; labelledBy?: string; capped?: boolean; children: ComponentChildren }) {
  const { label, labelledBy, capped = false, children } = props
  const name = label === undefined ? { 'aria-labelledby': labelledBy } : { 'aria-label': label }
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: without the focus, the keyboard could not scroll it
    <section class={capped ? 'scroll capped' : 'scroll'} tabIndex={0} {...name}>
      {children}
    </section>
  )
}

export function Empty({ children }: { children: ComponentChildren }) {
  return <p class="empty">{children}</p>
}
