/**
 * Runs a slice of the test suite at a chosen depth: `node tools/suite.ts NAME=value … filter …`. NAME=value goes into
 * the environment, the rest to vitest; files named *.slow.ts take part. Ends with `N passed, N failed`.
 */
import process from 'node:process'
import { closingLine, printTable, withSkipped } from './lib/summary.ts'
import { runVitest } from './lib/vitest.ts'

const args = process.argv.slice(2)
const settings = args.filter((arg) => /^[A-Z_]+=/.test(arg))
const filters = args.filter((arg) => !settings.includes(arg))
const env = Object.fromEntries(settings.map((setting) => setting.split(/=(.*)/s).slice(0, 2)))

const row = { name: args.join(' '), ...(await runVitest(filters, { env: { NEXUS_SLOW: '1', ...env } })) }
const rows = withSkipped([row])
printTable(rows)
closingLine(rows)
