import type { Target } from './job.ts'
import type { ContenderResult, Verdict } from './results.ts'
import { ratiosOf, type Spread, spreadOf } from './statistics.ts'

/** Judges a target by the median over the rounds. */
export function judge(jobId: string, target: Target, contenders: readonly ContenderResult[]): Verdict {
  const id = targetId(jobId, target)
  const samples = reachedSamples(target, contenders)
  if (samples.length === 0) return { id, target, outcome: 'absent' }
  const reached = spreadOf(samples)
  return { id, target, reached, outcome: meets(target, reached.median, 1) ? 'met' : 'missed' }
}

/**
 * Whether `reached` keeps within `tolerance` times the target: 1 asks for the target itself, 0.5 for half of what it
 * wants, or twice of what it allows.
 */
export function meets(target: Target, reached: number, tolerance: number): boolean {
  return 'atLeast' in target ? reached >= target.atLeast * tolerance : reached <= target.atMost / tolerance
}

/** How good `reached` is beside `before`, as a factor: below 1 is worse, whichever way the target looks. */
export function changeOf(target: Target, reached: Spread, before: Spread): number {
  return 'atLeast' in target ? reached.median / before.median : before.median / reached.median
}

/** `forward-tcp: ours/reticulum`, with ` by CPU` where that is compared. */
export function targetId(jobId: string, target: Target): string {
  const against = target.kind === 'value' ? '' : `${target.kind === 'difference' ? '−' : '/'}${target.against}`
  return `${jobId}: ${target.of}${against}${target.kind === 'cpu-ratio' ? ' by CPU' : ''}`
}

function reachedSamples(target: Target, contenders: readonly ContenderResult[]): readonly number[] {
  const find = (wanted: string) => contenders.find(({ id }) => id === wanted)
  if (target.kind === 'cpu-ratio') {
    return ratiosOf(find(target.against)?.cpuMicros ?? [], find(target.of)?.cpuMicros ?? [])
  }
  const samplesOf = (wanted: string) => find(wanted)?.samples ?? []
  const ours = samplesOf(target.of)
  if (target.kind === 'value') return ours
  const theirs = samplesOf(target.against)
  if (target.kind === 'ratio') return ratiosOf(ours, theirs)
  return ours.slice(0, theirs.length).map((sample, round) => sample - theirs[round]!)
}
