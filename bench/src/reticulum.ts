import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { type Child, stopped, type Values } from './child.ts'
import { CACHE } from './folders.ts'
import { AbsentError } from './job.ts'

/** The release measured; a newer one is entered here, and everything measured anew. */
export const RETICULUM_VERSION = '1.5.7'

const SCRIPT = fileURLToPath(new URL('../peers/reticulum.py', import.meta.url))
const ANSWER_MS_MAX = 120_000
const INSTALL_MS_MAX = 180_000

const run = promisify(execFile)
let installing: Promise<string> | undefined

/**
 * A Python that has Reticulum: made once and used again.
 * @throws {AbsentError} where there is no Python or no package to be had
 */
export function reticulumPython(): Promise<string> {
  installing ??= install()
  return installing
}

async function install(): Promise<string> {
  const folder = join(CACHE, `rns-${RETICULUM_VERSION}`)
  const python = join(folder, 'bin', 'python3')
  const complete = join(folder, 'complete')
  if (existsSync(complete)) return python
  try {
    mkdirSync(CACHE, { recursive: true })
    rmSync(folder, { recursive: true, force: true })
    await run('python3', ['-m', 'venv', folder], { timeout: INSTALL_MS_MAX })
    await run(python, ['-m', 'pip', 'install', '--quiet', `rns==${RETICULUM_VERSION}`], { timeout: INSTALL_MS_MAX })
    writeFileSync(complete, '')
    return python
  } catch (error) {
    throw new AbsentError(`Reticulum ${RETICULUM_VERSION} could not be installed: ${(error as Error).message}`)
  }
}

/** Python and its cryptography, with the version of Reticulum. */
export async function describeReticulum(): Promise<string> {
  const python = await reticulumPython()
  const code =
    "import sys,cryptography;print('Python',sys.version.split()[0]+', cryptography',cryptography.__version__)"
  const { stdout } = await run(python, ['-c', code])
  return `Reticulum ${RETICULUM_VERSION}, ${stdout.trim()}`
}

export interface ReticulumOptions {
  /** Port to listen on, on loopback. */
  readonly listen?: number
  /** Port to connect to, on loopback. */
  readonly connect?: number
  /** Passes on for others. */
  readonly transport?: boolean
  /** Of the interfaces; Reticulum finds its own where it is not said. */
  readonly mtuBytes?: number
}

/** Starts a node; its interfaces are up, connections may take a moment. @throws {AbsentError} */
export async function startReticulum(options: ReticulumOptions): Promise<Child> {
  const python = await reticulumPython()
  const folder = mkdtempSync(join(tmpdir(), 'nexus-bench-'))
  writeFileSync(join(folder, 'config'), configOf(options))
  const child = spawn(python, [SCRIPT, folder], { stdio: ['pipe', 'pipe', 'inherit'] })
  const lines = linesOf(child)
  const forget = () => rmSync(folder, { recursive: true, force: true })
  child.once('exit', forget)
  await lines.next('start')
  return {
    ask(question, values = {}) {
      child.stdin!.write(`${JSON.stringify({ question, ...values })}\n`)
      return lines.next(question)
    },
    async stop() {
      child.stdin!.end()
      await stopped(child)
    },
  }
}

/** A Python that imported Reticulum and does nothing. */
export async function importReticulum(): Promise<{ pid: number; stop(): Promise<void> }> {
  const child = spawn(await reticulumPython(), [SCRIPT, '--only-import'], { stdio: ['pipe', 'pipe', 'inherit'] })
  await linesOf(child).next('import')
  return {
    pid: child.pid!,
    async stop() {
      child.stdin!.end()
      await stopped(child)
    },
  }
}

/** A port of loopback that was free a moment ago. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number }
      server.close(() => resolve(port))
    })
  })
}

function configOf({ listen, connect, transport = false, mtuBytes }: ReticulumOptions): string {
  const mtu = mtuBytes === undefined ? '' : `    fixed_mtu = ${mtuBytes}\n`
  const server = `  [[Server]]\n    type = TCPServerInterface\n${mtu}    enabled = yes\n    listen_ip = 127.0.0.1\n    listen_port = ${listen}\n`
  const client = `  [[Client]]\n    type = TCPClientInterface\n${mtu}    enabled = yes\n    target_host = 127.0.0.1\n    target_port = ${connect}\n`
  const interfaces = (listen === undefined ? '' : server) + (connect === undefined ? '' : client)
  const node = `  enable_transport = ${transport ? 'yes' : 'no'}\n  share_instance = No\n  panic_on_interface_error = No\n`
  return `[reticulum]\n${node}[logging]\n  loglevel = 1\n[interfaces]\n${interfaces}`
}

function linesOf(child: ChildProcess): { next(what: string): Promise<Values> } {
  const ready: string[] = []
  let waiting: ((line: string | undefined) => void) | undefined
  let ended = false
  const lines = createInterface({ input: child.stdout! })
  lines.on('line', (line) => {
    if (!line.startsWith('{')) return
    if (waiting === undefined) ready.push(line)
    else waiting(line)
  })
  lines.on('close', () => {
    ended = true
    waiting?.(undefined)
  })
  return {
    async next(what) {
      const line = ready.shift() ?? (ended ? undefined : await nextLine())
      if (line === undefined) throw new Error(`Reticulum ended, or did not answer, at ${what}`)
      const answer = JSON.parse(line) as Values
      if (typeof answer['error'] === 'string') throw new Error(`Reticulum, at ${what}: ${answer['error']}`)
      return answer
    },
  }

  function nextLine(): Promise<string | undefined> {
    return new Promise((resolve) => {
      const settle = (line: string | undefined) => {
        clearTimeout(limit)
        waiting = undefined
        resolve(line)
      }
      const limit = setTimeout(() => settle(undefined), ANSWER_MS_MAX)
      waiting = settle
    })
  }
}
