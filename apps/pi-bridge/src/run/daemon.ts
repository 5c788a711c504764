import { mkdirSync, openSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { EXIT, type ExitName } from '../cli/exit-codes.ts'
import { CommandFailure } from '../cli/failure.ts'
import type { Loaded } from '../config/load.ts'
import { forkSelf } from './self.ts'

/** What a node says when it is up, as nexus-started/1. */
export interface Started {
  readonly schema: 'nexus-started/1'
  readonly nodeId: string
  readonly pid: number
  readonly socket: string
  /** Address of the live page, token included. */
  readonly page: string | null
}

/** What the process in the background is told when it begins. */
export interface DaemonOrders {
  readonly loaded: Loaded
  readonly passphrase?: string
}

/** The command, not for people, that the process in the background runs. */
export const BACKGROUND = 'background'

const START_MS_MAX = 60_000
/** Lines of the log that explain a failed start. */
const LAST_LINES = 5

/**
 * Starts a node as a process of its own, and waits until it is up.
 * @throws {CommandFailure} with the words of its log where it ends before that
 */
export async function startDaemon(orders: DaemonOrders): Promise<Started & { readonly log: string }> {
  const { stateDir } = orders.loaded.config
  mkdirSync(stateDir, { recursive: true, mode: 0o700 })
  const log = join(stateDir, 'node.log')
  const logFile = openSync(log, 'a', 0o600)
  const logAt = statSync(log).size
  const child = forkSelf(BACKGROUND, { detached: true, stdio: ['ignore', logFile, logFile, 'ipc'] })
  const started = await new Promise<Started>((resolve, reject) => {
    const timer = setTimeout(() => {
      child.kill('SIGTERM')
      reject(notUp('failed', `the node was not up within ${START_MS_MAX / 1_000} s`, log, logAt))
    }, START_MS_MAX)
    child.once('error', reject)
    child.once('exit', (code) => {
      clearTimeout(timer)
      const exit = Object.entries(EXIT).find(([, value]) => value === code)?.[0] as ExitName | undefined
      reject(notUp(exit ?? 'failed', 'the node ended while it started', log, logAt))
    })
    child.once('message', (message) => {
      clearTimeout(timer)
      resolve(message as Started)
    })
    child.send(orders)
  })
  child.removeAllListeners('exit')
  child.disconnect()
  child.unref()
  return { ...started, log }
}

/** What the parent ordered; for the process in the background. */
export function daemonOrders(): Promise<DaemonOrders> {
  return new Promise((resolve, reject) => {
    if (process.send === undefined) {
      const message = `${BACKGROUND} is for nexus-node start --daemon`
      return reject(new CommandFailure({ exit: 'usage', code: 'usage', message }))
    }
    process.once('message', (orders) => resolve(orders as DaemonOrders))
  })
}

function notUp(exit: ExitName, why: string, log: string, from: number): CommandFailure {
  const said = readFileSync(log).subarray(from).toString('utf8').trim().split('\n').slice(-LAST_LINES)
  return new CommandFailure({
    exit: exit === 'ok' ? 'failed' : exit,
    code: 'not-up',
    message: [why, ...said.map((line) => `  ${line}`)].join('\n'),
    next: `the whole log: ${log}`,
  })
}
