/** A seeded generator (sfc32): the same seed draws the same faults on every machine. Not for secrets. */
export class Dice {
  #a: number
  #b: number
  #c: number
  #counter = 1

  constructor(seed: number) {
    this.#a = seed >>> 0
    this.#b = Math.floor(seed / 2 ** 32) >>> 0
    this.#c = 0x9e3779b9
    for (let i = 0; i < 12; i++) this.next()
  }

  /** Uniform in 0 … 2^32 − 1. */
  next(): number {
    const sum = (this.#a + this.#b + this.#counter++) >>> 0
    this.#counter >>>= 0
    this.#a = (this.#b ^ (this.#b >>> 9)) >>> 0
    this.#b = (this.#c + (this.#c << 3)) >>> 0
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) >>> 0
    return sum
  }

  /** Uniform in [0, 1). */
  unit(): number {
    return this.next() / 2 ** 32
  }

  /** True with the given probability; draws nothing where it is 0. */
  happens(ratio: number): boolean {
    return ratio > 0 && this.unit() < ratio
  }

  /** Uniform in 0 … limit − 1. */
  below(limit: number): number {
    return Math.floor(this.unit() * limit)
  }
}
