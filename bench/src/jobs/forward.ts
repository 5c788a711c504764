import { setTimeout as sleep } from 'node:timers/promises'
import { type Child, startRole } from '../child.ts'
import type { Contender, Effort, Job, Reading, Subject } from '../job.ts'
import { freePort, type ReticulumOptions, startReticulum } from '../reticulum.ts'

/** Packets of one round through Reticulum's relay. */
const RELAYED_PACKETS = 20_000
export const RETICULUM_MTU_BYTES = 500
/** Reticulum connects, and hands announces on, some time after it says that it runs. */
const CONNECTED_MS = 1_500
/** Nothing came for so long: nothing more comes. */
const SETTLED_MS = 400

type Way = 'node' | 'bare' | 'bytewise' | 'queued'

const ours = (medium: 'tcp' | 'udp'): Contender => ({
  id: 'ours',
  title: 'nexus node: opened, routed, sealed again',
  kind: 'ours',
  start: (effort) => startForwarder(medium, 'node', effort),
})

const bare = (id: string, medium: 'tcp' | 'udp', title: string, way: Way = 'bare'): Contender => ({
  id,
  title,
  kind: 'limit',
  start: (effort) => startForwarder(medium, way, effort),
})

export const forwardTcp: Job = {
  id: 'forward-tcp',
  title: 'Forward packets of 484 B through one node, TCP on loopback',
  unit: 'packets/s',
  contenders: [
    ours('tcp'),
    {
      id: 'reticulum',
      title: 'Reticulum relay, which opens nothing (483 B)',
      kind: 'peer',
      start: (effort) => startRelay(effort),
    },
    bare('limit', 'tcp', 'bare forwarder: HDLC apart and together again, byte by byte', 'bytewise'),
    bare('own-framing', 'tcp', 'the same with our framing, which takes words'),
  ],
  targets: [
    { kind: 'ratio', of: 'ours', against: 'reticulum', atLeast: 1.5 },
    { kind: 'cpu-ratio', of: 'ours', against: 'reticulum', atLeast: 1.5 },
    { kind: 'ratio', of: 'ours', against: 'limit', atLeast: 0.35 },
    { kind: 'cpu-ratio', of: 'ours', against: 'limit', atLeast: 0.35 },
  ],
  notes: ['Packets are made and heard again by a second process; one of 256 is opened there and compared.'],
}

export const forwardUdp: Job = {
  id: 'forward-udp',
  title: 'Forward packets of 484 B through one node, UDP on loopback',
  unit: 'packets/s',
  contenders: [ours('udp'), bare('limit', 'udp', 'bare forwarder: one datagram in, one out')],
  targets: [
    { kind: 'cpu-ratio', of: 'ours', against: 'limit', atLeast: 0.5 },
    { kind: 'ratio', of: 'ours', against: 'limit', atLeast: 0.5 },
  ],
}

export const forwardQueued: Job = {
  id: 'forward-queued',
  title: 'Forward datagrams of 484 B, each through the queues of congestion, UDP on loopback',
  unit: 'packets/s',
  contenders: [
    { ...bare('ours', 'udp', 'bare forwarder, each datagram queued, chosen and taken', 'queued'), kind: 'ours' },
    bare('limit', 'udp', 'bare forwarder: one datagram in, one out'),
  ],
  targets: [{ kind: 'cpu-ratio', of: 'ours', against: 'limit', atLeast: 0.8 }],
  notes: ['What a packet costs that waits its turn; those that find nothing waiting go past the queues.'],
}

async function startForwarder(medium: 'tcp' | 'udp', way: Way, { seconds }: Effort): Promise<Subject> {
  const forwarder = startRole('forwarder', [medium, way])
  const traffic = startRole('traffic', [medium, way === 'node' ? 'node' : 'bare'])
  const { address } = await forwarder.ask('open')
  await forwarder.ask('ready', await traffic.ask('open', { address }))
  return {
    async measure(): Promise<Reading> {
      const before = await forwarder.ask('stat')
      const { perSecond, lost } = await traffic.ask('measure', { seconds })
      const after = await forwarder.ask('stat')
      const forwarded = Number(after['forwarded']) - Number(before['forwarded'])
      const cpuMicros = (Number(after['cpuMicros']) - Number(before['cpuMicros'])) / forwarded
      return { value: Number(perSecond), cpuMicros, details: { lost: Number(lost) } }
    },
    async stop() {
      await traffic.stop()
      await forwarder.stop()
    },
  }
}

async function startRelay(effort: Effort): Promise<Subject> {
  const port = await freePort()
  const common = { mtuBytes: RETICULUM_MTU_BYTES }
  const relay = await startReticulum({ ...common, listen: port, transport: true })
  await sleep(CONNECTED_MS)
  const { server, client, stop } = await startPair({ ...common, connect: port }, { ...common, connect: port })
  await client.ask('open_link')
  await server.ask('count_frames', await client.ask('report_port'))
  return {
    async measure() {
      // New ones each round: a relay passes a packet on once.
      await client.ask('make_frames', { count: Math.round(RELAYED_PACKETS * effort.share) })
      await server.ask('reset')
      const before = await relay.ask('stat')
      const { count, lost } = await client.ask('send_frames_windowed')
      const { count: got, seconds } = await settled(server)
      const after = await relay.ask('stat')
      const cpuMicros = ((Number(after['cpuSeconds']) - Number(before['cpuSeconds'])) * 1e6) / Number(count)
      return { value: (got - 1) / seconds, cpuMicros, details: { lost: Number(lost) } }
    },
    async stop() {
      await stop()
      await relay.stop()
    },
  }
}

/** A Reticulum node with a destination, and another that knows the path to it. */
export async function startPair(
  serving: ReticulumOptions,
  asking: ReticulumOptions,
): Promise<{ server: Child; client: Child; stop(): Promise<void> }> {
  const server = await startReticulum(serving)
  const { hash } = await server.ask('listen')
  const client = await startReticulum(asking)
  await sleep(CONNECTED_MS)
  await server.ask('announce')
  await sleep(CONNECTED_MS)
  await client.ask('connect', { hash })
  return {
    server,
    client,
    async stop() {
      await Promise.all([client.stop(), server.stop()])
    },
  }
}

/** Waits until nothing more comes. */
export async function settled(server: Child): Promise<{ count: number; seconds: number }> {
  let last = -1
  for (;;) {
    const { count, seconds } = await server.ask('stat')
    if (count === last && last > 0) return { count: last, seconds: Number(seconds) }
    last = Number(count)
    await sleep(SETTLED_MS)
  }
}
