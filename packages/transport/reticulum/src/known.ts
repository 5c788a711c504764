import { equalBytes } from '@nexus/codec'
import { type Announce, announceEmitted } from './announce.ts'
import { addressKey } from './bytes.ts'
import type { ReticulumCrypto } from './crypto.ts'
import { RemoteIdentity } from './identity.ts'
import type { ReticulumInterface } from './interface.ts'

/** Destinations that a node remembers; the least recently heard or used is forgotten first. */
export const KNOWN_MAX = 16_384
/** Random hashes of announces that are remembered for each path. */
export const RANDOM_HASHES_MAX = 32
/** Days that a path is good for, by the interface it leads over. */
const PATH_MS = { day: 86_400_000, week: 7 * 86_400_000, roaming: 6 * 3_600_000 } as const
/** A ratchet older than that is not used any more. */
export const RATCHET_LIFETIME_MS: number = 30 * 86_400_000

/** The way to a destination. */
export interface Path {
  readonly iface: ReticulumInterface
  /** The transport node to hand packets to; a neighbour is its own next hop. */
  readonly nextHop: Uint8Array
  /** 1 for a neighbour. */
  readonly hops: number
  readonly expiresMs: number
  /** Unix seconds of the newest announce that led here. */
  readonly emitted: number
  readonly randomHashes: readonly string[]
  /** The announce as it came, to answer path requests with. */
  readonly announce: Uint8Array
  readonly heardMs: number
}

/** What announces have told of a destination. */
export interface Known {
  readonly destination: Uint8Array
  readonly identity: RemoteIdentity
  readonly nameHash: Uint8Array
  readonly appData: Uint8Array | undefined
  readonly ratchet: Uint8Array | undefined
  readonly ratchetHeardMs: number
  path: Path | undefined
}

/** An announce with how it came. */
export interface Arrival {
  readonly announce: Announce
  readonly raw: Uint8Array
  readonly iface: ReticulumInterface
  /** After this node's own was counted. */
  readonly hops: number
  readonly nextHop: Uint8Array
  readonly nowMs: number
}

/** What became of an announce: `stale` where it brings nothing that is not known, `key` where another key is known. */
export type Verdict = 'new-path' | 'stale' | 'key'

/** Destinations and the paths to them. */
export class KnownDestinations {
  readonly #crypto: ReticulumCrypto
  readonly #table = new Map<string, Known>()
  readonly #max: number

  constructor(crypto: ReticulumCrypto, max: number = KNOWN_MAX) {
    this.#crypto = crypto
    this.#max = max
  }

  get size(): number {
    return this.#table.size
  }

  [Symbol.iterator](): IterableIterator<Known> {
    return this.#table.values()
  }

  get(destination: Uint8Array): Known | undefined {
    return this.#table.get(addressKey(destination))
  }

  /** The path that is good now; looking it up keeps it from being forgotten. */
  path(destination: Uint8Array, nowMs: number): Path | undefined {
    const key = addressKey(destination)
    const known = this.#table.get(key)
    if (known?.path === undefined) return undefined
    if (known.path.expiresMs <= nowMs || !known.path.iface.open) {
      known.path = undefined
      return undefined
    }
    this.#table.delete(key)
    this.#table.set(key, known)
    return known.path
  }

  /** The path does not lead there any more. */
  forgetPath(destination: Uint8Array): void {
    const known = this.get(destination)
    if (known !== undefined) known.path = undefined
  }

  /** Whether an announce would be taken, were its signature good: asked before the signature is looked at. */
  judge(arrival: Arrival): Verdict {
    const known = this.get(arrival.announce.destination)
    if (known === undefined) return 'new-path'
    if (!equalBytes(known.identity.publicKey, arrival.announce.publicKey)) return 'key'
    const { path } = known
    if (path === undefined || !path.iface.open) return 'new-path'
    if (path.randomHashes.includes(randomKey(arrival.announce))) return 'stale'
    const emitted = announceEmitted(arrival.announce)
    const better = emitted > path.emitted || (emitted === path.emitted && arrival.hops <= path.hops)
    return better || path.expiresMs <= arrival.nowMs ? 'new-path' : 'stale'
  }

  /** Takes what a verified announce says. */
  learn(arrival: Arrival): Known {
    const { announce, raw, iface, hops, nextHop, nowMs } = arrival
    const key = addressKey(announce.destination)
    const before = this.#table.get(key)
    const known: Known = {
      destination: announce.destination.slice(),
      identity: before?.identity ?? new RemoteIdentity(this.#crypto, announce.publicKey),
      nameHash: announce.nameHash.slice(),
      appData: appDataOf(announce),
      ratchet: announce.ratchet?.slice() ?? before?.ratchet,
      ratchetHeardMs: announce.ratchet === undefined ? (before?.ratchetHeardMs ?? 0) : nowMs,
      path: {
        iface,
        nextHop: nextHop.slice(),
        hops,
        expiresMs: nowMs + lifetimeMs(iface),
        emitted: announceEmitted(announce),
        randomHashes: [randomKey(announce), ...(before?.path?.randomHashes ?? [])].slice(0, RANDOM_HASHES_MAX),
        announce: raw.slice(),
        heardMs: nowMs,
      },
    }
    this.#table.delete(key)
    this.#table.set(key, known)
    if (this.#table.size > this.#max) this.#table.delete(this.#table.keys().next().value as string)
    return known
  }
}

/** Nothing at all is remembered as nothing, but as empty bytes beside a ratchet, as Reticulum does. */
function appDataOf(announce: Announce): Uint8Array | undefined {
  return announce.appData.length === 0 && announce.ratchet === undefined ? undefined : announce.appData.slice()
}

function randomKey(announce: Announce): string {
  return String.fromCharCode(...announce.randomHash)
}

function lifetimeMs(iface: ReticulumInterface): number {
  if (iface.mode === 'access-point') return PATH_MS.day
  return iface.mode === 'roaming' ? PATH_MS.roaming : PATH_MS.week
}
