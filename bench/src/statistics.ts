/** What a row of samples says: its middle, and how far the rounds lay apart. */
export interface Spread {
  readonly median: number
  readonly min: number
  readonly max: number
}

/** @throws {RangeError} where there are no samples */
export function spreadOf(samples: readonly number[]): Spread {
  if (samples.length === 0) throw new RangeError('a spread of no samples')
  const sorted = samples.toSorted((a, b) => a - b)
  const half = sorted.length >> 1
  const median = sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2
  return { median, min: sorted[0]!, max: sorted.at(-1)! }
}

/**
 * `ours / theirs`, round by round: the two samples of a round were taken one after the other, so that what else the
 * machine did hit them nearly alike. Rounds that only one of them has are left out.
 */
export function ratiosOf(ours: readonly number[], theirs: readonly number[]): number[] {
  const rounds = Math.min(ours.length, theirs.length)
  return Array.from({ length: rounds }, (_, round) => ours[round]! / theirs[round]!)
}
