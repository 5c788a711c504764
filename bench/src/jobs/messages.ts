import { startRole } from '../child.ts'
import type { Effort, Job, Subject } from '../job.ts'
import { freePort } from '../reticulum.ts'
import { RETICULUM_MTU_BYTES, settled, startPair } from './forward.ts'
import { received, startNodes } from './pair.ts'

/** What a single packet of Reticulum carries at an MTU of 500 bytes; ours carries as much here. */
const BODY_BYTES = 383
const OUR_MESSAGES = 12_000
const PACKETS = 4_000

export const messages: Job = {
  id: 'messages',
  title: `Single packets of ${BODY_BYTES} B from end to end, each sealed under a key of its own, TCP on loopback`,
  unit: 'packets/s',
  contenders: [
    { id: 'ours', title: 'nexus: anonymous message, outbox to inbox', kind: 'ours', start: startOurs },
    { id: 'reticulum', title: 'Reticulum: single packet to a callback', kind: 'peer', start: startReticulum },
    {
      id: 'limit',
      title: 'what a sender cannot do without: an X25519 key pair and a shared secret, in OpenSSL',
      kind: 'limit',
      start: startLimit,
    },
  ],
  targets: [{ kind: 'ratio', of: 'ours', against: 'reticulum', atLeast: 3 }],
  notes: ['Reticulum pays for the same two operations: where the limit is below 3 × Reticulum, so is everything.'],
}

async function startOurs({ share }: Effort): Promise<Subject> {
  const { sender, receiver, nodeId, stop } = await startNodes()
  const count = Math.round(OUR_MESSAGES * share)
  return {
    async measure() {
      await receiver.ask('reset')
      const before = await sender.ask('stat')
      await sender.ask('send', { nodeId, count, bytes: BODY_BYTES })
      const { seconds } = await received(receiver, count)
      const after = await sender.ask('stat')
      const cpuMicros = (Number(after['cpuMicros']) - Number(before['cpuMicros'])) / count
      return { value: (count - 1) / seconds, cpuMicros }
    },
    stop,
  }
}

async function startReticulum({ share }: Effort): Promise<Subject> {
  const port = await freePort()
  const mtuBytes = RETICULUM_MTU_BYTES
  const { server, client, stop } = await startPair({ mtuBytes, listen: port }, { mtuBytes, connect: port })
  const count = Math.round(PACKETS * share)
  return {
    async measure() {
      await server.ask('reset')
      const before = await client.ask('stat')
      await client.ask('send_packets', { count, size: BODY_BYTES })
      const { count: got, seconds } = await settled(server)
      const after = await client.ask('stat')
      const cpuMicros = ((Number(after['cpuSeconds']) - Number(before['cpuSeconds'])) * 1e6) / count
      return { value: (got - 1) / seconds, cpuMicros, details: { lost: count - got } }
    },
    stop,
  }
}

async function startLimit({ share }: Effort): Promise<Subject> {
  const role = startRole('handshakes')
  const count = Math.round(OUR_MESSAGES * share)
  return {
    async measure() {
      const { perSecond, cpuMicros } = await role.ask('ephemerals', { count })
      return { value: Number(perSecond), cpuMicros: Number(cpuMicros) }
    },
    stop: () => role.stop(),
  }
}
