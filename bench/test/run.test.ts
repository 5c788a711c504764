import { describe, expect, test } from 'vitest'
import { runJob } from '../src/run.ts'
import { EFFORT, scripted } from './kit.ts'

describe('a job', () => {
  test('asks its contenders in turns, and stops all of them', async () => {
    const log: string[] = []
    const job = scripted({ ours: [2, 4, 6], peer: [1] }, [], log)
    const { contenders } = await runJob(job, EFFORT, () => {})
    expect(log).toEqual(['ours', 'peer', 'ours', 'peer', 'ours', 'peer', 'ours stopped', 'peer stopped'])
    expect(contenders[0]).toMatchObject({ samples: [2, 4, 6], spread: { median: 4, min: 2, max: 6 } })
  })

  test('warms up with one reading that does not count', async () => {
    const { isCold: _, ...warm } = scripted({ ours: [1, 8, 8, 8] }, [])
    const { contenders } = await runJob(warm, EFFORT, () => {})
    expect(contenders[0]!.samples).toEqual([8, 8, 8])
  })

  test('stops what it started when one fails', async () => {
    const log: string[] = []
    const job = scripted({ ours: [1], peer: [1] }, [], log)
    const broken = { ...job.contenders[1]!, start: () => Promise.reject(new Error('broken')) }
    await expect(runJob({ ...job, contenders: [job.contenders[0]!, broken] }, EFFORT, () => {})).rejects.toThrow(
      'broken',
    )
    expect(log).toEqual(['ours stopped'])
  })

  test('names a contender that is absent, and leaves its ratio open', async () => {
    const job = scripted({ ours: [1], peer: undefined }, [{ kind: 'ratio', of: 'ours', against: 'peer', atLeast: 1 }])
    const { contenders, verdicts } = await runJob(job, EFFORT, () => {})
    expect(contenders[1]).toMatchObject({ samples: [], absent: 'not on this machine' })
    expect(verdicts).toMatchObject([{ outcome: 'absent' }])
  })
})

describe('a target', () => {
  test('is met or missed by the median of the rounds', async () => {
    const job = scripted({ ours: [3, 1, 2], peer: [1], more: [10] }, [
      { kind: 'ratio', of: 'ours', against: 'peer', atLeast: 2 },
      { kind: 'ratio', of: 'ours', against: 'peer', atLeast: 2.1 },
      { kind: 'ratio', of: 'ours', against: 'more', atMost: 0.2 },
      { kind: 'difference', of: 'more', against: 'ours', atMost: 7 },
      { kind: 'value', of: 'ours', atMost: 2 },
    ])
    const { verdicts } = await runJob(job, EFFORT, () => {})
    expect(verdicts.map(({ outcome }) => outcome)).toEqual(['met', 'missed', 'met', 'missed', 'met'])
    expect(verdicts[0]!.reached).toEqual({ median: 2, min: 1, max: 3 })
  })

  test('by CPU time is better with less of it', async () => {
    const readings = (cpuMicros: number) => [{ value: 1, cpuMicros }]
    const job = scripted({ ours: readings(5), peer: readings(20) }, [
      { kind: 'cpu-ratio', of: 'ours', against: 'peer', atLeast: 4 },
    ])
    const { verdicts } = await runJob(job, EFFORT, () => {})
    expect(verdicts).toMatchObject([{ id: 'job: ours/peer by CPU', outcome: 'met', reached: { median: 4 } }])
  })
})
