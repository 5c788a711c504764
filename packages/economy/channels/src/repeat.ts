import { REPEATS_MAX } from './limits.ts'

/** A message that is out, and when it is sent again. */
export class Repeat {
  #tries = 0
  #dueMs = Number.POSITIVE_INFINITY

  get dueMs(): number {
    return this.#dueMs
  }

  get isOn(): boolean {
    return this.#dueMs !== Number.POSITIVE_INFINITY
  }

  /** Sent for the first time. */
  start(nowMs: number, spacingMs: number): void {
    this.#tries = 0
    this.#dueMs = nowMs + spacingMs
  }

  /** Due: true where it is to be sent again, and nothing more is due once that was {@link REPEATS_MAX} times. */
  again(nowMs: number, spacingMs: number): boolean {
    if (this.#tries >= REPEATS_MAX) {
      this.stop()
      return false
    }
    this.#tries++
    this.#dueMs = nowMs + spacingMs
    return true
  }

  /** Due: sent again, without end, at waits that double up to `spacingsMax` spacings. */
  backOff(nowMs: number, spacingMs: number, spacingsMax: number): void {
    this.#tries++
    this.#dueMs = nowMs + spacingMs * Math.min(2 ** this.#tries, spacingsMax)
  }

  stop(): void {
    this.#dueMs = Number.POSITIVE_INFINITY
  }
}
