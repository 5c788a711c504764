/**
 * `npm test`, after the install: types, style, and every test of every package and of the house. Arguments go to vitest.
 * Ends with a table and the line `N passed, N failed`; NEXUS_RESULTS names a file for the same as JSON.
 */
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { isStopped, programOf, rootFolder, runStep } from './lib/steps.mjs'
import { closingLine, printTable } from './lib/summary.mjs'
import { runVitest } from './lib/vitest.mjs'

const projects = ['tsconfig.json', 'packages/toolkit/dashboard/src/page/tsconfig.json']

async function check(name, packageName, command, args) {
  const { exitCode, output, seconds } = await runStep(process.execPath, [programOf(packageName, command), ...args], {
    quiet: true,
  })
  if (exitCode !== 0) process.stdout.write(`\n${name}:\n${output}\n`)
  return { name, passed: exitCode === 0 ? 1 : 0, failed: exitCode === 0 ? 0 : 1, skipped: [], seconds }
}

const rows = []
for (const project of projects.filter((file) => existsSync(join(rootFolder, file)))) {
  rows.push(await check(`types (${project})`, 'typescript', 'tsc', ['--noEmit', '--pretty', 'false', '-p', project]))
}
rows.push(await check('style', '@biomejs/biome', 'biome', ['check', '--colors=off', '.']))
if (!isStopped()) rows.push({ name: 'tests', ...(await runVitest(process.argv.slice(2))) })

// In CI a test that did not run has not passed.
const skipped = rows.flatMap((row) => row.skipped)
if (skipped.length > 0) process.stdout.write(`\nskipped:\n${skipped.map((name) => `  ${name}\n`).join('')}`)
if (process.env.CI) for (const row of rows) row.failed += row.skipped.length

printTable(rows)
if (process.env.NEXUS_RESULTS) writeFileSync(process.env.NEXUS_RESULTS, JSON.stringify(rows))
closingLine(rows)
