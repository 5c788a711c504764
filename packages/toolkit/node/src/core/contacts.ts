import { decodeUtf8, encodeUtf8, fromHex, toHex } from '@nexus/codec'
import { encodeCost } from '@nexus/compact-path-cost'
import { type Crypto, PUBLIC_KEY_BYTES } from '@nexus/crypto'
import { nodeIdOf } from '@nexus/identity'
import { STATEMENTS_PER_TRUSTER_MAX, TrustedPeers } from '@nexus/trust'
import { KNOWN_NODES_MAX, TRUSTED_MAX } from './limits.ts'
import type { Store } from './store.ts'

/** A peer that the operator named: relayed for free, unless it has a price. */
export interface TrustedPeer {
  readonly nodeId: Uint8Array
  readonly publicKey?: Uint8Array
  readonly name?: string
  /** Where to dial it: interface id and address, with a space between. */
  readonly address?: string
  /** What it is charged, in whole μNXS per MiB; one that has a price has no credit. */
  readonly priceMicroPerMib?: number
  /** What it may owe beyond what its balance covers, in whole μNXS; 0 if not said. */
  readonly creditLineMicro?: bigint
  /** Whether others are told that it is trusted, so that they may give it credit. */
  readonly vouched?: boolean
}

/** What was learnt of a node from its verified announce. */
interface Known {
  readonly publicKey: Uint8Array
  readonly label: string | undefined
}

const PEER_PREFIX = 'peer/'
const NODE_PREFIX = 'node/'

/**
 * Who is who: peers that the operator trusts, and nodes that were heard, with their keys and labels. Nodes heard are
 * bounded; the one heard longest ago is forgotten first. Those one has spoken with are on disk.
 */
export class Contacts {
  readonly #crypto: Crypto
  readonly #store: Store
  /** What naming a peer means for what it pays and may owe. */
  readonly terms = new TrustedPeers(0)
  readonly #trusted = new Map<string, TrustedPeer>()
  readonly #known = new Map<string, Known>()

  constructor(crypto: Crypto, store: Store) {
    this.#crypto = crypto
    this.#store = store
    for (const [key, value] of store.entries(PEER_PREFIX)) {
      const nodeId = fromHex(key.slice(PEER_PREFIX.length))
      this.#admit({ nodeId, ...decodePeer(value) })
    }
    for (const [key, value] of store.entries(NODE_PREFIX)) {
      this.#known.set(key.slice(NODE_PREFIX.length), {
        publicKey: value.slice(0, PUBLIC_KEY_BYTES),
        label: value.length > PUBLIC_KEY_BYTES ? decodeUtf8(value.subarray(PUBLIC_KEY_BYTES)) : undefined,
      })
    }
  }

  trusted(): IterableIterator<TrustedPeer> {
    return this.#trusted.values()
  }

  get knownCount(): number {
    return this.#known.size
  }

  isTrusted(nodeId: Uint8Array): boolean {
    return this.#trusted.has(toHex(nodeId))
  }

  /**
   * Names a peer, durably.
   * @throws {RangeError} above {@link TRUSTED_MAX}, where key and NodeID do not belong together, for a price with credit or vouching
   */
  trust(peer: TrustedPeer): void {
    const { publicKey, nodeId } = peer
    if (publicKey !== undefined && toHex(nodeIdOf(this.#crypto, publicKey)) !== toHex(nodeId)) {
      throw new RangeError('the public key is not that of this NodeID')
    }
    if (peer.priceMicroPerMib !== undefined && (peer.creditLineMicro !== undefined || peer.vouched === true))
      throw new RangeError('a peer that pays a price is not given credit, nor vouched for')
    if (this.#trusted.size >= TRUSTED_MAX && !this.isTrusted(nodeId))
      throw new RangeError(`${TRUSTED_MAX} peers are named`)
    if (peer.vouched === true && this.#vouchedBeside(nodeId) >= STATEMENTS_PER_TRUSTER_MAX)
      throw new RangeError(`${STATEMENTS_PER_TRUSTER_MAX} peers are vouched for; others would take no more`)
    this.#store.put(PEER_PREFIX + toHex(nodeId), encodePeer(peer))
    this.#admit(peer)
  }

  /** Forgets a trusted peer, durably. Returns it, if it was there. */
  distrust(nodeId: Uint8Array): TrustedPeer | undefined {
    const peer = this.#trusted.get(toHex(nodeId))
    if (peer === undefined) return undefined
    this.#store.delete(PEER_PREFIX + toHex(nodeId))
    this.#trusted.delete(toHex(nodeId))
    this.terms.distrust(nodeId)
    this.terms.setCost(nodeId, undefined)
    return peer
  }

  /** Notes a node whose announce was verified. */
  heard(nodeId: Uint8Array, publicKey: Uint8Array, label: string | undefined): void {
    const key = toHex(nodeId)
    this.#known.delete(key)
    if (this.#known.size >= KNOWN_NODES_MAX) {
      const [oldest] = this.#known.keys()
      this.#known.delete(oldest!)
      this.#store.delete(NODE_PREFIX + oldest!)
    }
    this.#known.set(key, { publicKey: publicKey.slice(), label })
  }

  /** Keeps the key of a node that one speaks with over restarts. */
  remember(nodeId: Uint8Array, publicKey: Uint8Array): void {
    const key = toHex(nodeId)
    if (this.#store.get(NODE_PREFIX + key) !== undefined) return
    const label = this.#known.get(key)?.label
    const text = label === undefined ? new Uint8Array(0) : encodeUtf8(label)
    const value = new Uint8Array(PUBLIC_KEY_BYTES + text.length)
    value.set(publicKey)
    value.set(text, PUBLIC_KEY_BYTES)
    if (!this.#known.has(key)) this.heard(nodeId, publicKey, undefined)
    this.#store.put(NODE_PREFIX + key, value)
  }

  #vouchedBeside(nodeId: Uint8Array): number {
    const key = toHex(nodeId)
    return [...this.#trusted].filter(([name, { vouched }]) => vouched && name !== key).length
  }

  #admit(peer: TrustedPeer): void {
    const { nodeId, priceMicroPerMib, creditLineMicro = 0n } = peer
    if (priceMicroPerMib === undefined) {
      this.terms.trust(nodeId, { creditLineMicro })
      this.terms.setCost(nodeId, undefined)
    } else {
      this.terms.setCost(nodeId, encodeCost(BigInt(priceMicroPerMib) << 16n))
      this.terms.distrust(nodeId)
    }
    this.#trusted.set(toHex(nodeId), peer)
  }

  publicKeyOf(nodeId: Uint8Array): Uint8Array | undefined {
    const key = toHex(nodeId)
    return this.#known.get(key)?.publicKey ?? this.#trusted.get(key)?.publicKey
  }

  /** The operator's name for a node, else the label that it gives itself. */
  labelOf(nodeId: Uint8Array): string | undefined {
    const key = toHex(nodeId)
    return this.#trusted.get(key)?.name ?? this.#known.get(key)?.label
  }

  /** NodeIDs, in hex, that bear `name` or begin with it as hex digits of at least 4. */
  find(name: string): string[] {
    const found = new Set<string>()
    for (const [key, peer] of this.#trusted) if (peer.name === name) found.add(key)
    if (found.size > 0) return [...found]
    for (const [key, known] of this.#known) {
      if (known.label === name || (name.length >= 4 && key.startsWith(name.toLowerCase()))) found.add(key)
    }
    for (const key of this.#trusted.keys()) if (name.length >= 4 && key.startsWith(name.toLowerCase())) found.add(key)
    return [...found]
  }
}

function encodePeer({ publicKey, name, address, priceMicroPerMib, creditLineMicro, vouched }: TrustedPeer): Uint8Array {
  return encodeUtf8(
    JSON.stringify({
      ...(publicKey ? { publicKey: toHex(publicKey) } : {}),
      ...(name ? { name } : {}),
      ...(address ? { address } : {}),
      ...(priceMicroPerMib === undefined ? {} : { price: `${priceMicroPerMib}` }),
      ...(creditLineMicro === undefined ? {} : { credit: `${creditLineMicro}` }),
      ...(vouched ? { vouched: 'yes' } : {}),
    }),
  )
}

function decodePeer(value: Uint8Array): Omit<TrustedPeer, 'nodeId'> {
  const peer = JSON.parse(decodeUtf8(value) ?? '{}') as Record<string, string | undefined>
  const { publicKey, name, address, price, credit, vouched } = peer
  return {
    ...(publicKey ? { publicKey: fromHex(publicKey) } : {}),
    ...(name ? { name } : {}),
    ...(address ? { address } : {}),
    ...(price === undefined ? {} : { priceMicroPerMib: Number(price) }),
    ...(credit === undefined ? {} : { creditLineMicro: BigInt(credit) }),
    ...(vouched === undefined ? {} : { vouched: true }),
  }
}
