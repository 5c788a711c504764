/** Runs the programs that make up a test run: live output, process groups that end with us, a time limit for each. */
import { spawn } from 'node:child_process'
import { createRequire } from 'node:module'
import os from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const rootFolder = fileURLToPath(new URL('../..', import.meta.url))

const GRACE_MS = 5_000
const running = new Set()

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
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
export function isStopped() {
  return stopped
}

/**
 * Runs a program in a process group of its own, so that nothing it started outlives it.
 * @returns `{ exitCode, output, seconds, timedOut }`; `output` is all it printed, also shown live unless `quiet`.
 */
export function runStep(file, args, { env = {}, limitMs, quiet = false } = {}) {
  const startMs = performance.now()
  const child = spawn(file, args, {
    cwd: rootFolder,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: process.platform !== 'win32',
    windowsHide: true,
  })
  running.add(child)
  const chunks = []
  for (const [stream, sink] of [
    [child.stdout, process.stdout],
    [child.stderr, process.stderr],
  ]) {
    stream.on('data', (chunk) => {
      chunks.push(chunk)
      if (!quiet) sink.write(chunk)
    })
  }
  let timedOut = false
  const timer = setTimeout(
    () => {
      timedOut = true
      endGroup(child, 'SIGKILL')
    },
    limitMs ?? 2 ** 31 - 1,
  )
  return new Promise((resolve) => {
    const finish = (exitCode) => {
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
      child.once('close', () => finish(code ?? 128 + os.constants.signals[signal]))
    })
  })
}

/** The file that Node.js runs for a command of an installed package. */
export function programOf(packageName, command = packageName) {
  const require = createRequire(join(rootFolder, 'tools', 'package.json'))
  const manifest = require.resolve(`${packageName}/package.json`)
  const { bin } = require(manifest)
  return join(dirname(manifest), typeof bin === 'string' ? bin : bin[command])
}

function endGroup(child, signal) {
  if (child.pid === undefined) return
  try {
    if (process.platform === 'win32') child.kill(signal)
    else process.kill(-child.pid, signal)
  } catch (error) {
    if (error.code !== 'ESRCH') throw error
  }
}
