/**
 * The long suites: each script of the root package.json that is named `slow:*`, in their order, within a time limit each.
 * Arguments name some of them. Ends with `N passed, N failed`.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { rootFolder } from './lib/root.ts'
import { isStopped, runStep } from './lib/steps.ts'
import { closingLine, printTable, type SuiteResult } from './lib/summary.ts'

const MINUTE_MS = 60_000
const LIMIT_MS = 15 * MINUTE_MS

const { scripts } = JSON.parse(readFileSync(join(rootFolder, 'package.json'), 'utf8'))
const suites = Object.keys(scripts).filter((name) => name.startsWith('slow:'))
const wanted = process.argv.slice(2)
const rows: SuiteResult[] = []
for (const name of suites.filter((suite) => wanted.length === 0 || wanted.includes(suite))) {
  if (isStopped()) break
  process.stdout.write(`\n━━ ${name}\n`)
  const { exitCode, output, seconds, timedOut } = await runStep('npm', ['run', '--silent', name], { limitMs: LIMIT_MS })
  if (timedOut) process.stdout.write(`${name} was ended after ${Math.round(seconds)} s\n`)
  rows.push({ name, ...countsOf(output, exitCode), skipped: [], seconds })
}
printTable(rows)
closingLine(rows)

/** A suite's own closing line; a suite without one counts as a single test. A bad exit is always a failure. */
function countsOf(output: string, exitCode: number): { passed: number; failed: number } {
  const lines = [...output.matchAll(/^(\d+) passed, (\d+) failed/gm)]
  const [, passed, failed] = lines.at(-1) ?? [null, exitCode === 0 ? 1 : 0, 0]
  return { passed: Number(passed), failed: Math.max(Number(failed), exitCode === 0 ? 0 : 1) }
}
