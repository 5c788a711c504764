import type { NodeEvent } from '../api/schemas.ts'
import { EVENTS_MAX } from './limits.ts'

export type EventKind = NodeEvent['kind']
export type EventFacts = NodeEvent['facts']

/** What happened, before the driver stamps it with a wall-clock time. */
export interface CoreEvent {
  readonly kind: EventKind
  readonly text: string
  readonly facts: EventFacts
}

/** The last events, and those who listen for further ones. */
export class EventLog {
  readonly #events: NodeEvent[] = []
  readonly #listeners = new Set<(event: NodeEvent) => void>()
  #sequence = 0

  add(event: CoreEvent, at: string): void {
    const stamped: NodeEvent = { sequence: ++this.#sequence, at, ...event }
    this.#events.push(stamped)
    if (this.#events.length > EVENTS_MAX) this.#events.shift()
    for (const listener of this.#listeners) listener(stamped)
  }

  /** Events with a higher sequence, oldest first. */
  after(sequence: number): NodeEvent[] {
    return this.#events.filter((event) => event.sequence > sequence)
  }

  get sequence(): number {
    return this.#sequence
  }

  /** Calls `listener` with each further event, until the returned function is called. */
  listen(listener: (event: NodeEvent) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }
}
