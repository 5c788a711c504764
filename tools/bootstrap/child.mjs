import { spawn } from 'node:child_process'
import os from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import process from 'node:process'
import { pathToFileURL } from 'node:url'
import { orphanWatch } from './orphan.mjs'
import { bootstrapFolder, rootFolder } from './paths.mjs'

const SIGNALS = process.platform === 'win32' ? ['SIGINT', 'SIGTERM', 'SIGBREAK'] : ['SIGINT', 'SIGTERM', 'SIGHUP']
const PARENT_POLL_MS = 500
const GRACE_MS = 10000
const INTERRUPT_WAIT_MS = 3000

/**
 * Runs a program to its end and resolves with its exit code, 128 + n after signal n. Signals are handed on; when our own
 * parent dies, with or without a word, the child is asked to end, and ended after a grace of ten seconds.
 * Options are those of `spawn`; `quiet: true` collects the output and prints it only on failure.
 */
export function run(file, args, options = {}) {
  const quiet = options.quiet === true
  const child = spawn(file, args, {
    cwd: rootFolder,
    stdio: quiet ? ['ignore', 'pipe', 'pipe'] : 'inherit',
    windowsHide: true,
    ...options,
  })
  const output = []
  if (quiet) for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => output.push(chunk))
  return new Promise((resolve, reject) => {
    const release = guard(child)
    child.once('error', (error) => {
      release()
      reject(error)
    })
    child.once('close', (code, signal) => {
      release()
      if (quiet && code !== 0) process.stderr.write(Buffer.concat(output))
      resolve(signal === null ? code : 128 + os.constants.signals[signal])
    })
  })
}

/** Runs a Node.js program that ends when this process ends, however it ends (see tether.mjs). */
export function runTethered(node, args, options = {}) {
  const tether = pathToFileURL(join(bootstrapFolder, 'tether.mjs')).href
  return run(node, ['--import', tether, ...args], { ...options, stdio: ['inherit', 'inherit', 'inherit', 'ipc'] })
}

/** The environment for programs under the chosen Node.js: it and pnpm come first on PATH, the outer npm's traces are gone. */
export function environment(node) {
  const env = {}
  let path = ''
  for (const [name, value] of Object.entries(process.env)) {
    if (/^path$/i.test(name)) path = value || ''
    else if (
      !/^npm_(lifecycle|package|command|execpath|node_execpath)|^npm_config_(local_prefix|user_agent)$/i.test(name)
    )
      env[name] = value
  }
  const pnpm = join(bootstrapFolder, 'node_modules', '.bin')
  return { ...env, PATH: [dirname(node), pnpm, path].join(delimiter) }
}

function guard(child) {
  let asked = false
  const timers = []
  const end = (signal) => {
    if (asked) return
    asked = true
    child.kill(signal)
    timers.push(setTimeout(() => child.kill('SIGKILL'), GRACE_MS))
  }
  // A terminal's Ctrl-C reaches the child by itself, and some programs take a second one for impatience. Should it not
  // have come from a terminal after all, the child is still there a little later.
  const interrupt = () => {
    if (hasTerminal()) timers.push(setTimeout(end, INTERRUPT_WAIT_MS, 'SIGTERM'))
    else end('SIGINT')
  }
  const handlers = SIGNALS.map((signal) => [signal, signal === 'SIGINT' ? interrupt : () => end(signal)])
  for (const [signal, handler] of handlers) process.on(signal, handler)
  const isOrphan = orphanWatch()
  timers.push(setInterval(() => isOrphan() && end('SIGTERM'), PARENT_POLL_MS))
  return () => {
    for (const timer of timers) clearTimeout(timer)
    for (const [signal, handler] of handlers) process.removeListener(signal, handler)
  }
}

function hasTerminal() {
  return Boolean(process.stdin.isTTY || process.stdout.isTTY || process.stderr.isTTY)
}
