/** Runs vitest and counts: passed, failed, skipped, from its own JSON report. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { programOf, rootFolder } from './root.ts'
import { runStep, type StepOptions } from './steps.ts'

interface Report {
  readonly testResults: readonly {
    readonly name: string
    readonly status: string
    readonly assertionResults: readonly { readonly fullName: string; readonly status: string }[]
  }[]
}

/**
 * Runs vitest with arguments of its own: file filters, `-t`, `--shard`. `failed` is at least 1 when the run itself went
 * wrong: a file that does not load, an unhandled error, no test at all.
 */
export async function runVitest(
  args: readonly string[],
  options: StepOptions = {},
): Promise<Counts & { seconds: number }> {
  const folder = mkdtempSync(join(tmpdir(), 'nexus-vitest-'))
  const file = join(folder, 'report.json')
  try {
    const colour: Record<string, string> = process.stdout.isTTY ? { FORCE_COLOR: '1' } : { NO_COLOR: '1' }
    const flags = ['run', '--reporter=default', '--reporter=json', `--outputFile.json=${file}`]
    const step = await runStep(process.execPath, [programOf('vitest'), ...flags, ...args], {
      ...options,
      env: { ...colour, ...options.env },
    })
    const counts: Counts = existsSync(file)
      ? count(JSON.parse(readFileSync(file, 'utf8')))
      : { passed: 0, failed: 0, skipped: [] }
    if (step.timedOut) process.stderr.write(`vitest was ended after ${Math.round(step.seconds)} s\n`)
    const failed = step.exitCode !== 0 && counts.failed === 0 ? 1 : counts.failed
    return { ...counts, failed, seconds: step.seconds }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

interface Counts {
  passed: number
  failed: number
  skipped: string[]
}

/** The report has skipped tests as `pending` or `skipped`, and unfinished ones as `todo`. */
function count({ testResults }: Report): Counts {
  const counts: Counts = { passed: 0, failed: 0, skipped: [] }
  for (const { name, status, assertionResults } of testResults) {
    const failedBefore = counts.failed
    for (const test of assertionResults) {
      if (test.status === 'passed') counts.passed += 1
      else if (test.status === 'failed') counts.failed += 1
      else counts.skipped.push(`${name.slice(rootFolder.length)}: ${test.fullName}`)
    }
    if (status === 'failed' && counts.failed === failedBefore) counts.failed += 1
  }
  return counts
}
