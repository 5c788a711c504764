import type { SegmentReport, Status } from '@nexus/node/api'
import { expect, test } from 'vitest'
import type { Loaded } from '../src/config/load.ts'
import { configSchema } from '../src/config/schema.ts'
import type { Finding, Patient } from '../src/doctor/check.ts'
import { segment } from '../src/doctor/segment.ts'

const NODE_ID = 'ab'.repeat(16)
type OneSegment = SegmentReport['interfaces'][number]

const COUNTS = { pulse: 0, epoch: 0, request: 0 }
const LEADING: OneSegment = {
  interface: 'eth0',
  address: 'fe80::1',
  phase: 'anchor',
  admission: 'passphrase',
  ego: 10,
  anchor: { nodeId: NODE_ID, ego: 10, heardAgoMs: 0 },
  epoch: { number: 1, id: '00', ageMs: 5 },
  members: [],
  sent: COUNTS,
  received: { ...COUNTS, pulse: 100 },
  drops: {},
}

/** What the doctor finds of a node whose segment is so; without `interfaces` it does not run. */
function findings(settings: object, interfaces?: readonly OneSegment[], upForMs = 60_000): Finding[] {
  const config = configSchema.parse({ segment: settings })
  const report = { schema: 'nexus-segment/1', nodeId: NODE_ID, name: '', type: 'Agent', zone: 'Command' } as const
  const patient = {
    loaded: { config } as unknown as Loaded,
    status: interfaces === undefined ? undefined : ({ node: { upForMs } } as Status),
    segment: interfaces === undefined ? undefined : { ...report, interfaces: [...interfaces] },
    events: [],
  } as unknown as Patient
  return segment(patient) as Finding[]
}

const verdicts = (found: readonly Finding[]) => found.map(({ verdict }) => verdict)

test('a segment that is well is found well; one that is not set up is passed over', () => {
  expect(verdicts(findings({}))).toEqual(['skipped'])
  const settings = { enabled: true, passphraseFile: import.meta.filename }
  expect(findings(settings, [LEADING])).toMatchObject([{ verdict: 'ok', found: expect.stringContaining('anchor') }])
  expect(verdicts(findings(settings))).toEqual(['skipped'])
})

test('what is wrong with a segment is said, with what to do', () => {
  const settings = { enabled: true, passphraseFile: import.meta.filename }
  const lost = { ...LEADING, phase: 'asking', anchor: null, epoch: null } as const
  expect(verdicts(findings(settings, [lost]))).toEqual(['warning'])
  expect(verdicts(findings(settings, [lost], 3_000))).toEqual(['ok'])
  expect(verdicts(findings(settings, []))).toEqual(['warning'])
  const forged = findings(settings, [{ ...LEADING, drops: { mac: 400, replay: 10, self: 9_000 } }])
  expect(forged).toMatchObject([
    { verdict: 'ok' },
    { verdict: 'warning', found: expect.stringContaining('(400) for mac') },
  ])
  expect(verdicts(findings({ enabled: true }, [LEADING]))).toEqual(['warning', 'ok'])
  expect(verdicts(findings({ enabled: true, passphraseFile: '/none' }, [LEADING]))).toEqual(['failure', 'ok'])
  expect(verdicts(findings({ enabled: true, admission: 'allow-list' }, [LEADING]))).toEqual(['failure', 'ok'])
})
