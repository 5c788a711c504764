import { startRole } from '../child.ts'
import type { Contender, ContenderKind, Job } from '../job.ts'

const SECONDS = 0.4
const SECONDS_SHORT = 0.1

export const lotteryProofs: Job = {
  id: 'lottery-prove',
  title: 'VRF proof, one for each window of packets',
  unit: 'µs',
  contenders: [
    contender('ours', 'nexus for Node', 'ours', 'prove'),
    contender('limit', 'its three point multiplications alone, libsodium in wasm', 'limit', 'prove-points'),
    contender('ours-portable', 'nexus, portable', 'ours', 'prove-portable'),
    contender('peer', 'RFC 9381 written out on noble', 'peer', 'prove-written-out'),
  ],
  targets: [
    { kind: 'ratio', of: 'ours', against: 'limit', atMost: 1.3 },
    { kind: 'ratio', of: 'ours-portable', against: 'peer', atMost: 1 },
  ],
}

export const lotteryChecks: Job = {
  id: 'lottery-verify',
  title: 'Check of a VRF proof, one for each window claimed',
  unit: 'µs',
  contenders: [
    contender('ours', 'nexus for Node', 'ours', 'verify'),
    contender('limit', 'its point operations alone, libsodium in wasm', 'limit', 'verify-points'),
    contender('ours-portable', 'nexus, portable', 'ours', 'verify-portable'),
    contender('peer', 'RFC 9381 written out on noble', 'peer', 'verify-written-out'),
  ],
  targets: [
    { kind: 'ratio', of: 'ours', against: 'limit', atMost: 1.3 },
    { kind: 'ratio', of: 'ours-portable', against: 'peer', atMost: 1 },
  ],
}

export const lotteryDraws: Job = {
  id: 'lottery-draw',
  title: 'Draw of one packet’s ticket, off the forwarding path',
  unit: 'µs',
  contenders: [
    contender('ours', 'nexus for Node', 'ours', 'draw'),
    contender('limit', 'one keyed BLAKE3 of 40 B alone', 'limit', 'draw-hash'),
  ],
  targets: [{ kind: 'ratio', of: 'ours', against: 'limit', atMost: 2 }],
}

function contender(id: string, title: string, kind: ContenderKind, operation: string): Contender {
  return {
    id,
    title,
    kind,
    async start({ share }) {
      const role = startRole('lottery')
      const seconds = share < 1 ? SECONDS_SHORT : SECONDS
      return {
        measure: async () => ({ value: Number((await role.ask(operation, { seconds }))['micros']) }),
        stop: () => role.stop(),
      }
    },
  }
}
