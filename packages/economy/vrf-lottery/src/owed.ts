/** What a payer was let go without paying, in μNXS by epoch; forgiven after one whole epoch. */
export class Owed {
  readonly #byEpoch: Map<number, number>
  #micro = 0
  #epoch: number

  constructor(epoch: number, byEpoch: ReadonlyMap<number, number> = new Map()) {
    this.#byEpoch = new Map(byEpoch)
    this.#epoch = epoch
    this.epochIs(epoch)
  }

  /** The sum. */
  get micro(): number {
    return this.#micro
  }

  add(micro: number): void {
    this.#byEpoch.set(this.#epoch, (this.#byEpoch.get(this.#epoch) ?? 0) + micro)
    this.#micro += micro
  }

  /** Something was paid of it after all: what is owed longest first. */
  pay(micro: number): void {
    let left = micro
    for (const [epoch, owed] of [...this.#byEpoch].sort(([a], [b]) => a - b)) {
      const paid = Math.min(owed, left)
      left -= paid
      if (paid === owed) this.#byEpoch.delete(epoch)
      else this.#byEpoch.set(epoch, owed - paid)
    }
    this.epochIs(this.#epoch)
  }

  epochIs(epoch: number): void {
    this.#epoch = epoch
    this.#micro = 0
    for (const [owedEpoch, micro] of [...this.#byEpoch]) {
      if (owedEpoch + 1 < epoch) this.#byEpoch.delete(owedEpoch)
      else this.#micro += micro
    }
  }

  /** A copy, as if so much more had been owed now. */
  with(micro: number): ReadonlyMap<number, number> {
    const copy = new Map(this.#byEpoch)
    if (micro > 0) copy.set(this.#epoch, (copy.get(this.#epoch) ?? 0) + micro)
    return copy
  }
}
