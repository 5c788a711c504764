import type { NodeEvent, SegmentReport, Status } from '@nexus/node/api'
import type { Loaded } from '../config/load.ts'

/** What the doctor knows when a check runs. */
export interface Patient {
  /** Absent where the configuration is wrong. */
  readonly loaded: Loaded | undefined
  /** What is wrong with the configuration. */
  readonly configProblem: string | undefined
  readonly socket: string | undefined
  /** Absent where no node answers. */
  readonly status: Status | undefined
  readonly events: readonly NodeEvent[]
  /** Absent where the node takes part in no segment, or does not run. */
  readonly segment: SegmentReport | undefined
}

export interface Finding {
  readonly check: string
  readonly verdict: 'ok' | 'warning' | 'failure' | 'skipped'
  /** What was found, in a sentence. */
  readonly found: string
  /** What to do about it. */
  readonly next?: string
}

export type Check = (patient: Patient) => Finding[] | Promise<Finding[]>

export const ok = (check: string, found: string): Finding => ({ check, verdict: 'ok', found })
export const skipped = (check: string, found: string): Finding => ({ check, verdict: 'skipped', found })
export const warning = (check: string, found: string, next: string): Finding => ({
  check,
  verdict: 'warning',
  found,
  next,
})
export const failure = (check: string, found: string, next: string): Finding => ({
  check,
  verdict: 'failure',
  found,
  next,
})
