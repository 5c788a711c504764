import type { Dice } from './dice.ts'

/** What a medium does to frames. Ratios are probabilities per frame, 0 to 1; all defaults are 0: a perfect medium. */
export interface Impairment {
  /** Every frame takes so long. */
  readonly latencyMs?: number
  /** And up to so much more, evenly drawn; order is kept. */
  readonly jitterMs?: number
  readonly lossRatio?: number
  /** A second copy arrives, drawn by itself. */
  readonly duplicateRatio?: number
  /** The frame is overtaken by those of the next `reorderMs`. */
  readonly reorderRatio?: number
  /** Default {@link REORDER_MS}. */
  readonly reorderMs?: number
  /** One bit of the frame is flipped. */
  readonly corruptRatio?: number
}

export const REORDER_MS = 20

/** How often each fault came: a run in which one never did has not tested it. */
export interface FaultCounts {
  lost: number
  duplicated: number
  reordered: number
  corrupted: number
}

export function noFaults(): FaultCounts {
  return { lost: 0, duplicated: 0, reordered: 0, corrupted: 0 }
}

/** @throws {RangeError} for a ratio outside 0 to 1 or a negative time */
export function checkImpairment(impairment: Impairment): Impairment {
  for (const [name, value] of Object.entries(impairment) as [string, number][]) {
    const most = name.endsWith('Ratio') ? 1 : Number.MAX_VALUE
    if (!(value >= 0 && value <= most)) throw new RangeError(`${name} can't be ${value}`)
  }
  return impairment
}

/** One direction between two ends: draws the fate of each frame. */
export class Path {
  readonly #dice: Dice
  readonly #counts: FaultCounts
  #lastAtMs = 0

  constructor(dice: Dice, counts: FaultCounts) {
    this.#dice = dice
    this.#counts = counts
  }

  /** Calls `deliver` for each copy of `frame` that will arrive, with its time; the bytes are a copy. */
  carry(
    impairment: Impairment,
    nowMs: number,
    frame: Uint8Array,
    deliver: (atMs: number, bytes: Uint8Array) => void,
  ): void {
    const copies = this.#dice.happens(impairment.duplicateRatio ?? 0) ? 2 : 1
    if (copies === 2) this.#counts.duplicated++
    for (let copy = 0; copy < copies; copy++) {
      if (this.#dice.happens(impairment.lossRatio ?? 0)) this.#counts.lost++
      else deliver(this.#arrivalMs(impairment, nowMs), this.#corrupt(impairment, frame.slice()))
    }
  }

  #arrivalMs(impairment: Impairment, nowMs: number): number {
    const { latencyMs = 0, jitterMs = 0, reorderRatio = 0, reorderMs = REORDER_MS } = impairment
    const atMs = nowMs + latencyMs + (jitterMs > 0 ? this.#dice.unit() * jitterMs : 0)
    if (this.#dice.happens(reorderRatio)) {
      this.#counts.reordered++
      return Math.max(atMs, this.#lastAtMs) + this.#dice.unit() * reorderMs
    }
    this.#lastAtMs = Math.max(atMs, this.#lastAtMs)
    return this.#lastAtMs
  }

  #corrupt(impairment: Impairment, bytes: Uint8Array): Uint8Array {
    if (bytes.length > 0 && this.#dice.happens(impairment.corruptRatio ?? 0)) {
      this.#counts.corrupted++
      const bit = this.#dice.below(bytes.length * 8)
      bytes[bit >> 3] = (bytes[bit >> 3] as number) ^ (1 << (bit & 7))
    }
    return bytes
  }
}
