import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { builtRole } from '../built.ts'
import { startProgram, startRole } from '../child.ts'
import { CACHE } from '../folders.ts'
import type { Job } from '../job.ts'
import { freePort, startReticulum } from '../reticulum.ts'

const COMPILED = join(CACHE, 'compiled')

export const start: Job = {
  id: 'start',
  title: 'From the start of the process to the first route, from a neighbour on loopback that runs',
  unit: 'ms',
  contenders: [
    {
      id: 'ours',
      title: 'nexus node, built, its compiled code kept between runs as our programs do',
      kind: 'ours',
      async start() {
        const neighbour = startRole('node')
        const { address, nodeId } = await neighbour.ask('open')
        const program = await builtRole('starter')
        const env = { ...process.env, NODE_COMPILE_CACHE: COMPILED }
        return {
          async measure() {
            const spawnedMs = Date.now()
            const starter = startProgram('starter', program, [], [], env)
            const { startedMs, routeMs } = await starter.ask('start', { address, nodeId, spawnedMs })
            await starter.stop()
            return { value: Number(routeMs), details: { startedMs: Number(startedMs) } }
          },
          stop: () => neighbour.stop(),
        }
      },
    },
    {
      id: 'reticulum',
      title: 'Reticulum: path requested until it is there',
      kind: 'peer',
      async start() {
        const port = await freePort()
        const neighbour = await startReticulum({ listen: port })
        const { hash } = await neighbour.ask('listen')
        await sleep(1_000)
        return {
          async measure() {
            const spawnedMs = Date.now()
            const client = await startReticulum({ connect: port })
            const startedMs = Date.now() - spawnedMs
            await client.ask('connect', { hash })
            const routeMs = Date.now() - spawnedMs
            await client.stop()
            return { value: routeMs, details: { startedMs } }
          },
          stop: () => neighbour.stop(),
        }
      },
    },
  ],
  targets: [{ kind: 'ratio', of: 'ours', against: 'reticulum', atMost: 1 }],
  notes: ['startedMs: until the node runs, its transport connected; what a user waits for at a cold start.'],
}
