/** Who does a job: the project, another implementation, or the bare operations that nothing can do without. */
export type ContenderKind = 'ours' | 'peer' | 'limit'

/** One reading of a contender, in the unit of its job, with figures that explain it. */
export interface Reading {
  readonly value: number
  /** Processor time of one packet, in the process that is measured. */
  readonly cpuMicros?: number
  readonly details?: Readonly<Record<string, number>>
}

/** A contender that is set up. Rounds of all contenders of a job take turns. */
export interface Subject {
  measure(): Promise<Reading>
  stop?(): Promise<void>
}

export interface Contender {
  readonly id: string
  readonly title: string
  readonly kind: ContenderKind
  /** @throws {AbsentError} where it cannot be had on this machine */
  start(effort: Effort): Promise<Subject>
}

/** How long to measure. */
export interface Effort {
  readonly rounds: number
  /** Of one reading that counts what is done in a time. */
  readonly seconds: number
  /** Scale of readings that time a given amount of work: 1 for a full run. */
  readonly share: number
}

/** What a contender must reach. Ratios are of one run: contender ÷ `against`. */
export type Target =
  | { readonly kind: 'ratio'; readonly of: string; readonly against: string; readonly atLeast: number }
  /** The ratio of what one second of CPU does: the readings' {@link Reading.cpuMicros}, which other load hardly moves. */
  | { readonly kind: 'cpu-ratio'; readonly of: string; readonly against: string; readonly atLeast: number }
  | { readonly kind: 'ratio'; readonly of: string; readonly against: string; readonly atMost: number }
  /** In the unit of the job, which then is one that a machine does not change: bytes, not time. */
  | { readonly kind: 'difference'; readonly of: string; readonly against: string; readonly atMost: number }
  | { readonly kind: 'value'; readonly of: string; readonly atMost: number }

export interface Job {
  readonly id: string
  readonly title: string
  /** Of every reading: `packets/s`, `ms`, `MB`. */
  readonly unit: string
  readonly contenders: readonly Contender[]
  readonly targets: readonly Target[]
  /** What has to be known to read the figures. */
  readonly notes?: readonly string[]
  /** Readings per contender where another number than the effort's is wanted. */
  readonly rounds?: number
  /** Every reading begins with a new process: there is nothing to warm up. */
  readonly isCold?: boolean
}

/** A contender that this machine does not have. */
export class AbsentError extends Error {
  override readonly name = 'AbsentError'
}
