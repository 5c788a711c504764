/** A map whose entries live for a time since they were last set, and of which the oldest go first where it is full. */
export class ExpiringMap<T> {
  readonly #entries = new Map<string, { readonly value: T; readonly untilMs: number }>()
  readonly #max: number
  readonly #lifeMs: number
  readonly #dropped: (value: T) => void

  /** @param dropped called with what goes for its age, or for want of room */
  constructor(max: number, lifeMs: number, dropped: (value: T) => void = () => {}) {
    this.#max = max
    this.#lifeMs = lifeMs
    this.#dropped = dropped
  }

  get size(): number {
    return this.#entries.size
  }

  /** Enters or renews; entries that are over go by the way. */
  set(key: string, value: T, nowMs: number): void {
    this.#entries.delete(key)
    this.#entries.set(key, { value, untilMs: nowMs + this.#lifeMs })
    for (const [oldest, { value: old, untilMs }] of this.#entries) {
      if (untilMs > nowMs && this.#entries.size <= this.#max) break
      this.#entries.delete(oldest)
      this.#dropped(old)
    }
  }

  get(key: string, nowMs: number): T | undefined {
    const entry = this.#entries.get(key)
    if (entry === undefined) return undefined
    if (entry.untilMs > nowMs) return entry.value
    this.#entries.delete(key)
    this.#dropped(entry.value)
    return undefined
  }

  delete(key: string): boolean {
    return this.#entries.delete(key)
  }
}
