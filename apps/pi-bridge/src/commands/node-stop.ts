import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pause, withNode } from '../cli/connect.ts'
import { EXIT } from '../cli/exit-codes.ts'
import { CommandFailure } from '../cli/failure.ts'
import type { Context } from '../cli/frame.ts'
import { loadWithFlags } from '../config/from-flags.ts'
import { loadConfig } from '../config/load.ts'
import { type StartFlags, startInBackground } from './node-start.ts'

interface StopFlags {
  readonly timeout: number
}

const POLL_MS = 50

/** `nexus-node stop`: asks the node to end, and waits until its process has. */
export async function stopNode(context: Context<StopFlags>): Promise<number> {
  const { global, out } = context
  // The pid is only known where the state folder is; a node that was named by its socket alone is waited for there.
  const stateDir =
    global.socket === undefined ? loadConfig({ file: global.config, env: process.env }).config.stateDir : undefined
  await end(context, stateDir)
  out.json({ schema: 'nexus-stopped/1', stopped: true })
  out.print('stopped')
  return EXIT.ok
}

/** `nexus-node restart` */
export async function restartNode(context: Context<StartFlags & StopFlags>): Promise<number> {
  const { global, flags, out } = context
  const loaded = loadWithFlags(global, flags)
  const named = { ...global, socket: loaded.config.socket }
  if (await isAnswered(named)) await end({ ...context, global: named }, loaded.config.stateDir)
  else out.say('no node was running')
  return startInBackground(context, loaded)
}

async function end({ global, flags, signal }: Context<StopFlags>, stateDir: string | undefined): Promise<void> {
  const pid = stateDir === undefined ? undefined : pidIn(stateDir)
  await withNode(global, (node) => node.call('stop', {}))
  const endMs = performance.now() + flags.timeout
  while (performance.now() < endMs && !signal.aborted) {
    if (pid === undefined ? !(await isAnswered(global)) : hasEnded(stateDir!, pid)) return
    await pause(POLL_MS, signal)
  }
  throw new CommandFailure({
    exit: 'unanswered',
    code: 'not-stopped',
    message: `the node has not ended within ${flags.timeout / 1_000} s`,
    next: pid === undefined ? undefined : `look at its log, or kill ${pid}`,
  })
}

function isAnswered(global: Context<StopFlags>['global']): Promise<boolean> {
  return withNode(global, async () => true).catch(() => false)
}

/** The pid that a node wrote when it came up. */
export function pidIn(stateDir: string): number | undefined {
  const path = join(stateDir, 'pid')
  if (!existsSync(path)) return undefined
  const pid = Number(readFileSync(path, 'utf8'))
  return Number.isSafeInteger(pid) && pid > 0 ? pid : undefined
}

/** A node takes its pid file away as its last act; one that was killed meanwhile cannot. */
function hasEnded(stateDir: string, pid: number): boolean {
  if (pidIn(stateDir) !== pid) return true
  try {
    process.kill(pid, 0)
    return false
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH'
  }
}
