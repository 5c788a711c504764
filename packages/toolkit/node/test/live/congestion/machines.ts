import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const NODE = fileURLToPath(new URL('node.ts', import.meta.url))
const ANSWER_MS = 30_000

const ip = (...args: string[]): void => {
  execFileSync('ip', args, { stdio: ['ignore', 'ignore', 'pipe'] })
}

/** Whether this machine lets us make network namespaces with cables of a set rate. */
export function canMakeNamespaces(): boolean {
  if (process.platform !== 'linux') return false
  const name = `nxq${process.pid % 100_000}`
  const made = spawnSync('ip', ['netns', 'add', name]).status === 0
  const tbf = 'qdisc add dev lo root tbf rate 1mbit burst 2kb limit 100kb'.split(' ')
  const rated = made && spawnSync('ip', ['netns', 'exec', name, 'tc', ...tbf]).status === 0
  if (made) spawnSync('ip', ['netns', 'del', name])
  return rated
}

/** A machine: a namespace of its own, and the node in it. */
export class Machine {
  readonly namespace: string
  #child: ChildProcess | undefined
  readonly #answers: string[] = []
  #waiting: ((line: string) => void) | undefined

  constructor(name: string) {
    this.namespace = `nx${process.pid % 10_000}${name}`
    ip('netns', 'add', this.namespace)
    ip('-n', this.namespace, 'link', 'set', 'lo', 'up')
  }

  /** Starts the node. Returns its NodeID. */
  async start(settings: object): Promise<string> {
    const node = [process.execPath, '--conditions=nexus-source', '--disable-warning=ExperimentalWarning', NODE]
    const args = ['netns', 'exec', this.namespace, ...node, JSON.stringify(settings)]
    const child = spawn('ip', args, { stdio: ['pipe', 'pipe', 'inherit'] })
    this.#child = child
    createInterface({ input: child.stdout! }).on('line', (line) => {
      const waiting = this.#waiting
      this.#waiting = undefined
      if (waiting === undefined) this.#answers.push(line)
      else waiting(line)
    })
    return (await this.#answer())['nodeId'] as string
  }

  /** Tells the node what to do, and resolves with its answer. */
  // biome-ignore lint/suspicious/noExplicitAny: each command has its own answer
  async ask(command: string, given: object = {}): Promise<any> {
    this.#child!.stdin!.write(`${JSON.stringify({ command, ...given })}\n`)
    return this.#answer()
  }

  async end(): Promise<void> {
    const child = this.#child
    if (child !== undefined && child.exitCode === null) {
      const gone = new Promise((resolve) => child.once('exit', resolve))
      child.stdin!.write('{"command":"stop"}\n')
      const kill = setTimeout(() => child.kill('SIGKILL'), 3_000)
      await gone
      clearTimeout(kill)
    }
    spawnSync('ip', ['netns', 'del', this.namespace])
  }

  async #answer(): Promise<Record<string, unknown>> {
    const held = this.#answers.shift()
    if (held !== undefined) return JSON.parse(held)
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => reject(new Error(`${this.namespace} does not answer`)), ANSWER_MS)
      this.#waiting = (line) => {
        clearTimeout(late)
        resolve(JSON.parse(line))
      }
    })
  }
}

/** Plugs a cable between two machines: `10.<net>.0.1` and `.2`, each way at `bps` (Ethernet bytes counted) where given. */
export function plug(net: number, a: Machine, b: Machine, bps?: number): void {
  const device = `cab${net}`
  ip('link', 'add', device, 'netns', a.namespace, 'type', 'veth', 'peer', 'name', device, 'netns', b.namespace)
  for (const [at, machine] of [a, b].entries()) {
    ip('-n', machine.namespace, 'addr', 'add', `10.${net}.0.${at + 1}/24`, 'dev', device)
    ip('-n', machine.namespace, 'link', 'set', device, 'up')
    if (bps === undefined) continue
    const tbf = `qdisc replace dev ${device} root tbf rate ${bps}bit burst 1600 limit 200000`.split(' ')
    execFileSync('ip', ['netns', 'exec', machine.namespace, 'tc', ...tbf])
  }
}
