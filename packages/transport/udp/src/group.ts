import { createSocket, type Socket } from 'node:dgram'
import { parseAddress } from '@nexus/transport'
import type { MachineInterface } from '@nexus/transport/node'
import { GROUP, GROUP_INTERFACES_MAX, GROUP_PORT } from './limits.ts'

export interface GroupOptions {
  /** IPv6 link-local multicast address; default {@link GROUP}. */
  readonly group?: string
  /** Port of the group; default {@link GROUP_PORT}. */
  readonly port?: number
  /** Names of the network interfaces to use; default: all that have an IPv6 link-local address. */
  readonly interfaces?: readonly string[]
}

/**
 * Membership in the discovery group on each network interface by itself. The socket only hears; what goes to the group
 * is sent from the transport's own socket, so that an answer finds its way.
 */
export class Group {
  readonly port: number
  readonly #group: string
  readonly #only: readonly string[] | undefined
  readonly #joined = new Map<string, number>()
  #socket: Socket | undefined
  #destinations: readonly string[] = []

  constructor(options: GroupOptions) {
    this.port = options.port ?? GROUP_PORT
    this.#group = parseAddress(`[${options.group ?? GROUP}]:${this.port}`).host
    if (!/^ff[0-9a-f]2:/.test(this.#group)) throw new RangeError(`not a link-local multicast address: ${this.#group}`)
    this.#only = options.interfaces
  }

  /** The group's address on each joined interface, with the zone that names it: where a greeting goes. */
  get destinations(): readonly string[] {
    return this.#destinations
  }

  async open(
    onMessage: (bytes: Buffer, host: string, port: number) => void,
    onError: (error: Error) => void,
  ): Promise<void> {
    // Several nodes of one machine share the group's port, and each hears the group.
    const socket = createSocket({ type: 'udp6', ipv6Only: true, reuseAddr: true })
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject)
      socket.bind({ address: '::', port: this.port }, () => {
        socket.removeListener('error', reject)
        resolve()
      })
    })
    socket.on('error', onError)
    socket.on('message', (bytes, { address, port }) => onMessage(bytes, address, port))
    this.#socket = socket
  }

  /** Joins on interfaces that came, forgets those that went. Returns the names of those that can't be joined. */
  follow(machine: readonly MachineInterface[]): string[] {
    const socket = this.#socket
    if (socket === undefined) return []
    const usable = machine
      .filter(({ name, internal, scopeId }) => !internal && scopeId > 0 && (this.#only?.includes(name) ?? true))
      .slice(0, GROUP_INTERFACES_MAX)
    const failed: string[] = []
    for (const [name, scopeId] of this.#joined) {
      // An interface that was made anew under its old name has another number, and no membership.
      if (!usable.some((one) => one.name === name && one.scopeId === scopeId)) this.#joined.delete(name)
    }
    for (const { name, scopeId } of usable) {
      if (this.#joined.has(name)) continue
      if (this.#join(socket, zoneOf(name, scopeId))) this.#joined.set(name, scopeId)
      else failed.push(name)
    }
    this.#destinations = [...this.#joined].map(([name, scopeId]) => `${this.#group}%${zoneOf(name, scopeId)}`)
    return failed
  }

  async close(): Promise<void> {
    const socket = this.#socket
    this.#socket = undefined
    this.#destinations = []
    if (socket !== undefined) await new Promise<void>((resolve) => socket.close(() => resolve()))
  }

  #join(socket: Socket, zone: string): boolean {
    try {
      socket.addMembership(this.#group, `::%${zone}`)
      return true
    } catch (error) {
      // Still a member: the interface was away for less than the kernel keeps memberships.
      return (error as NodeJS.ErrnoException).code === 'EADDRINUSE'
    }
  }
}

/** Windows names zones by number, all others by name. */
function zoneOf(name: string, scopeId: number): string {
  return process.platform === 'win32' ? String(scopeId) : name
}
