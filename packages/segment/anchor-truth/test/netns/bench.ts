import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const NODE = fileURLToPath(new URL('node.ts', import.meta.url))

export const ip = (...args: string[]): string =>
  execFileSync('ip', args, { stdio: ['ignore', 'pipe', 'pipe'] }).toString()

/** What a node said, with the wall clock of the machine that all share. */
export interface Said {
  readonly atMs: number
  readonly kind: string
  readonly phase?: string
  readonly anchor?: string
  readonly epochId?: string
  readonly members?: number
  readonly sinceRequestMs?: number
  readonly epoch?: number
  readonly cpuMs?: number
  readonly drops?: Readonly<Record<string, number>>
  readonly received?: Readonly<Record<string, number>>
}

/** Whether this machine lets us make network namespaces; says why not. */
export function canMakeNamespaces(): boolean {
  const made = spawnSync('ip', ['netns', 'add', `nxq${process.pid}`])
  spawnSync('ip', ['netns', 'del', `nxq${process.pid}`])
  return process.platform === 'linux' && made.status === 0
}

interface Machine {
  readonly namespace: string
  process: ChildProcess | undefined
  said: Said[]
}

/** Namespaces on one or two switches: each a machine with one cable, IPv6 link-local addresses and nothing else. */
export class Segment {
  readonly machines: Machine[] = []
  readonly #id: string
  readonly #folder: string
  readonly #mode: string
  readonly #hub: string

  constructor(id: string, folder: string, mode = 'passphrase') {
    this.#id = id
    this.#folder = folder
    this.#mode = mode
    // The switches stand in a namespace of their own: nothing of the machine's network takes part.
    this.#hub = `nx${id}h`
    ip('netns', 'add', this.#hub)
    for (const bridge of ['br0', 'br1']) {
      ip('-n', this.#hub, 'link', 'add', bridge, 'type', 'bridge', 'mcast_snooping', '0')
      ip('-n', this.#hub, 'link', 'set', bridge, 'up')
    }
  }

  plug(count: number): void {
    for (let made = 0; made < count; made++) {
      const index = this.machines.length
      const namespace = `nx${this.#id}m${index}`
      ip('netns', 'add', namespace)
      ip('link', 'add', 'eth0', 'netns', namespace, 'type', 'veth', 'peer', 'name', `p${index}`, 'netns', this.#hub)
      ip('-n', this.#hub, 'link', 'set', `p${index}`, 'master', 'br0', 'up')
      ip('-n', namespace, 'link', 'set', 'eth0', 'up')
      this.machines.push({ namespace, process: undefined, said: [] })
    }
  }

  /** Moves a machine's cable to the other switch. */
  move(index: number, bridge: 'br0' | 'br1'): void {
    ip('-n', this.#hub, 'link', 'set', `p${index}`, 'master', bridge)
  }

  start(index: number): void {
    const machine = this.machines[index]!
    const node = [process.execPath, '--conditions=nexus-source', '--disable-warning=ExperimentalWarning', NODE]
    const args = [...node, String(index), this.#folder, this.#mode, '64']
    const child = spawn('ip', ['netns', 'exec', machine.namespace, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
    machine.process = child
    machine.said = []
    let rest = ''
    child.stdout?.on('data', (chunk) => {
      const lines = `${rest}${chunk}`.split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) machine.said.push(JSON.parse(line))
      if (machine.said.length > 4_000) machine.said.splice(0, 1_000)
    })
  }

  async kill(index: number): Promise<void> {
    const machine = this.machines[index]!
    const child = machine.process
    machine.process = undefined
    if (child === undefined) return
    const gone = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGKILL')
    await gone
  }

  /** The last status of each that runs. */
  latest(): Map<number, Said> {
    const found = new Map<number, Said>()
    for (const [index, { process: child, said }] of this.machines.entries()) {
      if (child === undefined) continue
      const status = said.findLast(({ kind }) => kind === 'status')
      if (status !== undefined) found.set(index, status)
    }
    return found
  }

  /** The machine that leads if all of `of` follow it; undefined otherwise. */
  agreed(of: readonly number[] = this.running()): number | undefined {
    const latest = this.latest()
    const all = of.map((index) => latest.get(index))
    const leaders = of.filter((_, at) => all[at]?.phase === 'anchor')
    const [leader] = leaders
    if (leader === undefined || leaders.length > 1) return undefined
    const { anchor } = latest.get(leader)!
    return all.every((status) => status !== undefined && status.anchor === anchor) ? leader : undefined
  }

  running(): number[] {
    return this.machines.flatMap(({ process: child }, index) => (child === undefined ? [] : [index]))
  }

  /** When a machine took the lead, at or after `sinceMs`. */
  promotions(sinceMs: number): number[] {
    return this.machines.flatMap(({ said }) =>
      said.filter(({ kind, atMs }) => kind === 'promoted' && atMs >= sinceMs).map(({ atMs }) => atMs),
    )
  }

  async end(): Promise<void> {
    await Promise.all(this.machines.map((_, index) => this.kill(index)))
    for (const { namespace } of this.machines) spawnSync('ip', ['netns', 'del', namespace])
    spawnSync('ip', ['netns', 'del', this.#hub])
  }
}

/** Waits until `holds` gives something. @throws {Error} after `limitMs` */
export async function until<T>(what: string, limitMs: number, holds: () => T | undefined): Promise<T> {
  const endMs = Date.now() + limitMs
  for (;;) {
    const found = holds()
    if (found !== undefined) return found
    if (Date.now() > endMs) throw new Error(`not within ${limitMs} ms: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 25))
  }
}

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
