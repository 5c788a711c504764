import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { markdownReport } from './report.ts'
import { parseResults, type Results } from './results.ts'

const DOCS = fileURLToPath(new URL('../../docs/', import.meta.url))
const RESULTS = join(DOCS, 'results')
const PAGE = join(DOCS, 'benchmarks.md')
const FILE_NAME = /^bench-\d{4}-\d{2}-\d{2}\.json$/

/** Where the tables stand in docs/benchmarks.md. */
export const TABLES: RegExp = /<!-- bench -->\n[\s\S]*?<!-- \/bench -->/

/** Keeps a run, and shows it on the page. Returns the file. */
export function record(results: Results): string {
  mkdirSync(RESULTS, { recursive: true })
  const file = join(RESULTS, `bench-${results.date.slice(0, 10)}.json`)
  writeFileSync(file, `${JSON.stringify(rounded(results), null, 2)}\n`)
  writeFileSync(PAGE, withTables(readFileSync(PAGE, 'utf8'), results))
  return file
}

/** The page with the tables of this run. @throws {TypeError} where the page has no place for them */
export function withTables(page: string, results: Results): string {
  if (!TABLES.test(page)) throw new TypeError('the page has no <!-- bench --> … <!-- /bench -->')
  return page.replace(TABLES, () => `<!-- bench -->\n${markdownReport(results)}\n<!-- /bench -->`)
}

/** The newest run that was kept. */
export function lastRecorded(): Results | undefined {
  if (!existsSync(RESULTS)) return undefined
  const name = readdirSync(RESULTS)
    .filter((file) => FILE_NAME.test(file))
    .sort()
    .at(-1)
  return name === undefined ? undefined : parseResults(readFileSync(join(RESULTS, name), 'utf8'))
}

/** Four digits: what comes after is noise. */
function rounded(results: Results): unknown {
  return JSON.parse(
    JSON.stringify(results, (_, value: unknown) => (typeof value === 'number' ? Number(value.toPrecision(4)) : value)),
  )
}
