/** Runs the commands as a user would: processes of their own, real sockets on the loopback, a state folder for each node. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Compiled once for all commands that the tests run. */
const COMPILED = join(import.meta.dirname, '..', 'node_modules', '.cache', 'compiled')

export interface Ended {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

/** A folder of a test's own, and the processes that it started; `end` leaves neither. */
export class Bench {
  readonly folder: string = mkdtempSync(join(tmpdir(), 'nexus-cli-'))
  readonly #children = new Set<ChildProcess>()
  // A test that ran out of time does not come to its `end`.
  readonly #atExit = (): void => {
    for (const child of this.#children) child.kill('SIGKILL')
  }

  constructor() {
    process.once('exit', this.#atExit)
  }

  path(...names: string[]): string {
    return join(this.folder, ...names)
  }

  /** Runs a command to its end. */
  async run(
    node: string | undefined,
    command: string,
    args: readonly string[] = [],
    input = '',
    env: NodeJS.ProcessEnv = {},
  ): Promise<Ended> {
    const child = this.spawn(node, command, args, env)
    let out = ''
    let err = ''
    child.stdout?.on('data', (chunk) => (out += chunk))
    child.stderr?.on('data', (chunk) => (err += chunk))
    child.stdin?.on('error', () => {})
    child.stdin?.end(input)
    const [code] = (await once(child, 'close')) as [number | null]
    return { code, out, err }
  }

  /** Runs a command with --json that must succeed, and reads what it printed, a value a line. */
  async json<T>(node: string, command: string, args: readonly string[] = [], input = ''): Promise<T[]> {
    const ended = await this.run(node, command, [...args, '--json'], input)
    if (ended.code !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${ended.code}: ${ended.err}`)
    return lines(ended.out)
  }

  spawn(node: string | undefined, command: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): ChildProcess {
    return this.spawnIn([], node, command, args, env)
  }

  /** The same by way of another program: `ip netns exec NAME`. */
  spawnIn(
    by: readonly string[],
    node: string | undefined,
    command: string,
    args: readonly string[],
    env: NodeJS.ProcessEnv = {},
  ): ChildProcess {
    const program = join(import.meta.dirname, '..', 'src', 'bin', `${command}.ts`)
    const [first, ...rest] = [...by, process.execPath, '--conditions=nexus-source', program, ...args]
    const child = spawn(first as string, rest, {
      env: {
        ...clean(process.env),
        HOME: this.folder,
        XDG_CONFIG_HOME: this.path('config'),
        XDG_DATA_HOME: this.path('data'),
        NODE_COMPILE_CACHE: COMPILED,
        ...(node === undefined ? {} : { NEXUS_STATE_DIR: this.path(node) }),
        ...env,
      },
    })
    this.#children.add(child)
    child.once('close', () => this.#children.delete(child))
    return child
  }

  /** Makes an identity without a passphrase and starts a node in the foreground. Resolves when it is up. */
  async start(node: string, args: readonly string[]): Promise<RunningChild> {
    const made = await this.run(node, 'nexus-keygen', ['identity', '--plain'])
    if (made.code !== 0 && !made.err.includes('exists already')) throw new Error(made.err)
    const child = this.spawn(node, 'nexus-node', ['start', '--json', '--label', node, '--round-ms', '1000', ...args])
    const running = new RunningChild(child)
    await running.started
    return running
  }

  async end(): Promise<void> {
    await Promise.all(
      [...this.#children].map(async (child) => {
        const closed = once(child, 'close')
        child.kill('SIGKILL')
        await closed
      }),
    )
    process.off('exit', this.#atExit)
    rmSync(this.folder, { recursive: true, force: true })
  }
}

/** A node in the foreground. */
export class RunningChild {
  readonly child: ChildProcess
  readonly started: Promise<{ nodeId: string; pid: number; socket: string; page: string | null }>
  out = ''
  err = ''
  /** Its exit code, once it has one. */
  readonly ended: Promise<number | null>

  constructor(child: ChildProcess) {
    this.child = child
    this.ended = once(child, 'close').then(() => child.exitCode)
    this.started = new Promise((resolve, reject) => {
      child.stdout?.on('data', (chunk) => {
        this.out += chunk
        if (this.out.includes('\n')) resolve(JSON.parse(this.out.split('\n')[0]!))
      })
      child.stderr?.on('data', (chunk) => (this.err += chunk))
      child.once('close', (code) => reject(new Error(`the node ended with ${code}: ${this.err}`)))
    })
  }

  async kill(signal: NodeJS.Signals): Promise<number | null> {
    this.child.kill(signal)
    return this.ended
  }
}

export function lines<T>(text: string): T[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as T)
}

/** A port of the loopback that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  return typeof address === 'object' && address !== null ? address.port : 0
}

/** Waits until `get` gives something. */
export async function until<T>(what: string, get: () => Promise<T | undefined | false>, limitMs = 15_000): Promise<T> {
  const end = performance.now() + limitMs
  for (;;) {
    const value = await get()
    if (value !== undefined && value !== false) return value
    if (performance.now() > end) throw new Error(`not within ${limitMs} ms: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

/** Without what would change what a command does. */
function clean(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const foreign = /^(NEXUS_|NO_COLOR|FORCE_COLOR|STATE_DIRECTORY|CREDENTIALS_DIRECTORY|SSH_CONNECTION|XDG_)/
  return Object.fromEntries(Object.entries(env).filter(([name]) => !foreign.test(name)))
}
