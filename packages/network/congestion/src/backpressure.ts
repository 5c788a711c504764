import { SIGNAL_SPACING_MS } from './limits.ts'
import { type CongestionSignal, DRAIN_MS_MAX, type Severity } from './signal.ts'

/** What a neighbour upstream was told last. */
interface Told {
  severity: Severity
  drainMs: number
  sequence: number
  /** -Infinity: nothing yet. */
  atMs: number
}

/** How a neighbour upstream stands: the worst of the queues that it feeds. */
export interface Load {
  severity: Severity
  drainMs: number
  /** `all`: no other way is open to what it sends here. */
  scope: CongestionSignal['scope']
}

const CLEAR: Load = { severity: 0, drainMs: 0, scope: 'link' }

export interface BackpressurePorts {
  /** Sends a signal; false where the link did not take it, so that it is tried again. */
  send(nowMs: number, upstream: number, signal: CongestionSignal): boolean
  /** Least time between two signals to a neighbour: more than {@link SIGNAL_SPACING_MS} on a slow link. */
  spacingMs(upstream: number): number
}

/**
 * Tells the neighbours upstream how the queues stand that they feed (docs/spec/congestion.md): at once when it gets worse,
 * again while it lasts, and when it is over. One hop only: what they make of it is theirs to tell on.
 */
export class Backpressure {
  readonly #ports: BackpressurePorts
  readonly #told = new Map<number, Told>()
  #nextMs = Number.POSITIVE_INFINITY

  constructor(ports: BackpressurePorts) {
    this.#ports = ports
  }

  /** How bad a neighbour was last told that it is. */
  told(upstream: number): Severity {
    return this.#told.get(upstream)?.severity ?? 0
  }

  /** Takes stock: who feeds queues that are too full; everyone else is clear. */
  update(nowMs: number, loads: ReadonlyMap<number, Readonly<Load>>): void {
    for (const upstream of loads.keys()) {
      if (!this.#told.has(upstream)) {
        this.#told.set(upstream, { severity: 0, drainMs: 0, sequence: 0xff, atMs: Number.NEGATIVE_INFINITY })
      }
    }
    this.#nextMs = Number.POSITIVE_INFINITY
    for (const [upstream, told] of this.#told) {
      const load = loads.get(upstream) ?? CLEAR
      const dueMs = this.#dueMs(upstream, told, load.severity)
      if (dueMs === Number.POSITIVE_INFINITY) continue
      const isTold = dueMs <= nowMs && this.#tell(nowMs, upstream, told, load)
      const againMs = isTold || dueMs > nowMs ? this.#dueMs(upstream, told, load.severity) : nowMs + SIGNAL_SPACING_MS
      this.#nextMs = Math.min(this.#nextMs, againMs)
    }
  }

  /** The link is gone. */
  forget(upstream: number): void {
    this.#told.delete(upstream)
  }

  /** When {@link Backpressure.update} has something to say even if nothing changes. */
  nextWakeMs(): number {
    return this.#nextMs
  }

  #dueMs(upstream: number, told: Told, severity: Severity): number {
    if (severity === 0 && told.severity === 0) return Number.POSITIVE_INFINITY
    const spacingMs = this.#ports.spacingMs(upstream)
    if (severity > told.severity) return told.severity === 0 ? Number.NEGATIVE_INFINITY : told.atMs + spacingMs
    if (severity < told.severity) return told.atMs + spacingMs
    return told.atMs + Math.max(spacingMs, told.drainMs / 2)
  }

  #tell(nowMs: number, upstream: number, told: Told, { severity, drainMs, scope }: Load): boolean {
    const sequence = (told.sequence + 1) & 0xff
    const signal = { severity, scope, drainMs: Math.min(DRAIN_MS_MAX, Math.ceil(drainMs)), sequence }
    if (!this.#ports.send(nowMs, upstream, signal)) return false
    Object.assign(told, { severity, drainMs: signal.drainMs, sequence, atMs: nowMs })
    return true
  }
}
