/** How a run of several suites ends: one row each, then `N passed, N failed`, and the exit code. */
import process from 'node:process'

export interface SuiteResult {
  readonly name: string
  readonly passed: number
  readonly failed: number
  /** Names of the tests that did not run. */
  readonly skipped: readonly string[]
  readonly seconds: number
}

/** One line for each suite. */
export function printTable(rows: readonly SuiteResult[]): void {
  const width = Math.max(...rows.map((row) => row.name.length))
  process.stdout.write('\n')
  for (const { name, passed, failed, skipped, seconds } of rows) {
    const counts = `${passed} passed, ${failed} failed${skipped.length > 0 ? `, ${skipped.length} skipped` : ''}`
    process.stdout.write(
      `${failed > 0 ? '✗' : '✓'} ${name.padEnd(width)}  ${seconds.toFixed(1).padStart(6)} s  ${counts}\n`,
    )
  }
}

/** Prints the totals, alone on the last line, and sets the exit code: 0 only when something passed and nothing failed. */
export function closingLine(rows: readonly SuiteResult[]): void {
  const passed = rows.reduce((sum, row) => sum + row.passed, 0)
  const failed = rows.reduce((sum, row) => sum + row.failed, 0)
  process.stdout.write(`\n${passed} passed, ${failed} failed\n`)
  if (failed > 0 || passed === 0) process.exitCode ||= 1
}

/** Names the skipped tests; in CI a test that did not run has not passed, and counts as failed. */
export function withSkipped(rows: readonly SuiteResult[]): SuiteResult[] {
  const skipped = rows.flatMap((row) => row.skipped)
  if (skipped.length > 0) process.stdout.write(`\nskipped:\n${skipped.map((name) => `  ${name}\n`).join('')}`)
  return rows.map((row) => ({ ...row, failed: row.failed + (process.env['CI'] ? row.skipped.length : 0) }))
}
