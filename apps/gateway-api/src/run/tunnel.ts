import { type ChildProcess, spawn } from 'node:child_process'
import type { Logger } from 'pino'

const AGAIN_MS_MIN = 1_000
const AGAIN_MS_MAX = 60_000

/** Runs the tunnel's command beside the gateway, and again when it ends, at growing distances. Returns what ends it. */
export function runTunnel(command: readonly string[], log: Logger): () => void {
  const [program, ...args] = command
  if (program === undefined) return () => {}
  let child: ChildProcess | undefined
  let timer: NodeJS.Timeout | undefined
  let ended = false
  let againMs = AGAIN_MS_MIN
  const start = (): void => {
    const startedMs = Date.now()
    child = spawn(program, args, { stdio: ['ignore', 'inherit', 'inherit'] })
    const again = (why: string): void => {
      if (ended) return
      // One that ran for long begins anew with a short distance.
      againMs = Date.now() - startedMs > AGAIN_MS_MAX ? AGAIN_MS_MIN : Math.min(againMs * 2, AGAIN_MS_MAX)
      log.warn({ program, why, againMs }, 'the tunnel ended')
      timer = setTimeout(start, againMs)
    }
    child.once('spawn', () => log.info({ program, pid: child?.pid }, 'the tunnel runs'))
    child.once('error', (error) => again(error.message))
    child.once('exit', (code, signal) => again(signal ?? `exit code ${code}`))
  }
  start()
  return () => {
    ended = true
    clearTimeout(timer)
    child?.kill('SIGTERM')
  }
}
