import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import { formatAddress, parseAddress, type SocketAddress } from '@nexus/transport'
import { PEERS_MAX, RESOLVE_MS, RESOLVE_RETRY_MS } from './limits.ts'

export interface PeersOptions {
  readonly addresses: readonly string[]
  readonly resolveMs?: number
}

export interface PeersPorts {
  /** A name has an address, or another one than before. */
  changed(): void
  failed(address: string, why: string, retryMs: number): void
}

/** 4 and 6: of that kind only; 0: of either. */
export type AddressFamily = 0 | 4 | 6

interface Peer {
  readonly configured: SocketAddress
  resolved: SocketAddress | undefined
}

/** The configured peers and what their names stand for now. A name that can't be resolved keeps its last address. */
export class Peers {
  readonly #peers: Peer[]
  readonly #resolveMs: number
  #family: AddressFamily = 0
  #reachable: readonly SocketAddress[] = []
  #ports: PeersPorts | undefined
  #timer: NodeJS.Timeout | undefined
  #round = 0

  constructor(options: PeersOptions) {
    if (options.addresses.length > PEERS_MAX) throw new RangeError(`at most ${PEERS_MAX} peers`)
    this.#resolveMs = options.resolveMs ?? RESOLVE_MS
    this.#peers = options.addresses.map((address) => {
      const configured = parseAddress(address)
      return { configured, resolved: isIP(configured.host) === 0 ? undefined : configured }
    })
    this.#list()
  }

  /** The peers whose address is known. */
  reachable(): readonly SocketAddress[] {
    return this.#reachable
  }

  /** Resolves names now and again and again, to addresses that the socket can reach. */
  start(family: AddressFamily, ports: PeersPorts): void {
    this.#family = family
    this.#ports = ports
    this.resolve()
  }

  stop(): void {
    this.#ports = undefined
    clearTimeout(this.#timer)
  }

  /** Looks all names up now. */
  resolve(): void {
    clearTimeout(this.#timer)
    const named = this.#peers.filter(({ configured }) => isIP(configured.host) === 0)
    if (named.length === 0 || this.#ports === undefined) return
    const round = ++this.#round
    void Promise.all(named.map((peer) => this.#resolveOne(peer))).then((found) => {
      if (this.#ports === undefined || round !== this.#round) return
      const waitMs = found.every(Boolean) ? this.#resolveMs : Math.min(RESOLVE_RETRY_MS, this.#resolveMs)
      this.#timer = setTimeout(() => this.resolve(), waitMs)
      this.#timer.unref()
    })
  }

  async #resolveOne(peer: Peer): Promise<boolean> {
    const { host, port } = peer.configured
    try {
      const { address } = await lookup(host, { family: this.#family })
      if (peer.resolved?.host !== address) {
        peer.resolved = { host: address, port }
        this.#list()
        this.#ports?.changed()
      }
      return true
    } catch (error) {
      const why = (error as NodeJS.ErrnoException).code ?? String(error)
      this.#ports?.failed(formatAddress(host, port), why, RESOLVE_RETRY_MS)
      return false
    }
  }

  #list(): void {
    this.#reachable = this.#peers.flatMap(({ resolved }) => resolved ?? [])
  }
}
