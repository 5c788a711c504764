import { QUOTES_MAX } from './limits.ts'

/**
 * What one neighbour was quoted, or quoted, for destinations: a packet is paid at the lowest encoded cost of this window
 * or the one before, so that a route update under way, or lost, hurts nobody.
 */
export class QuoteBook {
  readonly #entries = new Map<string, Entry>()
  /** Windows since the first, counted on over keys. */
  #window = 0
  /** What the last frame was: its series and the window within it; and the series before, whose late frames turn nothing. */
  #series: Uint8Array | undefined
  #seriesBefore: Uint8Array | undefined
  #windowOfSeries = 0

  get size(): number {
    return this.#entries.size
  }

  /**
   * A frame of that window came, or is the next to go: windows in between count though no frame of theirs was seen. The last
   * window of one series is the one before the first of the next.
   */
  turnTo(series: Uint8Array, window: number): void {
    if (series === this.#series) {
      if (window <= this.#windowOfSeries) return
      this.#window += window - this.#windowOfSeries
    } else {
      if (series === this.#seriesBefore) return
      if (this.#series !== undefined) this.#window++
      this.#seriesBefore = this.#series
      this.#series = series
    }
    this.#windowOfSeries = window
  }

  /** `cost` is the quote for a destination from now on; undefined: it is not served any more. */
  quote(destination: string, cost: number | undefined): void {
    const known = this.#entries.get(destination)
    // A Map iterates in insertion order: the one quoted longest ago comes first.
    this.#entries.delete(destination)
    if (cost === undefined) return
    const before = known === undefined ? undefined : this.#turned(known)
    const entry: Entry = {
      window: this.#window,
      current: cost,
      lowest: Math.min(cost, before?.lowest ?? cost),
      lowestBefore: before?.lowestBefore ?? cost,
    }
    this.#entries.set(destination, entry)
    if (this.#entries.size > QUOTES_MAX) {
      for (const oldest of this.#entries.keys()) {
        this.#entries.delete(oldest)
        break
      }
    }
  }

  /** The lowest quote of this window and the one before; undefined: none stands. */
  lowest(destination: string): number | undefined {
    const entry = this.#entries.get(destination)
    if (entry === undefined) return undefined
    const { lowest, lowestBefore } = this.#turned(entry)
    return Math.min(lowest, lowestBefore)
  }

  /** Brings an entry to the present window. */
  #turned(entry: Entry): Entry {
    const windows = this.#window - entry.window
    if (windows > 0) {
      entry.lowestBefore = windows === 1 ? entry.lowest : entry.current
      entry.lowest = entry.current
      entry.window = this.#window
    }
    return entry
  }
}

interface Entry {
  window: number
  current: number
  lowest: number
  lowestBefore: number
}
