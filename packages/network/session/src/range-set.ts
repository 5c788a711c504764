/** A half-open range of whole numbers. */
export interface Range {
  readonly start: number
  readonly end: number
}

/** Disjoint ranges in ascending order; neighbours melt together. */
export class RangeSet {
  readonly #ranges: { start: number; end: number }[] = []

  get ranges(): readonly Range[] {
    return this.#ranges
  }

  get first(): Range | undefined {
    return this.#ranges[0]
  }

  has(value: number): boolean {
    const range = this.#ranges[this.#search(value)]
    return range !== undefined && range.start <= value
  }

  add(start: number, end: number): void {
    if (start >= end) return
    // The first range that ends at or after the new one's start is the first it can touch.
    const from = this.#searchEnd(start)
    let to = from
    let low = start
    let high = end
    for (let range = this.#ranges[to]; range !== undefined && range.start <= end; range = this.#ranges[++to]) {
      low = Math.min(low, range.start)
      high = Math.max(high, range.end)
    }
    this.#ranges.splice(from, to - from, { start: low, end: high })
  }

  /** Takes out whatever of the range is in. */
  remove(start: number, end: number): void {
    if (start >= end) return
    const kept: { start: number; end: number }[] = []
    for (const range of this.#ranges) {
      if (range.end <= start || range.start >= end) kept.push(range)
      else {
        if (range.start < start) kept.push({ start: range.start, end: start })
        if (range.end > end) kept.push({ start: end, end: range.end })
      }
    }
    this.#ranges.splice(0, this.#ranges.length, ...kept)
  }

  shift(): Range | undefined {
    return this.#ranges.shift()
  }

  /** Index of the first range that ends after `value`. */
  #search(value: number): number {
    let low = 0
    let high = this.#ranges.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.#ranges[middle]!.end <= value) low = middle + 1
      else high = middle
    }
    return low
  }

  /** Index of the first range that ends at or after `value`. */
  #searchEnd(value: number): number {
    return this.#search(value - 1)
  }
}
