import { REPLAY_WINDOW_FRAMES } from './limits.ts'

/**
 * The counters already accepted under one key: the newest {@link REPLAY_WINDOW_FRAMES} of them, older ones count as
 * accepted. It moves only by {@link mark}, which the caller does once the tag held.
 */
export class ReplayWindow {
  readonly #bits = new Uint32Array(REPLAY_WINDOW_FRAMES / 32)
  #highest = -1

  /** The highest authenticated counter, −1 before the first. */
  get highest(): number {
    return this.#highest
  }

  /** Whether the counter may still come: inside or above the window, and not marked. */
  isFresh(counter: number): boolean {
    if (counter > this.#highest) return true
    if (counter <= this.#highest - REPLAY_WINDOW_FRAMES) return false
    const slot = counter % REPLAY_WINDOW_FRAMES
    return (this.#bits[slot >>> 5]! & (1 << (slot & 31))) === 0
  }

  /** Notes an authenticated counter that was fresh. */
  mark(counter: number): void {
    if (counter > this.#highest) {
      if (counter - this.#highest >= REPLAY_WINDOW_FRAMES) this.#bits.fill(0)
      else for (let passed = this.#highest + 1; passed < counter; passed++) this.#clear(passed)
      this.#highest = counter
    }
    const slot = counter % REPLAY_WINDOW_FRAMES
    this.#bits[slot >>> 5]! |= 1 << (slot & 31)
  }

  #clear(counter: number): void {
    const slot = counter % REPLAY_WINDOW_FRAMES
    this.#bits[slot >>> 5]! &= ~(1 << (slot & 31))
  }
}

/**
 * The full counter that a frame's low bits stand for: of all counters ≡ `low` mod `modulus` the one nearest to
 * `highest`; of two equally near the larger.
 */
export function nearestCounter(highest: number, low: number, modulus: number): number {
  if (highest < 0) return low
  const candidate = highest - (highest % modulus) + low
  const half = modulus / 2
  if (candidate <= highest - half) return candidate + modulus
  if (candidate > highest + half && candidate >= modulus) return candidate - modulus
  return candidate
}
