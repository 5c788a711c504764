import type { ContenderKind, Target } from './job.ts'
import type { Machine } from './machine.ts'
import type { Spread } from './statistics.ts'

export const RESULTS_SCHEMA = 'nexus-bench/1'

export interface ContenderResult {
  readonly id: string
  readonly title: string
  readonly kind: ContenderKind
  /** Why there are no samples. */
  readonly absent?: string
  readonly samples: readonly number[]
  readonly spread?: Spread
  /** µs of processor time, of those that report it; empty otherwise. */
  readonly cpuMicros: readonly number[]
  /** Medians of the details. */
  readonly details: Readonly<Record<string, number>>
}

/** `absent`: one of the two was not measured. */
export type Outcome = 'met' | 'missed' | 'absent'

export interface Verdict {
  /** Names the target across runs. */
  readonly id: string
  readonly target: Target
  /** The ratio, difference or value that is judged by its median. */
  readonly reached?: Spread
  readonly outcome: Outcome
}

export interface JobResult {
  readonly id: string
  readonly title: string
  readonly unit: string
  readonly notes: readonly string[]
  readonly contenders: readonly ContenderResult[]
  readonly verdicts: readonly Verdict[]
}

/** One run, as it is printed with `--json` and kept by `--record`. */
export interface Results {
  readonly schema: typeof RESULTS_SCHEMA
  readonly date: string
  readonly quick: boolean
  readonly machine: Machine
  readonly jobs: readonly JobResult[]
}

/** Reads what `--json` wrote. @throws {TypeError} where it is something else */
export function parseResults(text: string): Results {
  const results: unknown = JSON.parse(text)
  if ((results as Partial<Results> | null)?.schema !== RESULTS_SCHEMA) {
    throw new TypeError(`these are no results of the schema ${RESULTS_SCHEMA}`)
  }
  return results as Results
}
