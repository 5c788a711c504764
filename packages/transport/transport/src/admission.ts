import { networkOf } from './address.ts'
import { CONNECTIONS_MAX, CONNECTIONS_PER_NETWORK_MAX } from './limits.ts'

/** How many connections a listening transport holds. */
export interface AdmissionLimits {
  /** In all; default {@link CONNECTIONS_MAX}. */
  readonly connectionsMax?: number
  /** From one remote network (see {@link networkOf}); default {@link CONNECTIONS_PER_NETWORK_MAX}. */
  readonly connectionsPerNetworkMax?: number
}

/**
 * Counts the connections of a listening transport, in all and per remote network. Identities are free, addresses are
 * not: limits that come before authentication count addresses. Holds one number per network with a connection.
 */
export class Admission {
  readonly #connectionsMax: number
  readonly #perNetworkMax: number
  readonly #counts = new Map<string, number>()
  #total = 0

  constructor(limits: AdmissionLimits = {}) {
    this.#connectionsMax = limits.connectionsMax ?? CONNECTIONS_MAX
    this.#perNetworkMax = limits.connectionsPerNetworkMax ?? CONNECTIONS_PER_NETWORK_MAX
  }

  /** Connections held now. */
  get total(): number {
    return this.#total
  }

  /** Takes a place for `host`, to be given back by {@link release}. Says what is full where there is none. */
  admit(host: string): 'admitted' | 'full' | 'network-full' {
    if (this.#total >= this.#connectionsMax) return 'full'
    const network = networkOf(host)
    const held = this.#counts.get(network) ?? 0
    if (held >= this.#perNetworkMax) return 'network-full'
    this.#counts.set(network, held + 1)
    this.#total++
    return 'admitted'
  }

  /** Gives the place back that {@link admit} gave to `host`. */
  release(host: string): void {
    const network = networkOf(host)
    const held = this.#counts.get(network)
    if (held === undefined) throw new RangeError(`no place is held by ${network}`)
    if (held === 1) this.#counts.delete(network)
    else this.#counts.set(network, held - 1)
    this.#total--
  }
}
