import type { Job, Reading, Target } from '../src/job.ts'
import { type JobResult, RESULTS_SCHEMA, type Results } from '../src/results.ts'
import { runJob } from '../src/run.ts'

export const EFFORT = { rounds: 3, seconds: 0, share: 1 }

/** A job whose contenders read what they are told, in turn; `undefined` for one that is absent. */
export function scripted(
  scripts: Readonly<Record<string, readonly (number | Reading)[] | undefined>>,
  targets: readonly Target[],
  log: string[] = [],
): Job {
  return {
    id: 'job',
    title: 'A job',
    unit: 'things/s',
    targets,
    isCold: true,
    contenders: Object.entries(scripts).map(([id, script]) => ({
      id,
      title: `contender ${id}`,
      kind: id === 'ours' ? 'ours' : 'peer',
      async start() {
        const { AbsentError } = await import('../src/job.ts')
        if (script === undefined) throw new AbsentError('not on this machine')
        let next = 0
        return {
          async measure() {
            log.push(id)
            const reading = script[next++ % script.length]!
            return typeof reading === 'number' ? { value: reading } : reading
          },
          async stop() {
            log.push(`${id} stopped`)
          },
        }
      },
    })),
  }
}

export function resultsOf(...jobs: readonly JobResult[]): Results {
  const machine = { cpu: 'cpu', cores: 2, platform: 'linux', node: 'v24', openssl: '3', load: [0, 0, 0] }
  return { schema: RESULTS_SCHEMA, date: '2026-11-24T10:00:00.000Z', quick: false, machine, jobs }
}

/** A run with one ratio, of three rounds. */
export async function runWithRatio(ratios: readonly number[], atLeast = 1): Promise<Results> {
  const target: Target = { kind: 'ratio', of: 'ours', against: 'peer', atLeast }
  return resultsOf(await runJob(scripted({ ours: ratios, peer: [1] }, [target]), EFFORT, () => {}))
}
