import { fileURLToPath } from 'node:url'
import { startProgram, startRole } from '../child.ts'
import type { Contender, Job } from '../job.ts'

const MERGED = 1_000_000
/** A merge is of whole rounds of 10 000 debits. */
const ROUND = 10_000

export const settlements: Job = {
  id: 'settlements',
  title: 'Validate settlements: form, bounds, both signatures, state',
  unit: 'settlements/s',
  contenders: [
    validation('ours', 'nexus, one thread', 'ours', 'validate', 1),
    validation('limit', 'both signatures alone, one thread', 'limit', 'bare', 1),
    validation('ours-all', 'nexus, all cores', 'ours', 'validate', 2),
    validation('limit-all', 'both signatures alone, all cores', 'limit', 'bare', 2),
  ],
  targets: [
    { kind: 'ratio', of: 'ours', against: 'limit', atLeast: 0.8 },
    { kind: 'ratio', of: 'ours-all', against: 'limit-all', atLeast: 0.8 },
  ],
}

export const ledgerMerge: Job = {
  id: 'ledger-merge',
  title: 'Merge two ledgers of 1 000 000 settlements each, half of them the same',
  unit: 'ns per settlement',
  rounds: 3,
  contenders: [
    merging('ours', 'nexus: union and state', 'ours', 'merge'),
    merging('limit', 'sorted linear merge: the union of two runs in order of their hashes', 'limit', 'linear'),
  ],
  targets: [{ kind: 'ratio', of: 'ours', against: 'limit', atMost: 10 }],
}

export const ledgerMemory: Job = {
  id: 'ledger-memory',
  title: 'Memory of a settlement, in a ledger of 1 000 000',
  unit: 'B',
  isCold: true,
  rounds: 1,
  contenders: [merging('ours', 'nexus: all that the process grew by', 'ours', 'memory')],
  targets: [{ kind: 'value', of: 'ours', atMost: 300 }],
}

function validation(id: string, title: string, kind: Contender['kind'], question: string, threads: number): Contender {
  return {
    id,
    title,
    kind,
    async start() {
      const role = startRole('ledger')
      await role.ask(question, { threads })
      return {
        measure: async () => ({ value: Number((await role.ask(question, { threads }))['perSecond']) }),
        stop: () => role.stop(),
      }
    },
  }
}

function merging(id: string, title: string, kind: Contender['kind'], question: string): Contender {
  return {
    id,
    title,
    kind,
    start: async ({ share }) => ({
      async measure() {
        const source = fileURLToPath(new URL('../roles/ledger.ts', import.meta.url))
        const role = startProgram(
          'ledger',
          source,
          [],
          [
            '--conditions=nexus-source',
            '--disable-warning=ExperimentalWarning',
            '--expose-gc',
            '--max-old-space-size=4096',
          ],
        )
        const count = Math.max(1, Math.round((MERGED * share) / ROUND)) * ROUND
        const { value } = await role.ask(question, { count })
        await role.stop()
        return { value: Number(value) }
      },
    }),
  }
}
