import { setTimeout as sleep } from 'node:timers/promises'
import { builtRole } from '../built.ts'
import { type Child, startProgram, startRole, type Values } from '../child.ts'
import type { Contender, Effort, Job, Reading, Subject } from '../job.ts'
import { freePort, type ReticulumOptions, startReticulum } from '../reticulum.ts'
import { RETICULUM_MTU_BYTES, settled } from './forward.ts'

/** Both speak the same protocol: what one does for the other can be compared packet by packet. */
const ANNOUNCES = 4_000
const PACKETS = 20_000
const RESOURCE_BYTES = 4_000_000
const CONNECTED_MS = 1_500

type Maker = (options: ReticulumOptions) => Promise<Child>
const makers: Readonly<Record<'ours' | 'peer', Maker>> = { ours: startOurs, peer: startReticulum }
const titles = { ours: 'nexus', peer: 'Reticulum' } as const

export const rnsAnnounces: Job = {
  id: 'rns-announces',
  title: 'Reticulum’s announces: unpacked and validated',
  unit: 'announces/s',
  contenders: both((make, { share }) => validate(make, Math.round(ANNOUNCES * share))),
  targets: [{ kind: 'ratio', of: 'ours', against: 'peer', atLeast: 1 }],
}

export const rnsRelay: Job = {
  id: 'rns-relay',
  title: 'Link packets of 483 B through one Reticulum transport node, TCP on loopback',
  unit: 'packets/s',
  contenders: both(relay),
  targets: [
    { kind: 'ratio', of: 'ours', against: 'peer', atLeast: 1 },
    { kind: 'cpu-ratio', of: 'ours', against: 'peer', atLeast: 1 },
  ],
  notes: ['Reticulum makes the packets and counts them behind the relay, whoever relays.'],
}

export const rnsReceive: Job = {
  id: 'rns-receive',
  title: 'Packets of a Reticulum link of 500 B, opened and handed on, TCP on loopback',
  unit: 'packets/s',
  contenders: both(receive),
  targets: [
    { kind: 'ratio', of: 'ours', against: 'peer', atLeast: 3 },
    { kind: 'cpu-ratio', of: 'ours', against: 'peer', atLeast: 2.5 },
  ],
  notes: ['Reticulum makes the packets, whoever receives.'],
}

export const rnsResource: Job = resource('rns-resource', 'packets of 500 B', RETICULUM_MTU_BYTES)
export const rnsResourceLarge: Job = resource('rns-resource-large', 'packets as large as both agree on')

export const rnsMemory: Job = {
  id: 'rns-memory',
  title: 'Memory of an idle Reticulum node with one TCP interface',
  unit: 'MB',
  contenders: [
    { id: 'ours', title: titles.ours, kind: 'ours', start: () => idle(startBuilt) },
    { id: 'peer', title: titles.peer, kind: 'peer', start: () => idle(startReticulum) },
  ],
  targets: [{ kind: 'ratio', of: 'ours', against: 'peer', atMost: 2 }],
}

function both(start: (make: Maker, effort: Effort) => Promise<Subject>): Contender[] {
  return (['ours', 'peer'] as const).map((kind) => ({
    id: kind,
    title: titles[kind],
    kind,
    start: (effort) => start(makers[kind], effort),
  }))
}

async function startOurs(options: ReticulumOptions): Promise<Child> {
  const role = startRole('reticulum')
  await role.ask('open', options as Values)
  return role
}

/** As published programs run: without the compiler that strips types. */
async function startBuilt(options: ReticulumOptions): Promise<Child> {
  const program = startProgram('reticulum', await builtRole('reticulum'), [], [])
  await program.ask('open', options as Values)
  return program
}

async function validate(make: Maker, count: number): Promise<Subject> {
  const node = await make({ listen: await freePort() })
  await node.ask('validate_announces', { count: 400 })
  return {
    async measure() {
      const { seconds } = await node.ask('validate_announces', { count })
      return { value: count / Number(seconds) }
    },
    stop: () => node.stop(),
  }
}

async function relay(make: Maker, { share }: Effort): Promise<Subject> {
  const port = await freePort()
  const mtuBytes = RETICULUM_MTU_BYTES
  const middle = await make({ mtuBytes, listen: port, transport: true })
  await sleep(CONNECTED_MS)
  const server = await startReticulum({ mtuBytes, connect: port })
  const client = await linked(server, await startReticulum({ mtuBytes, connect: port }))
  await server.ask('count_frames', await client.ask('report_port'))
  return {
    async measure(): Promise<Reading> {
      // New ones each round: a relay passes a packet on once.
      await client.ask('make_frames', { count: Math.round(PACKETS * share) })
      await server.ask('reset')
      const before = await middle.ask('stat')
      const { count, lost } = await client.ask('send_frames_windowed')
      const { count: got, seconds } = await settled(server)
      return {
        value: (got - 1) / seconds,
        cpuMicros: await cpuMicros(middle, before, count),
        details: { lost: Number(lost) },
      }
    },
    stop: () => stopAll(client, server, middle),
  }
}

async function receive(make: Maker, { share }: Effort): Promise<Subject> {
  const port = await freePort()
  const mtuBytes = RETICULUM_MTU_BYTES
  const server = await make({ mtuBytes, listen: port })
  const client = await linked(server, await startReticulum({ mtuBytes, connect: port }))
  return {
    async measure(): Promise<Reading> {
      await client.ask('make_frames', { count: Math.round(PACKETS * share) })
      await server.ask('reset')
      const before = await server.ask('stat')
      const { count } = await client.ask('send_frames')
      const { count: got, seconds } = await settled(server)
      return { value: (got - 1) / seconds, cpuMicros: await cpuMicros(server, before, count) }
    },
    stop: () => stopAll(client, server),
  }
}

function resource(id: string, packets: string, mtuBytes?: number): Job {
  const options = mtuBytes === undefined ? {} : { mtuBytes }
  return {
    id,
    title: `An incompressible resource between two nodes of one kind, ${packets}, TCP on loopback`,
    unit: 'MB/s',
    contenders: both(async (make, { share }) => {
      const port = await freePort()
      const server = await make({ ...options, listen: port })
      const client = await linked(server, await make({ ...options, connect: port }))
      const bytes = Math.round(RESOURCE_BYTES * share)
      return {
        async measure() {
          const { seconds } = await client.ask('transfer', { bytes })
          return { value: bytes / Number(seconds) / 1e6 }
        },
        stop: () => stopAll(client, server),
      }
    }),
    targets: [{ kind: 'ratio', of: 'ours', against: 'peer', atLeast: 1 }],
  }
}

async function idle(make: Maker): Promise<Subject> {
  const node = await make({ listen: await freePort() })
  return {
    measure: async () => ({ value: Number((await node.ask('memory'))['bytes']) / 1e6 }),
    stop: () => node.stop(),
  }
}

/** Opens a link from `client` to a destination of `server`, once it has heard of it. */
async function linked(server: Child, client: Child): Promise<Child> {
  const { hash } = await server.ask('listen')
  await sleep(CONNECTED_MS)
  await server.ask('announce')
  await sleep(CONNECTED_MS)
  await client.ask('connect', { hash })
  await client.ask('open_link')
  return client
}

async function cpuMicros(node: Child, before: Values, count: Values[string]): Promise<number> {
  const after = await node.ask('stat')
  return ((Number(after['cpuSeconds']) - Number(before['cpuSeconds'])) * 1e6) / Number(count)
}

async function stopAll(...children: readonly Child[]): Promise<void> {
  for (const child of children) await child.stop()
}
