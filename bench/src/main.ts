/** `pnpm bench`: see {@link USAGE}. Results go to standard output, what is under way to standard error. */
import { readFileSync } from 'node:fs'
import { checkRun, compareRuns } from './compare.ts'
import { AbsentError, type Effort, type Job } from './job.ts'
import { JOBS } from './jobs/index.ts'
import { describeMachine } from './machine.ts'
import { parseOptions, USAGE } from './options.ts'
import { lastRecorded, record } from './record.ts'
import { changesText, checksText, textReport } from './report.ts'
import { parseResults, RESULTS_SCHEMA, type Results } from './results.ts'
import { describeReticulum } from './reticulum.ts'
import { runJob } from './run.ts'

const FULL: Effort = { rounds: 7, seconds: 1, share: 1 }
const QUICK: Effort = { rounds: 3, seconds: 0.4, share: 0.15 }

const inCi = process.env['CI'] === 'true'
const options = parseOptions(process.argv.slice(2))
const jobs = JOBS.filter(({ id }) => options.only.length === 0 || options.only.some((word) => id.includes(word)))

if (options.help) console.log(USAGE)
else if (options.list) console.log(jobs.map(({ id, title }) => `${id.padEnd(20)} ${title}`).join('\n'))
else finish(await measure(jobs))
// Children end with this process; nothing that still waits for them may hold it.
process.exit()

async function measure(wanted: readonly Job[]): Promise<Results> {
  const reticulum = await describeReticulum().catch((error: unknown) => {
    if (!(error instanceof AbsentError)) throw error
    console.error(`\n!!! ${error.message}\n!!! Everything that is measured beside it stays without a ratio.\n`)
    return undefined
  })
  const machine = describeMachine(reticulum)
  const effort = options.quick ? QUICK : FULL
  const results = []
  for (const job of wanted) results.push(await runJob(job, effort, (text) => console.error(text)))
  return { schema: RESULTS_SCHEMA, date: new Date().toISOString(), quick: options.quick, machine, jobs: results }
}

function finish(results: Results): void {
  console.log(options.json ? JSON.stringify(results, null, 2) : textReport(results))
  if (options.record) console.error(`written: ${record(results)}`)
  if (options.compare !== undefined) {
    const before = parseResults(readFileSync(options.compare, 'utf8'))
    const changes = compareRuns(results, before, options.tolerance)
    console.error(`\n${changesText(changes)}`)
    if (changes.some(({ regressed }) => regressed)) process.exitCode = 1
  }
  if (inCi && results.machine.reticulum === undefined) process.exitCode = 1
  if (!options.check) return
  const checks = checkRun(results, lastRecorded(), 1 - options.tolerance, inCi)
  const passed = checks.filter((check) => check.passed).length
  console.log(`\n${checksText(checks)}\n\n${passed} passed, ${checks.length - passed} failed`)
  if (passed < checks.length || passed === 0) process.exitCode = 1
}
