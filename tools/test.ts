/**
 * `npm test`, after the install: types, style, and every test of every package and of the house. Arguments go to vitest.
 * Ends with a table and the line `N passed, N failed`.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { programOf, rootFolder } from './lib/root.ts'
import { isStopped, runStep } from './lib/steps.ts'
import { closingLine, printTable, type SuiteResult, withSkipped } from './lib/summary.ts'
import { runVitest } from './lib/vitest.ts'

const projects = ['tsconfig.json', 'packages/toolkit/dashboard/src/page/tsconfig.json']

async function check(name: string, packageName: string, command: string, args: string[]): Promise<SuiteResult> {
  const { exitCode, output, seconds } = await runStep(process.execPath, [programOf(packageName, command), ...args], {
    quiet: true,
  })
  if (exitCode !== 0) process.stdout.write(`\n${name}:\n${output}\n`)
  return { name, passed: exitCode === 0 ? 1 : 0, failed: exitCode === 0 ? 0 : 1, skipped: [], seconds }
}

const rows: SuiteResult[] = []
for (const project of projects.filter((file) => existsSync(join(rootFolder, file)))) {
  rows.push(await check(`types (${project})`, 'typescript', 'tsc', ['--noEmit', '--pretty', 'false', '-p', project]))
}
rows.push(await check('style', '@biomejs/biome', 'biome', ['check', '--colors=off', '.']))
if (!isStopped()) rows.push({ name: 'tests', ...(await runVitest(process.argv.slice(2))) })

const counted = withSkipped(rows)
printTable(counted)
closingLine(counted)
