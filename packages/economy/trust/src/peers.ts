import { toHex } from '@nexus/codec'
import { COST_FREE, COST_MAX } from '@nexus/compact-path-cost'
import { NODE_ID_BYTES, PEERS_MAX } from './limits.ts'

/** What a node grants a peer that it trusts. */
export interface TrustedPeer {
  /** What it may owe, in whole μNXS; 0: relaying is free, credit is not given. */
  readonly creditLineMicro: bigint
  /** What it may owe anew in one epoch; its line if not said. */
  readonly creditPerEpochMicro?: bigint
  /** A community's name: informational. */
  readonly community?: string
}

/**
 * Whom this node trusts, and what its relaying costs others (docs/spec/trust.md). A neighbour that is trusted relays for
 * free, wherever its packets go; any other pays, also for packets to a trusted node.
 */
export class TrustedPeers {
  readonly #defaultCost: number
  readonly #trusted = new Map<string, TrustedPeer>()
  readonly #costs = new Map<string, number>()

  /** `defaultCost`: the encoded cost e of relaying for strangers, 0…640. @throws {RangeError} for another */
  constructor(defaultCost: number) {
    this.#defaultCost = checkedCost(defaultCost)
  }

  /** Trusts a peer, or changes what it is granted. @throws {RangeError} where there are too many, or an amount is below 0 */
  trust(nodeId: Uint8Array, peer: TrustedPeer): void {
    if (peer.creditLineMicro < 0n || (peer.creditPerEpochMicro ?? 0n) < 0n)
      throw new RangeError('credit is not negative')
    put(this.#trusted, nodeId, peer)
  }

  /** Trusts a peer no longer: it pays from the next packet on. */
  distrust(nodeId: Uint8Array): void {
    this.#trusted.delete(toHex(nodeId))
  }

  /** Sets the price for one neighbour, or with undefined the default again. @throws {RangeError} as {@link trust} does */
  setCost(nodeId: Uint8Array, cost: number | undefined): void {
    if (cost === undefined) this.#costs.delete(toHex(nodeId))
    else put(this.#costs, nodeId, checkedCost(cost))
  }

  /** What a peer is granted; undefined: it is not trusted. */
  find(nodeId: Uint8Array): TrustedPeer | undefined {
    return this.#trusted.get(toHex(nodeId))
  }

  /** Whether packets that this neighbour hands over are relayed without the lottery. */
  isFree(neighbour: Uint8Array): boolean {
    return this.#trusted.has(toHex(neighbour))
  }

  /** The encoded cost that this node adds to a path for a neighbour: 0 for trusted ones. */
  ownCost(neighbour: Uint8Array): number {
    const name = toHex(neighbour)
    return this.#trusted.has(name) ? COST_FREE : (this.#costs.get(name) ?? this.#defaultCost)
  }

  /** The price that was set for one neighbour; undefined: the default holds, or it is trusted. */
  costFor(neighbour: Uint8Array): number | undefined {
    const name = toHex(neighbour)
    return this.#trusted.has(name) ? undefined : this.#costs.get(name)
  }

  /** All peers that are trusted, by their NodeID in hexadecimal. */
  entries(): Iterable<[string, TrustedPeer]> {
    return this.#trusted.entries()
  }
}

function put<Value>(into: Map<string, Value>, nodeId: Uint8Array, value: Value): void {
  if (nodeId.length !== NODE_ID_BYTES) throw new RangeError(`a NodeID has ${NODE_ID_BYTES} bytes, not ${nodeId.length}`)
  const name = toHex(nodeId)
  if (!into.has(name) && into.size >= PEERS_MAX) throw new RangeError(`more than ${PEERS_MAX} peers`)
  into.set(name, value)
}

function checkedCost(cost: number): number {
  if (!Number.isInteger(cost) || cost < 0 || cost > COST_MAX) throw new RangeError(`${cost} is no encoded cost`)
  return cost
}
