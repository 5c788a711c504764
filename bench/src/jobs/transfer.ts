import type { Effort, Job, Subject } from '../job.ts'
import { freePort } from '../reticulum.ts'
import { RETICULUM_MTU_BYTES, startPair } from './forward.ts'
import { received, startNodes } from './pair.ts'

const OUR_BYTES = 32_000_000
const RESOURCE_BYTES = 4_000_000

export const transfer: Job = {
  id: 'transfer',
  title: 'One stream between two nodes, packets of at most 500 B, TCP on loopback',
  unit: 'MB/s',
  contenders: [
    { id: 'ours', title: 'nexus stream', kind: 'ours', start: startOurs },
    { id: 'reticulum', title: 'Reticulum resource, incompressible', kind: 'peer', start: startReticulum },
  ],
  targets: [{ kind: 'ratio', of: 'ours', against: 'reticulum', atLeast: 3 }],
}

async function startOurs({ share }: Effort): Promise<Subject> {
  const { sender, receiver, nodeId, stop } = await startNodes()
  const bytes = Math.round(OUR_BYTES * share)
  return {
    async measure() {
      await receiver.ask('reset')
      await sender.ask('transfer', { nodeId, bytes })
      const { seconds } = await received(receiver, bytes)
      return { value: bytes / seconds / 1e6 }
    },
    stop,
  }
}

async function startReticulum({ share }: Effort): Promise<Subject> {
  const port = await freePort()
  const mtuBytes = RETICULUM_MTU_BYTES
  const { client, stop } = await startPair({ mtuBytes, listen: port }, { mtuBytes, connect: port })
  await client.ask('open_link')
  const bytes = Math.round(RESOURCE_BYTES * share)
  return {
    async measure() {
      const { seconds } = await client.ask('transfer', { bytes })
      return { value: bytes / Number(seconds) / 1e6 }
    },
    stop,
  }
}
