const U32_MAX = 0xffff_ffff

/**
 * Numbers every datagram of one key, over all its segments: (boot, sequence) only rises. The boot is on disk before the
 * first datagram of it leaves.
 */
export class SequenceSource {
  readonly #nextBoot: (above: number) => number
  #boot: number
  #sequence = 0

  /** @param nextBoot a number above `above` and above all it gave before, durable when it returns; 1…2^32 − 1 */
  constructor(nextBoot: (above: number) => number) {
    this.#nextBoot = nextBoot
    this.#boot = nextBoot(0)
  }

  get boot(): number {
    return this.#boot
  }

  get sequence(): number {
    return this.#sequence
  }

  next(): { readonly boot: number; readonly sequence: number } {
    if (this.#sequence === U32_MAX) this.raiseAbove(this.#boot)
    this.#sequence += 1
    return { boot: this.#boot, sequence: this.#sequence }
  }

  /** Goes on above `boot`: it was heard under one's own valid signature. */
  raiseAbove(boot: number): void {
    this.#boot = this.#nextBoot(boot)
    this.#sequence = 0
  }
}
