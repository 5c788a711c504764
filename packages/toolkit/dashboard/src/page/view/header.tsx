import { counted, duration } from '../model/format.ts'
import type { PageState } from '../state.ts'
import { Mark } from './parts.tsx'

const SPELT = ['no', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine', 'ten', 'eleven', 'twelve']

export function Header({ state }: { state: PageState }) {
  const live = state.connection.state === 'live'
  return (
    <header class="top">
      <Mark />
      <div>
        <h1>NEXUS</h1>
        <p class="muted">{describe(state)}</p>
      </div>
      <p class={live ? 'pill good' : 'pill bad'} role="status">
        <span class="dot" aria-hidden="true" />
        {live ? 'Live' : 'No answer'}
      </p>
    </header>
  )
}

/** What one sees, in a sentence. */
function describe({ about, nodes }: PageState): string {
  const parts: string[] = []
  const { roundMs = nodes[0]?.status?.node.roundMs, airSpeed, mode } = about
  const [only] = nodes
  if (mode === 'segment')
    parts.push(`${capital(SPELT[nodes.length] ?? String(nodes.length))} simulated nodes on one link, in real time`)
  else if (mode === 'node' && only !== undefined) parts.push(`The mesh as ${only.name} sees it`)
  else parts.push(`A mesh of ${SPELT[nodes.length] ?? nodes.length} ${nodes.length === 1 ? 'node' : 'nodes'}`)
  if (roundMs !== undefined)
    parts.push(`rounds of ${duration(roundMs)}${roundMs === 60_000 ? '' : ' instead of 1 min'}`)
  if (airSpeed !== undefined && airSpeed !== 1) parts.push(`radio ${airSpeed}\u00a0× real time`)
  const off = nodes.filter(({ running }) => !running).length
  if (off > 0) parts.push(`${counted(off, 'node')} unplugged`)
  return parts.join(' · ')
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)
