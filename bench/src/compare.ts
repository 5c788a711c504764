import type { Results, Verdict } from './results.ts'
import type { Spread } from './statistics.ts'
import { changeOf, meets } from './verdict.ts'

/** One target in two runs. */
export interface Change {
  readonly id: string
  readonly now: Spread
  readonly before: Spread
  /** Below 1: worse than before. */
  readonly factor: number
  /** Worse by more than the tolerance, and in its best round still below the worst round of before. */
  readonly regressed: boolean
}

/**
 * What became of each ratio since another run. Times are not compared: another machine, or the same one in other
 * company, has others.
 */
export function compareRuns(now: Results, before: Results, tolerance: number): Change[] {
  const known = new Map(verdictsOf(before).map((verdict) => [verdict.id, verdict]))
  return verdictsOf(now).flatMap(({ id, target, reached }) => {
    const then = known.get(id)?.reached
    if (reached === undefined || then === undefined) return []
    const factor = changeOf(target, reached, then)
    const apart = 'atLeast' in target ? reached.max < then.min : reached.min > then.max
    return [{ id, now: reached, before: then, factor, regressed: factor < 1 - tolerance && apart }]
  })
}

/** One target in a check. */
export interface Check {
  readonly id: string
  readonly verdict: Verdict
  /** A peer that is missing fails only where it must not be. */
  readonly passed: boolean
}

/**
 * Checks ratios with a generous tolerance: each must reach `tolerance` times its target, or `tolerance` times what the
 * last recorded run reached, where that missed the target.
 */
export function checkRun(
  now: Results,
  recorded: Results | undefined,
  tolerance: number,
  peersMustBe: boolean,
): Check[] {
  const known = new Map(verdictsOf(recorded).map((verdict) => [verdict.id, verdict.reached]))
  return verdictsOf(now).map((verdict) => {
    const { id, target, reached } = verdict
    if (reached === undefined) return { id, verdict, passed: !peersMustBe }
    const before = known.get(id)
    const holds =
      meets(target, reached.median, tolerance) ||
      (before !== undefined && changeOf(target, reached, before) >= tolerance && !meets(target, before.median, 1))
    return { id, verdict, passed: holds }
  })
}

function verdictsOf(results: Results | undefined): Verdict[] {
  return results?.jobs.flatMap(({ verdicts }) => verdicts) ?? []
}
