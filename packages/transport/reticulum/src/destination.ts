import { announcePacket, announceRandomHash } from './announce.ts'
import { addressKey } from './bytes.ts'
import { Feed } from './feed.ts'
import type { Identity, Opened } from './identity.ts'
import type { ReticulumInterface } from './interface.ts'
import { RATCHET_BYTES } from './limits.ts'
import type { Link } from './link.ts'
import type { MsgPack } from './msgpack.ts'
import { nameHash } from './name.ts'
import { CONTEXT, encodePacket } from './packet.ts'
import type { Ports } from './ports.ts'
import { pathHash } from './request-codec.ts'

/** Ratchets that a destination keeps to open what is still on its way. */
export const RATCHETS_MAX = 512
/** Ratchets that every packet is tried against, the newest; older ones while {@link RATCHET_TRIES_PER_SECOND} allow. */
export const RATCHETS_RECENT = 4
/** Tries of older ratchets, each an agreement of keys, at once and per second: what anyone sends may cost no more. */
export const RATCHET_TRIES_BURST = 2_048
export const RATCHET_TRIES_PER_SECOND = 512
/** A ratchet is followed by a new one at the first announce after so long. */
export const RATCHET_ROTATION_MS = 1_800_000

/** A packet that came to a destination of this node. */
export interface ReceivedPacket {
  readonly data: Uint8Array
  readonly hash: Uint8Array
  readonly hops: number
  readonly interfaceName: string
  /** Names the ratchet that it was encrypted to. */
  readonly ratchetId: Uint8Array | undefined
  /** Sends the proof, where the destination does not of itself. */
  prove(): void
}

/** A request that came over a link. */
export interface IncomingRequest {
  readonly path: string
  readonly data: MsgPack
  readonly requestId: Uint8Array
  /** Unix time in ms, by the clock of who asks. */
  readonly requestedAtMs: number
  readonly link: Link
}

/** Answers a request; `undefined` is no answer at all. */
export type RequestHandler = (request: IncomingRequest) => MsgPack | undefined | Promise<MsgPack | undefined>

export interface RequestOptions {
  /** Who is answered: all (default), or only peers that have identified themselves by one of these identity hashes. */
  readonly allow?: 'all' | readonly Uint8Array[]
}

export interface Served extends RequestOptions {
  readonly path: string
  readonly handler: RequestHandler
}

/** Secrets of a destination's ratchets, to be kept between runs. */
export interface RatchetState {
  /** X25519 secrets, newest first. */
  readonly secrets: readonly Uint8Array[]
  /** Unix ms at which the newest was made. */
  readonly rotatedUnixMs: number
}

export interface DestinationOptions {
  /** App data of announces that give none. */
  readonly appData?: Uint8Array
  /** Whether packets are proved as they come: `all` (default), or `none`, where {@link ReceivedPacket.prove} does. */
  readonly proves?: 'all' | 'none'
  /** Whether links are taken; default true. */
  readonly acceptsLinks?: boolean
  /** Announces carry ratchets: a state to go on with, or `true` to begin. */
  readonly ratchets?: true | RatchetState
  /** Refuses what is encrypted to the identity's own key; default false. */
  readonly enforcesRatchets?: boolean
}

/** What a destination needs of its node. */
export interface DestinationHost {
  readonly ports: Ports
  /** Whether so many older ratchets may be tried now; one limit for all destinations. */
  admitRatchetTries(count: number): boolean
  /** Sends on one interface, or on all. */
  broadcast(packet: Uint8Array, on?: ReticulumInterface): void
  close(destination: Destination): void
}

/** A SINGLE destination of this node: what others send to, by its hash. */
export class Destination {
  readonly name: string
  readonly identity: Identity
  readonly nameHash: Uint8Array
  readonly hash: Uint8Array
  /** Packets that came, decrypted. */
  readonly packets: Feed<ReceivedPacket> = new Feed()
  /** Links that others have opened. */
  readonly links: Feed<Link> = new Feed(16)
  readonly options: DestinationOptions
  readonly #host: DestinationHost
  readonly #served = new Map<string, Served>()
  #appData: Uint8Array | undefined
  #ratchets: readonly Uint8Array[] = []
  #rotatedUnixMs = 0

  constructor(host: DestinationHost, identity: Identity, name: string, hash: Uint8Array, options: DestinationOptions) {
    const { ratchets } = options
    this.#host = host
    this.identity = identity
    this.name = name
    this.nameHash = nameHash(host.ports.crypto, name)
    this.hash = hash
    this.options = options
    this.#appData = options.appData
    if (ratchets !== undefined && ratchets !== true) {
      this.#ratchets = ratchets.secrets.slice(0, RATCHETS_MAX)
      this.#rotatedUnixMs = ratchets.rotatedUnixMs
    }
  }

  /** What to keep so that this destination still opens what comes after a restart; undefined without ratchets. */
  get ratchetState(): RatchetState | undefined {
    if (this.options.ratchets === undefined) return undefined
    return { secrets: this.#ratchets, rotatedUnixMs: this.#rotatedUnixMs }
  }

  /** Tells everyone in reach that the destination is here. App data that is given stays the default of later announces. */
  announce(options: { readonly appData?: Uint8Array } = {}): void {
    if (options.appData !== undefined) this.#appData = options.appData
    this.#host.broadcast(this.#announcement(CONTEXT.none))
  }

  /** Answers someone who looks for the way here. */
  answerPathRequest(on: ReticulumInterface): void {
    this.#host.broadcast(this.#announcement(CONTEXT.pathResponse), on)
  }

  /** Answers requests for `path` that come over links to this destination. */
  onRequest(path: string, handler: RequestHandler, options: RequestOptions = {}): void {
    this.#served.set(addressKey(pathHash(this.#host.ports.crypto, path)), { path, handler, ...options })
  }

  /** Who answers requests for the path of this hash. */
  served(hash: Uint8Array): Served | undefined {
    return this.#served.get(addressKey(hash))
  }

  /** The plaintext, by the newest ratchets, the identity's own key, and then older ratchets as far as their cost is allowed. */
  decrypt(ciphertext: Uint8Array): Opened | undefined {
    const recent = this.#ratchets.slice(0, RATCHETS_RECENT)
    const opened = this.identity.decrypt(ciphertext, recent, this.options.enforcesRatchets)
    const older = this.#ratchets.slice(RATCHETS_RECENT)
    if (opened !== undefined || older.length === 0 || !this.#host.admitRatchetTries(older.length)) return opened
    return this.identity.decrypt(ciphertext, older, true)
  }

  /** The node forgets the destination; loops over its feeds end. */
  close(): void {
    this.#host.close(this)
    this.packets.end()
    this.links.end()
  }

  #announcement(context: number): Uint8Array {
    const { ports } = this.#host
    const fields = {
      destination: this.hash,
      nameHash: this.nameHash,
      randomHash: announceRandomHash(ports.random(5), ports.unixMs() / 1_000),
      ratchet: this.#ratchet(),
      appData: this.#appData,
    }
    return encodePacket(announcePacket(this.identity, fields, context))
  }

  /** The public key of the newest ratchet, made anew where it is time. */
  #ratchet(): Uint8Array | undefined {
    if (this.options.ratchets === undefined) return undefined
    const { crypto, random, unixMs } = this.#host.ports
    const nowMs = unixMs()
    if (this.#ratchets.length === 0 || nowMs - this.#rotatedUnixMs >= RATCHET_ROTATION_MS) {
      this.#ratchets = [random(RATCHET_BYTES), ...this.#ratchets].slice(0, RATCHETS_MAX)
      this.#rotatedUnixMs = nowMs
    }
    return crypto.x25519PublicKey(this.#ratchets[0] as Uint8Array)
  }
}
