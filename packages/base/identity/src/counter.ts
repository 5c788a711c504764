import { COUNTER_MAX, COUNTER_RESERVE } from './limits.ts'

/**
 * A counter that only rises, whatever happens to the process: values are claimed on disk {@link COUNTER_RESERVE} at a
 * time before the first of them is used, and a restart goes on above the claim (docs/spec/identity.md).
 */
export class ReservedCounter {
  readonly #persist: (reservedUpTo: bigint) => void
  #reservedUpTo: bigint
  #last: bigint

  /**
   * @param reservedUpTo what `persist` was last called with, 0 if never: the greatest value that may have been used
   * @param persist makes the claim durable before it returns; what it throws leaves the counter as it was
   */
  constructor(reservedUpTo: bigint, persist: (reservedUpTo: bigint) => void) {
    this.#reservedUpTo = u64(reservedUpTo)
    this.#last = reservedUpTo
    this.#persist = persist
  }

  /** The greatest value that may have been used. */
  get last(): bigint {
    return this.#last
  }

  /** A value greater than all before, 1 at the least. @throws {RangeError} after 2^64 − 1 */
  next(): bigint {
    if (this.#last === COUNTER_MAX) throw new RangeError('the counter is at its end')
    const value = this.#last + 1n
    if (value > this.#reservedUpTo) {
      const isNearEnd = this.#last > COUNTER_MAX - COUNTER_RESERVE
      const reservedUpTo = isNearEnd ? COUNTER_MAX : this.#last + COUNTER_RESERVE
      this.#persist(reservedUpTo)
      this.#reservedUpTo = reservedUpTo
    }
    this.#last = value
    return value
  }

  /** Goes on above `value`, where it is not there already: a higher counter under one's own signature was heard. */
  raiseTo(value: bigint): void {
    if (u64(value) > this.#last) this.#last = value
  }
}

function u64(value: bigint): bigint {
  if (value < 0n || value > COUNTER_MAX) throw new RangeError(`${value} is no u64`)
  return value
}
