import { startRole } from '../child.ts'
import type { Contender, Job } from '../job.ts'

const HANDSHAKES = 600

export const handshakes: Job = {
  id: 'handshakes',
  title: 'Link handshakes, both ends in one process',
  unit: 'handshakes/s',
  contenders: [
    contender('ours', 'nexus: from the first frame to both links up', 'ours', 'handshakes'),
    contender('limit', 'its X25519 operations alone: 2 key pairs and 6 agreements', 'limit', 'agreements'),
  ],
  targets: [{ kind: 'ratio', of: 'ours', against: 'limit', atLeast: 0.6 }],
}

function contender(id: string, title: string, kind: Contender['kind'], question: string): Contender {
  return {
    id,
    title,
    kind,
    async start({ share }) {
      const role = startRole('handshakes')
      const count = Math.round(HANDSHAKES * share)
      await role.ask(question, { count })
      return {
        measure: async () => ({ value: Number((await role.ask(question, { count }))['perSecond']) }),
        stop: () => role.stop(),
      }
    },
  }
}
