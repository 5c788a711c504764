import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { writePrivateFile } from '@nexus/identity/node'
import { z } from 'zod'
import type { GatewayStatus } from '../http/ops.ts'

/** What a running gateway notes in its state folder, for the commands that look after it. */
const stateSchema = z.strictObject({ pid: z.int(), origin: z.string(), listen: z.string(), ops: z.string() })

export type RunningState = z.infer<typeof stateSchema>

const STATE_FILE = 'gateway.json'
export const LOG_FILE = 'gateway.log'

/** How long a gateway may take to say how it is. */
const ANSWER_MS_MAX = 3_000

export function noteRunning(stateDir: string, state: RunningState): void {
  const text = `${JSON.stringify(state, null, 2)}\n`
  writePrivateFile(join(stateDir, STATE_FILE), new TextEncoder().encode(text), { overwrite: true })
}

export function noteStopped(stateDir: string): void {
  rmSync(join(stateDir, STATE_FILE), { force: true })
}

/** The gateway that runs on a state folder and answers; `undefined` if there is none, whatever a crash has left. */
export async function running(stateDir: string): Promise<{ state: RunningState; status: GatewayStatus } | undefined> {
  const path = join(stateDir, STATE_FILE)
  if (!existsSync(path)) return undefined
  const state = stateSchema.safeParse(JSON.parse(readFileSync(path, 'utf8'))).data
  if (state === undefined || !isAlive(state.pid)) return undefined
  const status = await askOps<GatewayStatus>(state.ops, '/status')
  // Another process may have the number by now.
  return status?.pid === state.pid ? { state, status } : undefined
}

/** A page of the operator's side; `undefined` where nothing answers. */
export async function askOps<T>(ops: string, page: string): Promise<T | undefined> {
  try {
    const answer = await fetch(`${ops}${page}`, { signal: AbortSignal.timeout(ANSWER_MS_MAX) })
    return answer.ok ? ((await answer.json()) as T) : undefined
  } catch {
    return undefined
  }
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
