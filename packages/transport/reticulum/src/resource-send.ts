import { concatBytes, equalBytes } from '@nexus/codec'
import type { Appointment } from './agenda.ts'
import { bz2Compress, bz2CompressSteps } from './bz2-encode.ts'
import { ReticulumError } from './errors.ts'
import { Feed } from './feed.ts'
import { HASHMAP_PARTS_MAX, MAP_HASH_BYTES, RESOURCE_OVERHEAD_BYTES, RESOURCE_SEGMENT_BYTES_MAX } from './limits.ts'
import type { LinkSession } from './link-session.ts'
import type { MsgPack } from './msgpack.ts'
import { CONTEXT, PACKET_TYPE } from './packet.ts'
import {
  encodeAdvertisement,
  encodeHashmapUpdate,
  encodeMetadata,
  mapHash,
  type PartRequest,
  resourceHash,
  resourceProof,
} from './resource-codec.ts'

/** Advertisements of one segment that stay unanswered before its sender gives up. */
export const ADVERTISEMENTS_MAX = 5
const ADVERTISEMENT_MS = 2_000
/** A receiver that asks for nothing for so long, plus 16 round trips, has gone. */
const SILENCE_MS = 30_000
/** A proof that has not come so long after the last part, plus 8 round trips, is asked for, a few times. */
const PROOF_MS = 1_500
export const PROOF_REQUESTS_MAX = 6
const SAMPLE_BYTES = 8_192

export interface SendResourceOptions {
  /** Goes before the data: a value of msgpack. */
  readonly metadata?: MsgPack
  /** Compresses where that makes it smaller; default true. */
  readonly compress?: boolean
  readonly signal?: AbortSignal
}

/** Marks of a resource that carries a request or its answer. */
export interface ResourcePurpose {
  readonly requestId?: Uint8Array
  readonly isRequest?: boolean
  readonly isResponse?: boolean
}

/** How far a transfer is, in bytes of the resource. */
export interface TransferProgress {
  readonly sentBytes: number
  readonly totalBytes: number
}

interface Segment {
  readonly index: number
  readonly hash: Uint8Array
  readonly proof: Uint8Array
  readonly parts: readonly Uint8Array[]
  readonly hashmap: Uint8Array
  readonly places: ReadonlyMap<number, number>
  readonly advertisement: Uint8Array
}

/** A resource on its way to the peer of a link, segment after segment. */
export class OutgoingResource {
  readonly totalBytes: number
  readonly segments: number
  /** Resolves when the peer has proved the last segment. @throws {ReticulumError} `reticulum/closed`, `reticulum/timeout` */
  readonly done: Promise<void>
  readonly progress: Feed<TransferProgress> = new Feed()
  readonly #session: LinkSession
  readonly #bytes: Uint8Array
  readonly #options: SendResourceOptions
  readonly #purpose: ResourcePurpose
  readonly #ended: () => void
  #resolve: () => void = () => {}
  #reject: (error: Error) => void = () => {}
  #current: Segment | undefined
  #originalHash: Uint8Array | undefined
  #advertised = 0
  /** Parts up to the last one that was asked for. */
  #served = 0
  #timer: Appointment | undefined
  /** Stops making the next segment. */
  #stop: () => void = () => {}
  #isOver = false

  /** @param ended called once, when nothing more is to be sent */
  constructor(
    session: LinkSession,
    data: Uint8Array,
    options: SendResourceOptions,
    purpose: ResourcePurpose,
    ended: () => void,
  ) {
    const { metadata, signal } = options
    this.#session = session
    this.#options = options
    this.#purpose = purpose
    this.#ended = ended
    this.#bytes = metadata === undefined ? data : concatBytes(encodeMetadata(metadata), data)
    this.totalBytes = this.#bytes.length
    this.segments = Math.max(1, Math.ceil(this.totalBytes / RESOURCE_SEGMENT_BYTES_MAX))
    this.done = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    // Who does not wait for the end need not hear of it.
    this.done.catch(() => {})
    const cancel = () => this.cancel('cancelled')
    signal?.addEventListener('abort', cancel, { once: true })
    this.done.then(
      () => signal?.removeEventListener('abort', cancel),
      () => signal?.removeEventListener('abort', cancel),
    )
    if (signal?.aborted)
      this.#end(new ReticulumError({ code: 'reticulum/closed', what: 'a resource', why: 'cancelled' }))
    else this.#prepare(1)
  }

  /** The hash that requests name the current segment by. */
  get hash(): Uint8Array | undefined {
    return this.#current?.hash
  }

  /** Stops sending and tells the peer. */
  cancel(why: string): void {
    if (this.#isOver) return
    const hash = this.#current?.hash
    if (hash !== undefined && this.#session.isOpen) this.#session.sendSealed(CONTEXT.resourceCancelledBySender, hash)
    this.#end(new ReticulumError({ code: 'reticulum/closed', what: 'a resource', why }))
  }

  /** The link is gone, or the peer wants no more. */
  stop(why: string): void {
    this.#end(new ReticulumError({ code: 'reticulum/closed', what: 'a resource', why }))
  }

  /** The peer asks for parts, or for more of the hashmap. */
  serve(request: PartRequest): void {
    const segment = this.#current
    if (segment === undefined || this.#isOver || !equalBytes(request.hash, segment.hash)) return
    let farthest = 0
    for (let at = 0; at < request.wanted.length; at += MAP_HASH_BYTES) {
      const place = segment.places.get(keyOf(request.wanted, at))
      if (place === undefined) continue
      farthest = Math.max(farthest, place + 1)
      this.#session.sendClear(CONTEXT.resource, segment.parts[place] as Uint8Array)
    }
    if (request.lastMapHash !== undefined) this.#sendHashmap(segment, request.lastMapHash)
    this.#served = Math.max(this.#served, farthest)
    if (this.#served === segment.parts.length) this.#awaitProof(1)
    else this.#watch(SILENCE_MS + 16 * this.#session.roundTripMs, () => this.#giveUp())
    const sent = (segment.index - 1) * RESOURCE_SEGMENT_BYTES_MAX
    const share = Math.min(this.totalBytes - sent, RESOURCE_SEGMENT_BYTES_MAX) * (farthest / segment.parts.length)
    this.progress.publish({ sentBytes: Math.floor(sent + share), totalBytes: this.totalBytes })
  }

  /** The peer claims to have a segment. */
  proved(proof: Uint8Array): void {
    const segment = this.#current
    if (segment === undefined || this.#isOver || !equalBytes(proof, segment.proof)) return
    if (segment.index === this.segments) this.#end(undefined)
    else this.#prepare(segment.index + 1)
  }

  #sendHashmap(segment: Segment, lastMapHash: Uint8Array): void {
    const place = segment.places.get(keyOf(lastMapHash, 0))
    if (place === undefined || (place + 1) % HASHMAP_PARTS_MAX !== 0) return
    const next = (place + 1) / HASHMAP_PARTS_MAX
    const from = next * HASHMAP_PARTS_MAX * MAP_HASH_BYTES
    const hashmap = segment.hashmap.subarray(from, from + HASHMAP_PARTS_MAX * MAP_HASH_BYTES)
    if (hashmap.length === 0) return
    const update = { hash: segment.hash, segment: next, hashmap }
    this.#session.sendSealed(CONTEXT.resourceHashmapUpdate, encodeHashmapUpdate(update))
  }

  /** Makes a segment ready, which takes a while where it is compressed, and offers it. */
  #prepare(index: number): void {
    this.#timer?.cancel()
    this.#current = undefined
    this.#stop = this.#session.slices.run(this.#makeSegment(index), (segment) => {
      if (!this.#isOver) this.#advertise(segment)
    })
  }

  #advertise(segment: Segment): void {
    this.#current = segment
    this.#advertised = 0
    this.#served = 0
    this.#originalHash ??= segment.hash
    this.#sendAdvertisement()
  }

  #sendAdvertisement(): void {
    const segment = this.#current as Segment
    if (this.#advertised >= ADVERTISEMENTS_MAX) {
      this.#giveUp()
      return
    }
    this.#advertised++
    this.#session.sendSealed(CONTEXT.resourceAdvertisement, segment.advertisement)
    this.#watch(ADVERTISEMENT_MS + 4 * this.#session.roundTripMs, () => this.#sendAdvertisement())
  }

  /** All parts have gone: if no proof comes, it was lost, and is asked for by its packet's hash. */
  #awaitProof(asked: number): void {
    const waitMs = (PROOF_MS + 8 * this.#session.roundTripMs) * asked
    this.#watch(waitMs, () => {
      if (asked > PROOF_REQUESTS_MAX) {
        this.#giveUp()
        return
      }
      const { proof } = this.#current as Segment
      const hash = this.#session.hashOfClear(CONTEXT.resourceProof, proof, PACKET_TYPE.proof)
      this.#session.sendClear(CONTEXT.cacheRequest, hash)
      this.#awaitProof(asked + 1)
    })
  }

  #giveUp(): void {
    const hash = this.#current?.hash
    if (hash !== undefined) this.#session.sendSealed(CONTEXT.resourceCancelledBySender, hash)
    this.#end(new ReticulumError({ code: 'reticulum/timeout', what: 'a resource' }))
  }

  #watch(ms: number, act: () => void): void {
    this.#timer?.cancel()
    this.#timer = this.#session.agenda.after(ms, act)
  }

  *#makeSegment(index: number): Generator<void, Segment> {
    const { crypto, random } = this.#session.ports
    const from = (index - 1) * RESOURCE_SEGMENT_BYTES_MAX
    const bytes = this.#bytes.subarray(from, from + RESOURCE_SEGMENT_BYTES_MAX)
    const { payload, compressed } = yield* compress(bytes, this.#options.compress ?? true)
    const stream = this.#session.seal(concatBytes(random(MAP_HASH_BYTES), payload))
    const parts = cut(stream, this.#session.mtuBytes - RESOURCE_OVERHEAD_BYTES)
    const { randomHash, hashmap, places } = this.#map(parts)
    const hash = resourceHash(crypto, bytes, randomHash)
    const advertisement = encodeAdvertisement({
      transferBytes: stream.length,
      totalBytes: this.totalBytes,
      parts: parts.length,
      hash,
      randomHash,
      originalHash: this.#originalHash ?? hash,
      segmentIndex: index,
      segments: this.segments,
      requestId: this.#purpose.requestId,
      encrypted: true,
      compressed,
      split: this.segments > 1,
      isRequest: this.#purpose.isRequest ?? false,
      isResponse: this.#purpose.isResponse ?? false,
      hasMetadata: this.#options.metadata !== undefined,
      hashmap: hashmap.subarray(0, HASHMAP_PARTS_MAX * MAP_HASH_BYTES),
    })
    return { index, hash, proof: resourceProof(crypto, bytes, hash), parts, hashmap, places, advertisement }
  }

  /** Map hashes of all parts, under a random hash that makes each of them different. */
  #map(parts: readonly Uint8Array[]) {
    const { crypto, random } = this.#session.ports
    for (;;) {
      const randomHash = random(MAP_HASH_BYTES)
      const hashmap = concatBytes(...parts.map((part) => mapHash(crypto, part, randomHash)))
      const places = new Map(parts.map((_, place) => [keyOf(hashmap, place * MAP_HASH_BYTES), place]))
      if (places.size === parts.length) return { randomHash, hashmap, places }
    }
  }

  #end(error: Error | undefined): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#timer?.cancel()
    this.#stop()
    if (error === undefined) {
      this.progress.publish({ sentBytes: this.totalBytes, totalBytes: this.totalBytes })
      this.#resolve()
    } else this.#reject(error)
    this.progress.end()
    this.#current = undefined
    this.#ended()
  }
}

/** bz2 where it pays: a sample tells whether all is worth the work. */
function* compress(
  bytes: Uint8Array,
  wanted: boolean,
): Generator<void, { readonly payload: Uint8Array; readonly compressed: boolean }> {
  if (!wanted || bytes.length === 0) return { payload: bytes, compressed: false }
  const sample = bytes.subarray(0, SAMPLE_BYTES)
  if (bytes.length > SAMPLE_BYTES && bz2Compress(sample).length >= 0.95 * sample.length)
    return { payload: bytes, compressed: false }
  const payload = yield* bz2CompressSteps(bytes)
  return payload.length < bytes.length ? { payload, compressed: true } : { payload: bytes, compressed: false }
}

function cut(stream: Uint8Array, partBytes: number): Uint8Array[] {
  const parts: Uint8Array[] = []
  for (let at = 0; at < stream.length; at += partBytes) parts.push(stream.subarray(at, at + partBytes))
  return parts
}

function keyOf(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0
}
