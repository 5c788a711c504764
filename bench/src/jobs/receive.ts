import { startRole } from '../child.ts'
import type { Effort, Job, Subject } from '../job.ts'
import { freePort } from '../reticulum.ts'
import { RETICULUM_MTU_BYTES, settled, startPair } from './forward.ts'

/** What a Reticulum link carries per packet at an MTU of 500 bytes; ours carries as much here. */
const BODY_BYTES = 431
const PACKETS = 12_000

export const receive: Job = {
  id: 'link-receive',
  title: `Receive over a link, packets of ${BODY_BYTES} B, TCP on loopback`,
  unit: 'packets/s',
  contenders: [
    { id: 'ours', title: 'nexus link: opened and handed up', kind: 'ours', start: startLink },
    {
      id: 'reticulum',
      title: 'Reticulum link: opened and handed to its callback',
      kind: 'peer',
      start: startReticulumLink,
    },
  ],
  targets: [{ kind: 'ratio', of: 'ours', against: 'reticulum', atLeast: 10 }],
  notes: [
    'Our sender seals as it sends, so the receiver may be faster than shown; Reticulum’s packets are ready-made.',
  ],
}

async function startLink({ seconds }: Effort): Promise<Subject> {
  const [receiver, sender] = [startRole('links', ['receiver']), startRole('links', ['sender'])]
  const { address } = await receiver.ask('open')
  await sender.ask('open', { address, bytes: BODY_BYTES })
  return {
    async measure() {
      await sender.ask('run', { on: true })
      const { perSecond, cpuMicros } = await receiver.ask('measure', { seconds })
      await sender.ask('run', { on: false })
      return { value: Number(perSecond), cpuMicros: Number(cpuMicros) }
    },
    async stop() {
      await sender.stop()
      await receiver.stop()
    },
  }
}

async function startReticulumLink({ share }: Effort): Promise<Subject> {
  const port = await freePort()
  const mtuBytes = RETICULUM_MTU_BYTES
  const { server, client, stop } = await startPair({ mtuBytes, listen: port }, { mtuBytes, connect: port })
  await client.ask('open_link')
  const count = Math.round(PACKETS * share)
  return {
    async measure() {
      const before = await server.ask('reset')
      await client.ask('make_frames', { count })
      await client.ask('send_frames')
      const { count: got, seconds } = await settled(server)
      const after = await server.ask('stat')
      const cpuMicros = ((Number(after['cpuSeconds']) - Number(before['cpuSeconds'])) * 1e6) / count
      return { value: (got - 1) / seconds, cpuMicros, details: { lost: count - got } }
    },
    stop,
  }
}
