import { parseArgs } from 'node:util'

export const USAGE = `Measures the project beside Reticulum and beside the bare operations, in one run.

pnpm bench [options]
  --quick           shorter and fewer rounds
  --only WORD       jobs whose name holds the word; repeatable
  --list            the names of the jobs, nothing is run
  --json            the results as JSON on standard output, instead of tables
  --compare FILE    beside earlier results (of --json or --record), ratio by ratio; fails where one fell
  --tolerance N     how far a ratio may fall, a share of it: 0.3 unless said; with --check 0.5
  --check           ends with "N passed, N failed": every ratio within the tolerance of its target
  --record          writes docs/results/bench-DATE.json and the tables of docs/benchmarks.md
  --help`

export interface Options {
  readonly quick: boolean
  readonly only: readonly string[]
  readonly list: boolean
  readonly json: boolean
  readonly compare: string | undefined
  /** Share of a ratio that may be lost. */
  readonly tolerance: number
  readonly check: boolean
  readonly record: boolean
  readonly help: boolean
}

/** @throws {TypeError} for an option that does not exist, {RangeError} for a tolerance outside 0…1 */
export function parseOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      quick: { type: 'boolean', default: false },
      only: { type: 'string', multiple: true, default: [] },
      list: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      compare: { type: 'string' },
      tolerance: { type: 'string' },
      check: { type: 'boolean', default: false },
      record: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  const tolerance = Number(values.tolerance ?? (values.check ? 0.5 : 0.3))
  if (!(tolerance >= 0 && tolerance < 1))
    throw new RangeError(`a tolerance is from 0 to below 1, not ${values.tolerance}`)
  return { ...values, compare: values.compare, tolerance }
}
