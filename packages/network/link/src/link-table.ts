import { toHex } from '@nexus/codec'
import type { Random } from '@nexus/crypto'
import type { Attempt, HalfOpen } from './handshake.ts'
import type { DownReason } from './link.ts'
import type { LinkKey, LinkState } from './link-state.ts'

/** What an id of ours, chosen by us and named by frames to us, stands for. */
export type IdOwner = Attempt | HalfOpen | LinkKey | { readonly kind: 'reserved' }

/** An id promised to the peer in a rekey, until the key it will name is there. */
export const RESERVED: IdOwner = { kind: 'reserved' }

/**
 * All links, and all ids. An id stands for one thing at a time, so a frame has one candidate; ids of other nodes on the
 * same medium may be equal, and the tag tells.
 */
export class LinkTable {
  /** Reported links, by {@link LinkState.id}. */
  readonly up = new Map<number, LinkState>()
  /** Own handshakes whose last frame went, and whose peer was not heard under the new keys yet. */
  readonly unconfirmed = new Set<LinkState>()
  readonly #ids = new Map<number, IdOwner>()
  readonly #byPeer = new Map<string, LinkState>()
  readonly #random: Random
  #nextLinkId = 1

  constructor(random: Random) {
    this.#random = random
  }

  get size(): number {
    return this.up.size + this.unconfirmed.size
  }

  newLinkId(): number {
    return this.#nextLinkId++
  }

  owner(id: number): IdOwner | undefined {
    return this.#ids.get(id)
  }

  /** A free id, never 0. Hard to guess, so that strangers rarely hit one. */
  freeId(): number {
    const bytes = this.#random(2)
    let id = bytes[0]! | (bytes[1]! << 8)
    while (id === 0 || this.#ids.has(id)) id = (id + 1) & 0xffff
    return id
  }

  claim(id: number, owner: IdOwner): void {
    this.#ids.set(id, owner)
  }

  /** Frees an id if it still stands for `owner`. */
  release(id: number, owner: IdOwner): void {
    if (this.#ids.get(id) === owner) this.#ids.delete(id)
  }

  /** The reported link with a node on an interface: there is at most one. */
  find(interfaceId: string, nodeId: Uint8Array): LinkState | undefined {
    return this.#byPeer.get(peerKey(interfaceId, nodeId))
  }

  /** Own handshake with a node on an interface that waits for its confirmation. */
  findUnconfirmed(interfaceId: string, nodeId: Uint8Array): LinkState | undefined {
    const key = peerKey(interfaceId, nodeId)
    for (const link of this.unconfirmed) if (peerKey(link.interfaceId, link.peer.nodeId) === key) return link
    return undefined
  }

  /** Reports a link as up; the caller has taken down an older one with the same node. */
  addUp(link: LinkState): void {
    this.unconfirmed.delete(link)
    this.up.set(link.id, link)
    this.#byPeer.set(peerKey(link.interfaceId, link.peer.nodeId), link)
  }

  /** Forgets a link, its ids and its keys. */
  remove(link: LinkState, reason: DownReason | 'unconfirmed'): void {
    link.down = reason
    this.unconfirmed.delete(link)
    this.up.delete(link.id)
    const key = peerKey(link.interfaceId, link.peer.nodeId)
    if (this.#byPeer.get(key) === link) this.#byPeer.delete(key)
    if (link.rekey?.phase === 'starting') {
      this.release(link.rekey.receiveId, RESERVED)
      link.rekey.noise.wipe()
    }
    for (const linkKey of link.keys()) this.retire(linkKey)
  }

  /** Frees the id of a key and wipes it. */
  retire(key: LinkKey): void {
    this.release(key.receiveId, key)
    key.forget()
  }
}

function peerKey(interfaceId: string, nodeId: Uint8Array): string {
  return `${toHex(nodeId)}${interfaceId}`
}
