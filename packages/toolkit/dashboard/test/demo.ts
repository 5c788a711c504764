import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url))
const START_MS_MAX = 60_000

/** The demonstration as `npm start` runs it, on a port of its own and with fresh state. */
export interface Demo {
  /** The page's address, token included. */
  readonly url: string
  readonly port: number
  readonly token: string
  stop(): Promise<void>
}

export function startDemo(): Promise<Demo> {
  const stateDir = mkdtempSync(join(tmpdir(), 'nexus-page-'))
  return start(stateDir, 'nexus-node', 'demo', '--state', stateDir, '--port', '0')
}

/** The same of `npm start segment`. */
export function startSegmentDemo(): Promise<Demo> {
  return start(mkdtempSync(join(tmpdir(), 'nexus-page-')), 'nexus-segment', 'demo', '--port', '0')
}

/** A node of one's own that takes part in a segment, on no network at all. */
export async function startNode(): Promise<Demo> {
  const stateDir = mkdtempSync(join(tmpdir(), 'nexus-page-'))
  const keygen = run('nexus-keygen', ['identity', '--plain', '--out', join(stateDir, 'identity')])
  await new Promise((resolve) => keygen.once('exit', resolve))
  writeFileSync(join(stateDir, 'nexus.toml'), CONFIG)
  const flags = ['--config', join(stateDir, 'nexus.toml'), '--state-dir', stateDir]
  return start(stateDir, 'nexus-node', 'start', ...flags)
}

/** No network interface has this name: nothing is said to anybody. */
const CONFIG = `label = "solo"
interfaces = [{ type = "udp", host = "127.0.0.1", port = 0, multicast = false }]
page = { enabled = true, port = 0 }
segment = { enabled = true, interfaces = ["none0"], meshPeers = false }
`

function run(program: string, args: readonly string[]): ChildProcess {
  const flags = ['--conditions=nexus-source', '--disable-warning=ExperimentalWarning']
  const path = join(ROOT, `apps/pi-bridge/src/bin/${program}.ts`)
  return spawn(process.execPath, [...flags, path, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
}

async function start(stateDir: string, program: string, ...args: string[]): Promise<Demo> {
  const child = run(program, args)
  const stop = async (): Promise<void> => {
    await ended(child)
    rmSync(stateDir, { recursive: true, force: true })
  }
  try {
    const url = await printedUrl(child)
    const { port, hash } = new URL(url)
    return { url, port: Number(port), token: hash.slice('#token='.length), stop }
  } catch (error) {
    await stop()
    throw error
  }
}

/** Builds the page, as it is published, into its place in the package or into another folder. */
export function buildPage(folder?: string): Promise<void> {
  const script = fileURLToPath(new URL('../build-page.mjs', import.meta.url))
  const build = spawn(process.execPath, folder === undefined ? [script] : [script, folder], { stdio: 'inherit' })
  return new Promise((resolve, reject) => {
    build.once('exit', (code) => (code === 0 ? resolve() : reject(new Error(`the build ended with ${code}`))))
  })
}

/** The status that looking gets with headers of one's own choice, which a browser would not let one set. */
export function statusOf(port: number, headers: Record<string, string>): Promise<number> {
  return new Promise((resolve, reject) => {
    const call = request({ host: '127.0.0.1', port, path: '/api/watch', method: 'POST', headers }, (response) => {
      resolve(response.statusCode ?? 0)
      response.destroy()
    })
    call.once('error', reject)
    call.end('{}')
  })
}

function printedUrl(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let printed = ''
    const timer = setTimeout(() => reject(new Error(`no address was printed:\n${printed}`)), START_MS_MAX)
    child.stdout?.on('data', (chunk) => {
      printed += chunk
      const [url] = /http:\S+#token=\S+/.exec(printed) ?? []
      if (url === undefined) return
      clearTimeout(timer)
      resolve(url)
    })
    child.once('exit', () => {
      clearTimeout(timer)
      reject(new Error(`the demonstration ended:\n${printed}`))
    })
  })
}

function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve()
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  child.kill('SIGTERM')
  const last = setTimeout(() => child.kill('SIGKILL'), 10_000)
  return gone.finally(() => clearTimeout(last))
}
