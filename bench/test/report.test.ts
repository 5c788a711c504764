import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { Target } from '../src/job.ts'
import { JOBS } from '../src/jobs/index.ts'
import { parseOptions } from '../src/options.ts'
import { TABLES, withTables } from '../src/record.ts'
import { number, textReport } from '../src/report.ts'
import { parseResults } from '../src/results.ts'
import { runJob } from '../src/run.ts'
import { targetId } from '../src/verdict.ts'
import { EFFORT, resultsOf, runWithRatio, scripted } from './kit.ts'

test('numbers show the digits that mean something', () => {
  expect([0, 0.123, 1.5, 12.34, 123.4, 1234.5, 87654].map(number)).toEqual([
    '0',
    '0.12',
    '1.50',
    '12.3',
    '123',
    '1 230',
    '87 700',
  ])
})

test('a missed target and an absent peer are said as such', async () => {
  expect(textReport(await runWithRatio([0.5]))).toMatch(/✗ ≥ 1 × peer: 0\.50 .*missed/)
  const target: Target = { kind: 'ratio', of: 'ours', against: 'peer', atLeast: 1 }
  const absent = resultsOf(await runJob(scripted({ ours: [1], peer: undefined }, [target]), EFFORT, () => {}))
  expect(textReport(absent)).toMatch(/ABSENT: not on this machine/)
})

describe('the page', () => {
  const page = readFileSync(new URL('../../docs/benchmarks.md', import.meta.url), 'utf8')

  test('has a place for the tables, and takes them again and again', async () => {
    expect(page).toMatch(TABLES)
    const once = withTables(page, await runWithRatio([2]))
    expect(once).toContain('| A job | ≥ 1 × peer | 2.00 [2.00 – 2.00] | met |')
    expect(withTables(once, await runWithRatio([2]))).toBe(once)
    expect(() => withTables('no place', resultsOf())).toThrow(TypeError)
  })
})

test('results are read back, and other files are not taken for them', async () => {
  const results = await runWithRatio([1])
  expect(parseResults(JSON.stringify(results))).toEqual(results)
  for (const text of ['null', '{}', '{"schema":"other"}']) expect(() => parseResults(text)).toThrow(TypeError)
})

test('options', () => {
  expect(parseOptions(['--quick', '--only', 'tcp', '--only', 'udp'])).toMatchObject({
    quick: true,
    only: ['tcp', 'udp'],
    tolerance: 0.3,
  })
  expect(parseOptions(['--check'])).toMatchObject({ tolerance: 0.5 })
  expect(() => parseOptions(['--tolerance', '1'])).toThrow(RangeError)
  expect(() => parseOptions(['--fast'])).toThrow(TypeError)
})

test('every target names contenders of its job, once', () => {
  const ids = JOBS.flatMap((job) => {
    const known = job.contenders.map(({ id }) => id)
    for (const target of job.targets) {
      expect(known).toContain(target.of)
      if (target.kind !== 'value') expect(known).toContain(target.against)
    }
    return job.targets.map((target) => targetId(job.id, target))
  })
  expect(new Set(ids).size).toBe(ids.length)
  expect(new Set(JOBS.map(({ id }) => id)).size).toBe(JOBS.length)
})
