import { AbsentError, type Contender, type Effort, type Job, type Reading, type Subject } from './job.ts'
import type { ContenderResult, JobResult } from './results.ts'
import { spreadOf } from './statistics.ts'
import { judge } from './verdict.ts'

interface Entry {
  readonly contender: Contender
  readonly subject: Subject | undefined
  readonly absent: string | undefined
  readonly readings: Reading[]
}

/** Measures a job, after one reading that only warms up: every round asks each contender once, so that what else the machine does hits all of them. */
export async function runJob(job: Job, effort: Effort, progress: (text: string) => void): Promise<JobResult> {
  const entries: Entry[] = []
  try {
    for (const contender of job.contenders) entries.push(await begin(contender, effort))
    if (job.isCold !== true) for (const { subject } of entries) await subject?.measure()
    const rounds = job.rounds ?? effort.rounds
    for (let round = 1; round <= rounds; round++) {
      progress(`${job.id}: round ${round} of ${rounds}`)
      for (const { subject, readings } of entries) if (subject !== undefined) readings.push(await subject.measure())
    }
  } finally {
    for (const { subject } of entries) await subject?.stop?.()
  }
  const contenders = entries.map(summary)
  return {
    id: job.id,
    title: job.title,
    unit: job.unit,
    notes: job.notes ?? [],
    contenders,
    verdicts: job.targets.map((target) => judge(job.id, target, contenders)),
  }
}

async function begin(contender: Contender, effort: Effort): Promise<Entry> {
  try {
    return { contender, subject: await contender.start(effort), absent: undefined, readings: [] }
  } catch (error) {
    if (!(error instanceof AbsentError)) throw error
    return { contender, subject: undefined, absent: error.message, readings: [] }
  }
}

function summary({ contender: { id, title, kind }, absent, readings }: Entry): ContenderResult {
  const samples = readings.map(({ value }) => value)
  const names = new Set(readings.flatMap(({ details = {} }) => Object.keys(details)))
  const medianOf = (name: string) => spreadOf(readings.map(({ details }) => details?.[name] ?? 0)).median
  return {
    id,
    title,
    kind,
    samples,
    cpuMicros: readings.flatMap(({ cpuMicros }) => cpuMicros ?? []),
    details: Object.fromEntries([...names].map((name) => [name, medianOf(name)])),
    ...(absent === undefined ? {} : { absent }),
    ...(samples.length === 0 ? {} : { spread: spreadOf(samples) }),
  }
}
