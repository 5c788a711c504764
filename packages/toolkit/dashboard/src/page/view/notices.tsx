import { useEffect, useState } from 'preact/hooks'
import { Mark } from './parts.tsx'

export function Connecting() {
  return (
    <main class="notice" aria-busy="true">
      <Mark />
      <h1>NEXUS</h1>
      <p role="status">Connecting to the node …</p>
    </main>
  )
}

export function Unauthorised() {
  return (
    <main class="notice">
      <Mark />
      <h1>This page needs its token</h1>
      <p role="alert">
        The address that you opened carries no token, or an old one. The token keeps other web pages, which can reach
        this machine’s ports too, away from your node.
      </p>
      <p>
        Open the whole address that the terminal printed when the node started. It ends in <code>#token=…</code>; a new
        one is made at each start.
      </p>
    </main>
  )
}

/** The server does not answer: since when it is tried again, and a way to do so now. */
export function Lost({ retryAtMs, onRetry }: { retryAtMs: number; onRetry: () => void }) {
  const [nowMs, setNowMs] = useState(Date.now())
  useEffect(() => {
    const timer = setInterval(() => setNowMs(Date.now()), 500)
    return () => clearInterval(timer)
  }, [])
  const seconds = Math.max(0, Math.ceil((retryAtMs - nowMs) / 1_000))
  return (
    <div class="banner">
      <p role="status">The node’s server does not answer. It may have been stopped.</p>
      <p class="muted" aria-hidden="true">
        {seconds > 0 ? `Next try in ${seconds} s` : 'Trying …'}
      </p>
      <button type="button" class="retry" onClick={onRetry}>
        Try now
      </button>
    </div>
  )
}
