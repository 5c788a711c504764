/** Samples kept per counter; at one a second this is the span that a rate is taken over. */
const SAMPLES_MAX = 10
const COUNTERS_MAX = 1_024

interface Sample {
  readonly atMs: number
  readonly value: number
}

/** Rates of rising counters, over the last ten samples each. */
export class Rates {
  readonly #samples = new Map<string, Sample[]>()

  /** Notes a counter's value. A value below the last means that it began anew. */
  note(key: string, atMs: number, value: number): void {
    const samples = this.#samples.get(key) ?? []
    if (value < (samples.at(-1)?.value ?? 0)) samples.length = 0
    samples.push({ atMs, value })
    if (samples.length > SAMPLES_MAX) samples.shift()
    this.#samples.delete(key)
    if (this.#samples.size >= COUNTERS_MAX) this.#samples.delete(this.#samples.keys().next().value!)
    this.#samples.set(key, samples)
  }

  /** Growth per second; undefined before a second sample. */
  perSecond(key: string): number | undefined {
    const samples = this.#samples.get(key)
    const [first, last] = [samples?.[0], samples?.at(-1)]
    if (first === undefined || last === undefined || last.atMs <= first.atMs) return undefined
    return ((last.value - first.value) * 1_000) / (last.atMs - first.atMs)
  }

  /** Growth between the last two samples. */
  lastStep(key: string): number {
    const samples = this.#samples.get(key)
    const [before, last] = [samples?.at(-2), samples?.at(-1)]
    return before === undefined || last === undefined ? 0 : last.value - before.value
  }
}
