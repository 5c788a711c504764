import { execFile, execFileSync, spawn } from 'node:child_process'
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { Client } from 'pg'

/** A PostgreSQL of the test's own on loopback, in a folder that goes with it. */
export interface TestServer {
  readonly url: string
  /** Ends the server at once, as a power cut would end its process, and starts it again on the same data. */
  crashAndRestart(): Promise<void>
  stop(): Promise<void>
}

/** Where the server's programs are, if they are on this machine: on the path, or where Debian puts them. */
export function postgresPrograms(): string | undefined {
  const debian = '/usr/lib/postgresql'
  const versions = existsSync(debian) ? readdirSync(debian).toSorted((a, b) => Number(b) - Number(a)) : []
  const folders = [
    ...(process.env['PATH'] ?? '').split(':'),
    ...versions.map((version) => join(debian, version, 'bin')),
  ]
  return folders.find((folder) => existsSync(join(folder, 'initdb')) && existsSync(join(folder, 'postgres')))
}

/** Initialises and starts a server. PostgreSQL refuses to run as root: there it runs as `postgres`. */
export async function startPostgres(programs: string): Promise<TestServer> {
  const data = mkdtempSync(join(tmpdir(), 'nexus-pg-'))
  const user = serverUser()
  if (user !== undefined) chownSync(data, user.uid, user.gid)
  const run = promisify(execFile)
  await run(join(programs, 'initdb'), ['-D', data, '-U', 'nexus', '-A', 'trust', '-E', 'UTF8', '--locale=C'], {
    ...user,
    cwd: data,
  })
  const port = await freePort()
  const url = `postgres://nexus@127.0.0.1:${port}/postgres`

  const start = async () => {
    const args = [
      '-D',
      data,
      '-p',
      String(port),
      '-c',
      'listen_addresses=127.0.0.1',
      '-c',
      `unix_socket_directories=${data}`,
    ]
    const server = spawn(join(programs, 'postgres'), [...args, '-c', 'max_connections=50'], {
      ...user,
      cwd: data,
      stdio: 'ignore',
    })
    await ready(url)
    return server
  }
  let server = await start()
  const end = async (signal: 'SIGINT' | 'SIGQUIT'): Promise<void> => {
    const ended = new Promise((resolve) => server.once('exit', resolve))
    server.kill(signal)
    await ended
  }
  return {
    url,
    async crashAndRestart() {
      await end('SIGQUIT')
      server = await start()
    },
    async stop() {
      await end('SIGINT')
      rmSync(data, { recursive: true, force: true })
    },
  }
}

function serverUser(): { readonly uid: number; readonly gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined
  const id = (flag: string): number => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }))
  return { uid: id('-u'), gid: id('-g') }
}

async function ready(url: string): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt++) {
    const client = new Client({ connectionString: url })
    const up = await client.connect().then(
      () => true,
      () => false,
    )
    await client.end().catch(() => {})
    if (up) return
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  throw new Error('PostgreSQL did not come up within 20 s')
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer().once('error', reject)
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address()
      probe.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0))
    })
  })
}
