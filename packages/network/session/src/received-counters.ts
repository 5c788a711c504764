import { ACK_RANGES_MAX } from './limits.ts'
import { type Range, RangeSet } from './range-set.ts'

const RANGES_MAX = 64
/** Runs and gaps of an acknowledgement are u16. */
const SPAN_MAX = 0xffff

/**
 * The counters of a direction that came: each is taken once. Of many gaps only the newest {@link RANGES_MAX} are open; what
 * comes below them counts as taken, and its content is sent again under a new counter.
 */
export class ReceivedCounters {
  readonly #set = new RangeSet()
  #floor = 0

  /** Whether the counter may still be taken. */
  isNew(counter: number): boolean {
    return counter >= this.#floor && !this.#set.has(counter)
  }

  /** Takes a counter whose packet was authentic. Returns whether it is the next in order. */
  add(counter: number): boolean {
    const highest = this.#set.ranges.at(-1)?.end ?? this.#floor
    this.#set.add(counter, counter + 1)
    if (this.#set.ranges.length > RANGES_MAX) this.#floor = this.#set.shift()!.end
    return counter === highest
  }

  /** The newest ranges, highest first, as an acknowledgement can carry them; none before anything came. */
  newest(rangesMax: number = ACK_RANGES_MAX + 1): Range[] {
    const newest: Range[] = []
    const { ranges } = this.#set
    for (let at = ranges.length - 1; at >= 0 && newest.length < rangesMax; at--) {
      const { start, end } = ranges[at]!
      const above = newest.at(-1)
      if (above !== undefined && above.start - end - 1 > SPAN_MAX) break
      newest.push({ start: Math.max(start, end - 1 - SPAN_MAX), end })
      if (end - start > SPAN_MAX + 1) break
    }
    return newest
  }
}
