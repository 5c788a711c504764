import { startRole } from '../child.ts'
import type { Contender, Job } from '../job.ts'
import { startReticulum } from '../reticulum.ts'

const ANNOUNCES = 6_000

export const announces: Job = {
  id: 'announces',
  title: 'Check announces: decoded, key against address, signature',
  unit: 'announces/s',
  contenders: [
    own('ours', 'nexus, one thread', 'ours', 'ours'),
    own('batch', 'nexus, in batches of 64 on all cores', 'ours', 'batch'),
    {
      id: 'reticulum',
      title: 'Reticulum: unpack and validate',
      kind: 'peer',
      async start({ share }) {
        const node = await startReticulum({})
        const count = Math.round(ANNOUNCES * share)
        await node.ask('validate_announces', { count: 400 })
        return {
          async measure() {
            const { seconds } = await node.ask('validate_announces', { count })
            return { value: count / Number(seconds) }
          },
          stop: () => node.stop(),
        }
      },
    },
    own('limit', 'the signature alone, keys imported before', 'limit', 'bare'),
  ],
  targets: [
    { kind: 'ratio', of: 'ours', against: 'reticulum', atLeast: 1 },
    { kind: 'ratio', of: 'batch', against: 'reticulum', atLeast: 1.8 },
    { kind: 'ratio', of: 'ours', against: 'limit', atLeast: 0.85 },
  ],
}

function own(id: string, title: string, kind: Contender['kind'], question: string): Contender {
  return {
    id,
    title,
    kind,
    async start({ share }) {
      const role = startRole('announces')
      const count = Math.round(ANNOUNCES * share)
      await role.ask(question, { count: 800 })
      return {
        measure: async () => ({ value: Number((await role.ask(question, { count }))['perSecond']) }),
        stop: () => role.stop(),
      }
    },
  }
}
