/** Runs the programs that make up a test run: live output, process groups that end with us, a time limit for each. */
import { type ChildProcess, spawn } from 'node:child_process'
import os from 'node:os'
import { rootFolder } from './root.ts'

const GRACE_MS = 5_000
const LIMIT_MS = 3_600_000
const running = new Set<ChildProcess>()

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    for (const child of running) endGroup(child, 'SIGTERM')
    setTimeout(() => {
      for (const child of running) endGroup(child, 'SIGKILL')
      process.exit(128 + os.constants.signals[signal])
    }, GRACE_MS).unref()
    process.exitCode = 128 + os.constants.signals[signal]
    stopped = true
  })
}

let stopped = false

/** Whether a signal has asked this run to end. */
export function isStopped(): boolean {
  return stopped
}

export interface StepOptions {
  readonly env?: Readonly<Record<string, string>>
  /** The program and all it started are killed after so long. */
  readonly limitMs?: number
  /** Collect the output without showing it. */
  readonly quiet?: boolean
}

export interface StepResult {
  /** 128 + n after signal n. */
  readonly exitCode: number
  /** All it printed. */
  readonly output: string
  readonly seconds: number
  readonly timedOut: boolean
}

/** Runs a program in a process group of its own, so that nothing it started outlives it. */
export function runStep(
  file: string,
  args: readonly string[],
  { env = {}, limitMs = LIMIT_MS, quiet = false }: StepOptions = {},
): Promise<StepResult> {
  const startMs = performance.now()
  const child = spawn(file, args, {
    cwd: rootFolder,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: process.platform !== 'win32',
    windowsHide: true,
  })
  running.add(child)
  const chunks: Buffer[] = []
  for (const [stream, sink] of [
    [child.stdout, process.stdout],
    [child.stderr, process.stderr],
  ] as const) {
    stream.on('data', (chunk) => {
      chunks.push(chunk)
      if (!quiet) sink.write(chunk)
    })
  }
  let timedOut = false
  const timer = setTimeout(() => {
    timedOut = true
    endGroup(child, 'SIGKILL')
  }, limitMs)
  return new Promise((resolve) => {
    const finish = (exitCode: number) => {
      clearTimeout(timer)
      running.delete(child)
      endGroup(child, 'SIGKILL')
      const seconds = (performance.now() - startMs) / 1000
      resolve({ exitCode, output: Buffer.concat(chunks).toString(), seconds, timedOut })
    }
    child.once('error', (error) => {
      chunks.push(Buffer.from(`${error.message}\n`))
      finish(127)
    })
    child.once('exit', (code, signal) => {
      // What the program leaves behind may hold the pipes open: it is ended, then the rest of the output is read.
      endGroup(child, 'SIGKILL')
      child.once('close', () => finish(code ?? 128 + os.constants.signals[signal as NodeJS.Signals]))
    })
  })
}

function endGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return
  try {
    if (process.platform === 'win32') child.kill(signal)
    else process.kill(-child.pid, signal)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
