import { concatBytes } from '@nexus/codec'
import type { Agenda, Appointment } from './agenda.ts'
import { addressKey } from './bytes.ts'
import { ReticulumError } from './errors.ts'
import { ExpiringMap } from './expiring-map.ts'
import type { ReticulumInterface } from './interface.ts'
import type { Known, KnownDestinations, Path } from './known.ts'
import { ADDRESS_BYTES, HEADER_BYTES } from './limits.ts'
import { destinationHash, nameHash } from './name.ts'
import { CONTEXT, DESTINATION_TYPE, encodePacket, PACKET_TYPE } from './packet.ts'
import type { CallOptions, Ports } from './ports.ts'

/** Path requests that are remembered, so that each is answered once. */
export const TAGS_MAX = 16_384
const TAG_MS = 120_000
/** Searches for others, and waits of this node, under way. */
export const SEARCHES_MAX = 1_024
const SEARCH_MS = 15_000
const REPEAT_MS = 3_000
const TAG_BYTES = 16
/** A path request of a transport node. */
const SEARCH_BYTES: number = HEADER_BYTES + 2 * ADDRESS_BYTES + TAG_BYTES

export interface PathHost {
  readonly ports: Ports
  readonly agenda: Agenda
  readonly known: KnownDestinations
  /** The id of a transport node; undefined where this node passes nothing on. */
  readonly transportId: Uint8Array | undefined
  readonly interfaces: ReadonlySet<ReticulumInterface>
  broadcast(packet: Uint8Array, on?: ReticulumInterface): void
  /** Announces a destination of this node on one interface, if it is one. */
  answerLocal(destination: Uint8Array, on: ReticulumInterface): boolean
  answerKnown(path: Path, on: ReticulumInterface, asker: Uint8Array | undefined): void
}

interface Wait {
  /** Looks whether the path is known now. */
  look(): void
  /** @param reason what the call is refused with */
  fail(reason: unknown): void
}

/** All who wait for one destination: it is asked for once for all of them, and again every few seconds. */
interface Lookup {
  readonly waits: Set<Wait>
  repeat: Appointment | undefined
}

/** Asks for paths, and answers who asks. */
export class PathFinder {
  readonly requestHash: Uint8Array
  readonly #host: PathHost
  readonly #tags = new ExpiringMap<true>(TAGS_MAX, TAG_MS)
  /** Interfaces behind which someone looks for a destination. */
  readonly #searches = new ExpiringMap<ReticulumInterface>(SEARCHES_MAX, SEARCH_MS)
  readonly #lookups = new Map<string, Lookup>()

  constructor(host: PathHost) {
    this.#host = host
    const { crypto } = host.ports
    this.requestHash = destinationHash(crypto, nameHash(crypto, 'rnstransport.path.request'))
  }

  /** Asks everyone in reach for the way to a destination. */
  request(destination: Uint8Array): void {
    this.#send(destination, this.#host.ports.random(TAG_BYTES))
  }

  /** Resolves once a path is known. @throws {ReticulumError} `reticulum/no-path`; what `signal` says */
  async resolve(destination: Uint8Array, { signal, timeoutMs = SEARCH_MS }: CallOptions): Promise<Known> {
    signal?.throwIfAborted()
    const { known, ports, agenda } = this.#host
    const found = () => (known.path(destination, ports.nowMs()) === undefined ? undefined : known.get(destination))
    const here = found()
    if (here !== undefined) return here
    const key = addressKey(destination)
    const already = this.#lookups.get(key)
    if (already === undefined && this.#lookups.size >= SEARCHES_MAX) {
      throw new ReticulumError({ code: 'reticulum/limit', what: 'path requests', max: SEARCHES_MAX })
    }
    const lookup: Lookup = already ?? { waits: new Set(), repeat: undefined }
    this.#lookups.set(key, lookup)
    return new Promise<Known>((resolve, reject) => {
      const finish = (act: () => void) => {
        lookup.waits.delete(wait)
        if (lookup.waits.size === 0) {
          this.#lookups.delete(key)
          lookup.repeat?.cancel()
        }
        limit.cancel()
        signal?.removeEventListener('abort', abort)
        act()
      }
      const look = () => {
        const now = found()
        if (now !== undefined) finish(() => resolve(now))
      }
      const fail = (reason: unknown) => finish(() => reject(reason))
      const wait = { look, fail }
      const abort = () => fail(signal?.reason)
      const limit = agenda.after(timeoutMs, () => fail(noPath(destination)))
      lookup.waits.add(wait)
      signal?.addEventListener('abort', abort)
      if (already === undefined) this.#ask(destination, lookup)
    })
  }

  /** A destination has a path now. */
  learnt(known: Known): void {
    const key = addressKey(known.destination)
    for (const { look } of [...(this.#lookups.get(key)?.waits ?? [])]) look()
    const searcher = this.#searches.get(key, this.#host.ports.nowMs())
    if (searcher === undefined || known.path === undefined || searcher === known.path.iface) return
    this.#searches.delete(key)
    this.#host.answerKnown(known.path, searcher, undefined)
  }

  /** Nobody waits any longer. */
  close(why: string): void {
    const error = new ReticulumError({ code: 'reticulum/closed', what: 'a path request', why })
    for (const { waits } of [...this.#lookups.values()]) for (const { fail } of [...waits]) fail(error)
  }

  /** A path request from someone; one without a tag, or with one that was heard before, is ignored. */
  receive(data: Uint8Array, from: ReticulumInterface): void {
    if (data.length <= ADDRESS_BYTES) return
    const destination = data.slice(0, ADDRESS_BYTES)
    const hasAsker = data.length > 2 * ADDRESS_BYTES
    const asker = hasAsker ? data.slice(ADDRESS_BYTES, 2 * ADDRESS_BYTES) : undefined
    const tag = data.slice(hasAsker ? 2 * ADDRESS_BYTES : ADDRESS_BYTES).subarray(0, TAG_BYTES)
    const key = String.fromCharCode(...destination, ...tag)
    const { ports, known, transportId } = this.#host
    const nowMs = ports.nowMs()
    if (this.#tags.get(key, nowMs) !== undefined) return
    this.#tags.set(key, true, nowMs)
    if (this.#host.answerLocal(destination, from) || transportId === undefined) return
    const path = known.path(destination, nowMs)
    if (path !== undefined) this.#host.answerKnown(path, from, asker)
    else if (from.mode !== 'full' && from.mode !== 'boundary') this.#search(destination, tag, from, nowMs)
  }

  /** Looks on all other interfaces for someone who may not reach them, as far as the share of each goes. */
  #search(destination: Uint8Array, tag: Uint8Array, from: ReticulumInterface, nowMs: number): void {
    if (!from.admitPathAnswer(SEARCH_BYTES)) return
    this.#searches.set(addressKey(destination), from, nowMs)
    for (const iface of this.#host.interfaces) {
      if (iface !== from && iface.admitPathAnswer(SEARCH_BYTES)) this.#send(destination, tag, iface)
    }
  }

  #ask(destination: Uint8Array, lookup: Lookup): void {
    lookup.repeat = this.#host.agenda.after(REPEAT_MS, () => this.#ask(destination, lookup))
    this.request(destination)
  }

  #send(destination: Uint8Array, tag: Uint8Array, on?: ReticulumInterface): void {
    const packet = encodePacket({
      destinationType: DESTINATION_TYPE.plain,
      packetType: PACKET_TYPE.data,
      hops: 0,
      destination: this.requestHash,
      context: CONTEXT.none,
      data: concatBytes(destination, this.#host.transportId ?? new Uint8Array(0), tag),
    })
    this.#host.broadcast(packet, on)
  }
}

function noPath(destination: Uint8Array): ReticulumError {
  const text = [...destination].map((byte) => byte.toString(16).padStart(2, '0')).join('')
  return new ReticulumError({ code: 'reticulum/no-path', destination: text })
}
