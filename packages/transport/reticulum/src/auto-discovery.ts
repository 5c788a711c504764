import { concatBytes, encodeUtf8, equalBytes } from '@nexus/codec'
import type { ReticulumCrypto } from './crypto.ts'

/** What Reticulum uses unless it is told otherwise (docs/spec/reticulum.md, "Discovery on a network"). */
export const AUTO_GROUP_ID = 'reticulum'
export const AUTO_DISCOVERY_PORT = 29_716
export const AUTO_DATA_PORT = 42_671
/** How often a node says on each network that it is there, and to each peer by itself. */
export const AUTO_ANNOUNCE_MS = 1_600
export const AUTO_UNICAST_MS = 5_200
/** A peer that says nothing for so long is gone. */
export const AUTO_PEER_MS = 22_000
/** Peers of all networks; while there are as many, others are not taken. */
export const AUTO_PEERS_MAX = 256
/** Largest packet that links over such a network agree on. */
export const AUTO_LINK_MTU_BYTES = 1_196
/** Largest datagram: such a packet, and an access code of whatever size. */
export const AUTO_FRAME_BYTES_MAX: number = AUTO_LINK_MTU_BYTES + 64

export const AUTO_SCOPES = { link: 2, admin: 4, site: 5, organisation: 8, global: 14 } as const
/** How far the discovery group reaches (RFC 4291 section 2.7). */
export type AutoScope = keyof typeof AUTO_SCOPES

type Sha256 = Pick<ReticulumCrypto, 'sha256'>

/** The IPv6 multicast group in which nodes of `groupId` find each other. */
export function autoGroupAddress(
  crypto: Sha256,
  groupId: string,
  options: { readonly scope?: AutoScope; readonly addressType?: 'temporary' | 'permanent' } = {},
): string {
  const digest = crypto.sha256(encodeUtf8(groupId))
  const view = new DataView(digest.buffer, digest.byteOffset)
  const words = Array.from({ length: 6 }, (_, at) => view.getUint16(2 + 2 * at).toString(16))
  const flags = options.addressType === 'permanent' ? 0 : 1
  return `ff${flags}${AUTO_SCOPES[options.scope ?? 'link'].toString(16)}:0:${words.join(':')}`
}

/** What a node sends to be found: it holds for the group, and for the link-local address that it comes from. */
export function autoToken(crypto: Sha256, groupId: string, address: string): Uint8Array {
  return crypto.sha256(concatBytes(encodeUtf8(groupId), encodeUtf8(address)))
}

/** Whether a datagram is the token of the address that it came from. */
export function isAutoToken(crypto: Sha256, groupId: string, address: string, datagram: Uint8Array): boolean {
  return equalBytes(datagram, autoToken(crypto, groupId, address))
}

/** The peers that were heard, by address and network, with when that was. */
export class AutoPeers<T> {
  readonly #peers = new Map<string, { readonly value: T; heardMs: number }>()

  get isFull(): boolean {
    return this.#peers.size >= AUTO_PEERS_MAX
  }

  get size(): number {
    return this.#peers.size
  }

  get(key: string): T | undefined {
    return this.#peers.get(key)?.value
  }

  /** @throws {RangeError} where there is no room: {@link AutoPeers.isFull} says so */
  add(key: string, value: T, nowMs: number): void {
    if (this.isFull && !this.#peers.has(key)) throw new RangeError(`${AUTO_PEERS_MAX} peers already`)
    this.#peers.set(key, { value, heardMs: nowMs })
  }

  heard(key: string, nowMs: number): void {
    const peer = this.#peers.get(key)
    if (peer !== undefined) peer.heardMs = nowMs
  }

  delete(key: string): void {
    this.#peers.delete(key)
  }

  values(): T[] {
    return [...this.#peers.values()].map(({ value }) => value)
  }

  /** Those that have said nothing for {@link AUTO_PEER_MS}. */
  silent(nowMs: number): T[] {
    return [...this.#peers.values()].filter(({ heardMs }) => nowMs - heardMs >= AUTO_PEER_MS).map(({ value }) => value)
  }
}
