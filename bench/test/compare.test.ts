import { describe, expect, test } from 'vitest'
import { checkRun, compareRuns } from '../src/compare.ts'
import type { Target } from '../src/job.ts'
import { runJob } from '../src/run.ts'
import { EFFORT, resultsOf, runWithRatio, scripted } from './kit.ts'

describe('beside an earlier run', () => {
  test('a ratio that fell by more than the tolerance has regressed', async () => {
    const [before, now] = [await runWithRatio([10, 10, 10]), await runWithRatio([6, 6, 6])]
    expect(compareRuns(now, before, 0.3)).toMatchObject([{ id: 'job: ours/peer', factor: 0.6, regressed: true }])
    expect(compareRuns(now, before, 0.5)).toMatchObject([{ regressed: false }])
    expect(compareRuns(before, now, 0.3)).toMatchObject([{ regressed: false }])
  })

  test('rounds that overlap say nothing', async () => {
    const [before, now] = [await runWithRatio([10, 10, 5]), await runWithRatio([6, 6, 6])]
    expect(compareRuns(now, before, 0.3)).toMatchObject([{ regressed: false }])
  })

  test('what should be small has regressed when it grew', async () => {
    const target: Target = { kind: 'value', of: 'ours', atMost: 300 }
    const run = async (bytes: number) =>
      resultsOf(await runJob(scripted({ ours: [bytes] }, [target]), EFFORT, () => {}))
    const [small, large] = [await run(100), await run(200)]
    expect(compareRuns(large, small, 0.3)).toMatchObject([{ factor: 0.5, regressed: true }])
    expect(compareRuns(small, large, 0.3)).toMatchObject([{ factor: 2, regressed: false }])
  })

  test('a target that one of the two lacks is left out', async () => {
    expect(compareRuns(await runWithRatio([1]), resultsOf(), 0.3)).toEqual([])
  })
})

describe('a check', () => {
  test('lets half of a target pass, and no less', async () => {
    expect(checkRun(await runWithRatio([0.6]), undefined, 0.5, true)).toMatchObject([{ passed: true }])
    expect(checkRun(await runWithRatio([0.4]), undefined, 0.5, true)).toMatchObject([{ passed: false }])
  })

  test('asks half of what was recorded where that missed its target', async () => {
    const recorded = await runWithRatio([0.4])
    expect(checkRun(await runWithRatio([0.3]), recorded, 0.5, true)).toMatchObject([{ passed: true }])
    expect(checkRun(await runWithRatio([0.1]), recorded, 0.5, true)).toMatchObject([{ passed: false }])
  })

  test('does not ask for more than half the target where the record exceeds it', async () => {
    expect(checkRun(await runWithRatio([0.6]), await runWithRatio([9]), 0.5, true)).toMatchObject([{ passed: true }])
  })

  test('fails for an absent peer only where it must be there', async () => {
    const target: Target = { kind: 'ratio', of: 'ours', against: 'peer', atLeast: 1 }
    const run = resultsOf(await runJob(scripted({ ours: [1], peer: undefined }, [target]), EFFORT, () => {}))
    expect(checkRun(run, undefined, 0.5, false)).toMatchObject([{ passed: true }])
    expect(checkRun(run, undefined, 0.5, true)).toMatchObject([{ passed: false }])
  })
})
