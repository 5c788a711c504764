/** So many at once, and so many a second after that. */
export class Budget {
  readonly #burst: number
  readonly #perMs: number
  #left: number
  #atMs: number | undefined

  constructor(burst: number, perSecond: number) {
    this.#burst = burst
    this.#perMs = perSecond / 1_000
    this.#left = burst
  }

  /** Takes one, if there is one. */
  take(nowMs: number): boolean {
    this.#left = Math.min(this.#burst, this.#left + (nowMs - (this.#atMs ?? nowMs)) * this.#perMs)
    this.#atMs = nowMs
    if (this.#left < 1) return false
    this.#left -= 1
    return true
  }

  /** When there will be one. */
  nextMs(nowMs: number): number {
    const left = this.#left + (nowMs - (this.#atMs ?? nowMs)) * this.#perMs
    return left >= 1 ? nowMs : nowMs + Math.ceil((1 - left) / this.#perMs)
  }
}
