import { concatBytes, equalBytes } from '@nexus/codec'
import type { Appointment } from './agenda.ts'
import { bz2DecompressSteps } from './bz2-decode.ts'
import { ReticulumError } from './errors.ts'
import { HASHMAP_PARTS_MAX, MAP_HASH_BYTES, RESOURCE_OVERHEAD_BYTES, RESOURCE_SEGMENT_BYTES_MAX } from './limits.ts'
import type { LinkSession } from './link-session.ts'
import { CONTEXT, PACKET_TYPE } from './packet.ts'
import {
  encodePartRequest,
  type HashmapUpdate,
  mapHash,
  type ResourceAdvertisement,
  resourceHash,
  resourceProof,
} from './resource-codec.ts'

/** Parts that are asked for at once: at first, and at most. */
const WINDOW_FIRST = 4
const WINDOW_MAX = 64
const WINDOW_MIN = 2
/** The same in bytes, so that large parts do not overflow what waits on the way. */
const WINDOW_BYTES_MAX = 131_072
/** Requests in a row without any part in answer, before a receiver gives up. */
export const PART_REQUESTS_MAX = 12
/** Parts of one segment: a whole one in parts of 64 bytes. */
export const PARTS_MAX = 16_384
const PART_MS_MIN = 250
const PART_MS_FIRST = 500

/** One segment of a resource on its way here. */
export class SegmentReceiver {
  readonly advertisement: ResourceAdvertisement
  readonly #session: LinkSession
  readonly #settle: (segment: Uint8Array | undefined, why: string) => void
  readonly #parts: (Uint8Array | undefined)[]
  readonly #places = new Map<number, number>()
  readonly #hashmap: Uint8Array
  readonly #windowMax: number
  #mapped: number
  #received = 0
  #receivedBytes = 0
  #window = WINDOW_FIRST
  /** Parts asked for and not yet come. */
  readonly #wanted = new Set<number>()
  #askedMs = 0
  #answerMs: number | undefined
  #tries = 0
  #hashmapAsked = false
  #timer: Appointment | undefined
  /** Stops putting the parts together, which has begun. */
  #stop: (() => void) | undefined
  #isOver = false

  /**
   * @param settle called once: with the segment, proved to the sender, or with the reason why there is none
   * @throws {ReticulumError} `reticulum/form` where the numbers of the advertisement do not go together
   */
  constructor(
    session: LinkSession,
    advertisement: ResourceAdvertisement,
    settle: (segment: Uint8Array | undefined, why: string) => void,
  ) {
    const { parts, transferBytes, hashmap } = advertisement
    const partBytes = session.mtuBytes - RESOURCE_OVERHEAD_BYTES
    // Senders on interfaces with access codes cut smaller parts; how much smaller is theirs to say.
    if (parts < Math.ceil(transferBytes / partBytes) || parts > PARTS_MAX || parts > transferBytes) {
      throw new ReticulumError({ code: 'reticulum/form', what: 'a resource advertisement', why: 'parts' })
    }
    this.advertisement = advertisement
    this.#session = session
    this.#settle = settle
    this.#parts = new Array(parts).fill(undefined)
    this.#hashmap = new Uint8Array(parts * MAP_HASH_BYTES)
    this.#mapped = 0
    this.#windowMax = Math.max(WINDOW_MIN, Math.min(WINDOW_MAX, Math.floor(WINDOW_BYTES_MAX / partBytes)))
    this.#learn(hashmap)
    this.#ask()
  }

  /** The sender offers the segment once more: what it was asked for did not reach it. */
  offeredAgain(): void {
    if (this.#received === 0 && !this.#isOver) this.#ask()
  }

  /** A part; whether it is one of this segment. */
  take(part: Uint8Array): boolean {
    const { crypto } = this.#session.ports
    const key = keyOf(mapHash(crypto, part, this.advertisement.randomHash), 0)
    const place = this.#places.get(key)
    if (place === undefined || this.#isOver) return false
    if (this.#stop !== undefined) return true
    if (this.#parts[place] === undefined) {
      this.#receivedBytes += part.length
      if (this.#receivedBytes > this.advertisement.transferBytes) {
        this.cancel('longer than it said', true)
        return true
      }
      this.#parts[place] = part.slice()
      this.#received++
      this.#answerMs ??= this.#session.ports.nowMs() - this.#askedMs
      this.#tries = 0
    }
    this.#wanted.delete(place)
    if (this.#received === this.#parts.length) this.#finish()
    else if (this.#wanted.size === 0 && !this.#hashmapAsked) {
      this.#window = Math.min(this.#windowMax, this.#window + Math.max(1, this.#window >> 1))
      this.#ask()
    } else this.#watch()
    return true
  }

  /** More of the hashmap. */
  extend(update: HashmapUpdate): void {
    if (this.#isOver || update.segment * HASHMAP_PARTS_MAX !== this.#mapped) return
    this.#hashmapAsked = false
    this.#tries = 0
    this.#learn(update.hashmap)
    if (this.#wanted.size === 0) this.#ask()
  }

  /** Stops; the sender is told unless it was the one to stop. */
  cancel(why: string, tell: boolean): void {
    if (this.#isOver) return
    if (tell && this.#session.isOpen) {
      this.#session.sendSealed(CONTEXT.resourceCancelledByReceiver, this.advertisement.hash)
    }
    this.#end(undefined, why)
  }

  #learn(hashmap: Uint8Array): void {
    const room = this.#hashmap.length - this.#mapped * MAP_HASH_BYTES
    const known = hashmap.subarray(0, room)
    this.#hashmap.set(known, this.#mapped * MAP_HASH_BYTES)
    for (let at = 0; at < known.length; at += MAP_HASH_BYTES) this.#places.set(keyOf(known, at), this.#mapped++)
  }

  /** Asks for the next missing parts, and for more of the hashmap where it ends before them. */
  #ask(): void {
    this.#wanted.clear()
    for (let place = 0; place < this.#mapped && this.#wanted.size < this.#window; place++) {
      if (this.#parts[place] === undefined) this.#wanted.add(place)
    }
    this.#hashmapAsked = this.#wanted.size < this.#window && this.#mapped < this.#parts.length
    const wanted = new Uint8Array(this.#wanted.size * MAP_HASH_BYTES)
    let at = 0
    for (const place of this.#wanted) {
      wanted.set(this.#mapHashAt(place), at)
      at += MAP_HASH_BYTES
    }
    const lastMapHash = this.#hashmapAsked ? this.#mapHashAt(this.#mapped - 1) : undefined
    this.#askedMs = this.#session.ports.nowMs()
    const request = encodePartRequest({ hash: this.advertisement.hash, wanted, lastMapHash })
    this.#session.sendSealed(CONTEXT.resourceRequest, request)
    this.#watch()
  }

  #mapHashAt(place: number): Uint8Array {
    return this.#hashmap.subarray(place * MAP_HASH_BYTES, (place + 1) * MAP_HASH_BYTES)
  }

  /** The sender has a few times as long as it took before, for each silence between parts. */
  #watch(): void {
    const expectedMs = Math.max(this.#answerMs ?? PART_MS_FIRST, this.#session.roundTripMs)
    this.#timer?.cancel()
    this.#timer = this.#session.agenda.after((PART_MS_MIN + 4 * expectedMs) * (1 + this.#tries / 2), () => {
      if (++this.#tries >= PART_REQUESTS_MAX) {
        this.cancel('the sender no longer answers', true)
        return
      }
      this.#window = Math.max(WINDOW_MIN, this.#window >> 1)
      this.#ask()
    })
  }

  #finish(): void {
    this.#timer?.cancel()
    this.#stop = () => {}
    const stop = this.#session.slices.run(this.#assemble(), (segment) => {
      if (segment === undefined) {
        this.cancel('the parts do not make the resource', true)
        return
      }
      const proof = resourceProof(this.#session.ports.crypto, segment, this.advertisement.hash)
      this.#session.sendClear(CONTEXT.resourceProof, proof, PACKET_TYPE.proof)
      this.#end(segment, '')
    })
    if (!this.#isOver) this.#stop = stop
  }

  *#assemble(): Generator<void, Uint8Array | undefined> {
    const { advertisement } = this
    const stream = concatBytes(...(this.#parts as Uint8Array[]))
    const plain = advertisement.encrypted ? this.#session.open(stream) : stream
    if (plain === undefined || plain.length < MAP_HASH_BYTES) return undefined
    const payload = plain.subarray(MAP_HASH_BYTES)
    try {
      const segment = advertisement.compressed
        ? yield* bz2DecompressSteps(payload, RESOURCE_SEGMENT_BYTES_MAX)
        : payload
      const hash = resourceHash(this.#session.ports.crypto, segment, advertisement.randomHash)
      return equalBytes(hash, advertisement.hash) ? segment : undefined
    } catch (error) {
      if (error instanceof ReticulumError) return undefined
      throw error
    }
  }

  #end(segment: Uint8Array | undefined, why: string): void {
    this.#isOver = true
    this.#timer?.cancel()
    this.#stop?.()
    this.#parts.length = 0
    this.#settle(segment, why)
  }
}

function keyOf(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0
}
