import { execFileSync, spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { Peer } from './peer.ts'
import { rnsPython } from './python.ts'

const STOCK = fileURLToPath(new URL('rns_peer.py', import.meta.url))
const OURS = fileURLToPath(new URL('ours.ts', import.meta.url))
const READY_TRIES = 50

const ip = (...args: string[]): string => execFileSync('ip', args, { stdio: ['ignore', 'pipe', 'pipe'] }).toString()

/** Whether this machine lets us make network namespaces. */
export function canMakeNamespaces(): boolean {
  if (process.platform !== 'linux') return false
  const made = spawnSync('ip', ['netns', 'add', `nxr${process.pid}`])
  spawnSync('ip', ['netns', 'del', `nxr${process.pid}`])
  return made.status === 0
}

/** Machines with one cable each on one switch, with IPv6 link-local addresses and nothing else. */
export class Lan {
  readonly #machines: string[]
  readonly #hub: string

  constructor(id: string, count: number) {
    const name = `nxr${process.pid}${id}`
    this.#hub = `${name}h`
    this.#machines = Array.from({ length: count }, (_, at) => `${name}m${at}`)
    ip('netns', 'add', this.#hub)
    ip('-n', this.#hub, 'link', 'add', 'br0', 'type', 'bridge', 'mcast_snooping', '0')
    ip('-n', this.#hub, 'link', 'set', 'br0', 'up')
    for (const [at, machine] of this.#machines.entries()) {
      ip('netns', 'add', machine)
      ip('link', 'add', 'eth0', 'netns', machine, 'type', 'veth', 'peer', 'name', `p${at}`, 'netns', this.#hub)
      ip('-n', this.#hub, 'link', 'set', `p${at}`, 'master', 'br0', 'up')
      ip('-n', machine, 'link', 'set', 'lo', 'up')
      ip('-n', machine, 'link', 'set', 'eth0', 'up')
    }
  }

  /** Resolves when no address is on trial any more (RFC 4862 section 5.4). */
  async ready(): Promise<void> {
    const isReady = (machine: string) =>
      / fe80\S+ scope link\s*$/m.test(ip('-n', machine, '-6', 'addr', 'show', 'eth0'))
    for (let tries = 0; !this.#machines.every(isReady); tries++) {
      if (tries === READY_TRIES) throw new Error('the machines have no addresses')
      await new Promise((resolve) => setTimeout(resolve, 200))
    }
  }

  /** Pulls or plugs in a machine's cable. */
  cable(machine: number, state: 'up' | 'down'): void {
    ip('-n', this.#hub, 'link', 'set', `p${machine}`, state)
  }

  /** A Reticulum of the stock kind on a machine. */
  async stock(machine: number, ...args: readonly string[]): Promise<Peer> {
    const python = await rnsPython()
    return Peer.spawn('ip', 'netns', 'exec', this.#machines[machine]!, python, STOCK, ...args, '--exit-with-stdin')
  }

  /** A node of ours on a machine. */
  ours(machine: number, ...args: readonly string[]): Promise<Peer> {
    const node = [process.execPath, '--conditions=nexus-source', '--disable-warning=ExperimentalWarning', OURS]
    return Peer.spawn('ip', 'netns', 'exec', this.#machines[machine]!, ...node, ...args)
  }

  end(): void {
    for (const machine of [...this.#machines, this.#hub]) spawnSync('ip', ['netns', 'del', machine])
  }
}
