import { startRole } from '../child.ts'
import type { Contender, Job } from '../job.ts'

const UPDATES = 4_000

export const channelUpdates: Job = {
  id: 'channel-updates',
  title: 'Channel updates: claimed, signed by both, and on both disks with every flush waited for',
  unit: 'updates/s',
  contenders: [
    contender('ours', 'nexus: one channel, one update after the other', 'ours', 'single'),
    contender('many', 'nexus: a relay with 64 payers, frames that come together share a flush', 'ours', 'many'),
    contender(
      'flushes',
      'the three flushes of an update, its bytes, in SQLite with synchronous = FULL',
      'limit',
      'flushes',
    ),
    contender('flush', 'its bytes in one such flush', 'limit', 'flush'),
  ],
  targets: [
    { kind: 'ratio', of: 'ours', against: 'flushes', atLeast: 0.5 },
    { kind: 'ratio', of: 'many', against: 'flush', atLeast: 0.5 },
  ],
  notes: [
    'An update has three flushes that wait for each other, the payer’s, the payee’s and the payer’s again, two signatures and two checks.',
    'Both ends and both stores are in one process here; on two machines they would overlap.',
  ],
}

function contender(id: string, title: string, kind: Contender['kind'], question: string): Contender {
  return {
    id,
    title,
    kind,
    async start({ share }) {
      const role = startRole('channels')
      const count = Math.max(64, Math.round(UPDATES * share))
      await role.ask(question, { count: 64 })
      return {
        measure: async () => ({ value: Number((await role.ask(question, { count }))['perSecond']) }),
        stop: () => role.stop(),
      }
    },
  }
}
