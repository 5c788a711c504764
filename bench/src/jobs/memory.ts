import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { builtRole } from '../built.ts'
import { type Child, startProgram, startRole } from '../child.ts'
import type { Contender, Job } from '../job.ts'
import { AbsentError } from '../job.ts'
import { importReticulum } from '../reticulum.ts'

const ROUNDS = 3

export const idleMemory: Job = {
  id: 'memory-idle',
  title: 'Memory of an idle node with one neighbour (resident, after a collection)',
  unit: 'MB',
  isCold: true,
  rounds: ROUNDS,
  contenders: [
    own('ours', 'nexus node: TCP server and client, UDP', 'ours', 'idle'),
    {
      id: 'reticulum',
      title: 'Python that imported Reticulum and does nothing',
      kind: 'peer',
      start: async () => ({
        async measure() {
          const python = await importReticulum()
          await sleep(300)
          const value = residentMegabytes(python.pid)
          await python.stop()
          return { value }
        },
      }),
    },
    own('limit', 'Node with the same modules loaded, and nothing running', 'limit', 'empty'),
  ],
  targets: [
    { kind: 'ratio', of: 'ours', against: 'reticulum', atMost: 2 },
    { kind: 'difference', of: 'ours', against: 'limit', atMost: 30 },
  ],
}

export const routeMemory: Job = {
  id: 'memory-routes',
  title: 'Memory of a route, in a table of 10 000',
  unit: 'B',
  isCold: true,
  rounds: ROUNDS,
  contenders: [
    {
      id: 'ours',
      title: 'nexus router: all that the process grew by',
      kind: 'ours',
      start: async () => ({
        async measure() {
          const role = await startMemory()
          const { perRoute, tables } = await role.ask('routes')
          await role.stop()
          return { value: Number(perRoute), details: { tables: Number(tables) } }
        },
      }),
    },
  ],
  targets: [{ kind: 'value', of: 'ours', atMost: 300 }],
}

function own(id: string, title: string, kind: Contender['kind'], question: string): Contender {
  return {
    id,
    title,
    kind,
    async start() {
      if (process.platform !== 'linux') throw new AbsentError('resident memory is read from /proc')
      const neighbour = startRole('node')
      const { address } = await neighbour.ask('open')
      return {
        async measure() {
          const role = await startMemory()
          await role.ask(question, { address })
          const { rss } = await role.ask('rss')
          await role.stop()
          return { value: Number(rss) }
        },
        stop: () => neighbour.stop(),
      }
    },
  }
}

async function startMemory(): Promise<Child> {
  return startProgram('memory', await builtRole('memory'), [], ['--expose-gc'])
}

function residentMegabytes(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1_000
}
