import { concatBytes, equalBytes } from '@nexus/codec'
import type { Appointment } from './agenda.ts'
import { addressKey } from './bytes.ts'
import { ReticulumError } from './errors.ts'
import { ExpiringMap } from './expiring-map.ts'
import { HASH_BYTES, RESOURCE_SEGMENT_BYTES_MAX, TRANSFER_BYTES_MAX } from './limits.ts'
import type { LinkSession } from './link-session.ts'
import type { MsgPack } from './msgpack.ts'
import { CONTEXT, PACKET_TYPE } from './packet.ts'
import {
  decodeAdvertisement,
  decodeHashmapUpdate,
  decodePartRequest,
  type ResourceAdvertisement,
  resourceProof,
  splitMetadata,
} from './resource-codec.ts'
import { SegmentReceiver } from './resource-receive.ts'
import { OutgoingResource, type ResourcePurpose, type SendResourceOptions } from './resource-send.ts'

/** Resources that a link receives, and sends, at once. */
export const TRANSFERS_MAX = 16
/** Bytes of a resource that is taken without being asked about. */
export const RESOURCE_BYTES_MAX: number = 64 * 1024 * 1024
/** Segments whose proofs may be asked for again. */
const PROVED_MAX = 128
const PROVED_MS = 300_000
/** A sender that does not go on with the next segment for so long has gone. */
export const SEGMENT_MS_MAX = 60_000

/** What a peer wants to send. */
export interface ResourceOffer {
  readonly totalBytes: number
  readonly segments: number
  readonly hasMetadata: boolean
  readonly hash: Uint8Array
}

/**
 * What becomes of resources that are offered: none are taken, and the sender hears nothing (`none`); all up to
 * {@link RESOURCE_BYTES_MAX} are; or the function decides, and the sender hears of a refusal.
 */
export type ResourcePolicy = 'none' | 'all' | ((offer: ResourceOffer) => boolean)

/** A resource that came, whole and proved. */
export interface ReceivedResource {
  readonly data: Uint8Array
  readonly metadata: MsgPack | undefined
  readonly hash: Uint8Array
  readonly segments: number
  readonly requestId: Uint8Array | undefined
}

/** What the transfers of a link tell it. */
export interface TransferEvents {
  /** Whether to take a resource that is no request and no answer. */
  policy(): ResourcePolicy
  /** Bytes of resources that came and wait for a reader. */
  waitingBytes(): number
  /** Bytes of a request or answer that may come, or 0 where none is expected. */
  expected(advertisement: ResourceAdvertisement): number
  received(resource: ReceivedResource, kind: 'plain' | 'request' | 'response'): void
  failed(advertisement: ResourceAdvertisement, why: string): void
}

interface Incoming {
  readonly segments: Uint8Array[]
  /** As advertised: it takes no more. */
  readonly totalBytes: number
  bytes: number
  receiver: SegmentReceiver | undefined
  /** Between two segments: gives it up. */
  patience: Appointment | undefined
}

/** The resources of one link, both ways. */
export class Transfers {
  readonly #session: LinkSession
  readonly #events: TransferEvents
  readonly #outgoing = new Set<OutgoingResource>()
  readonly #incoming = new Map<string, Incoming>()
  readonly #proved = new ExpiringMap<Uint8Array>(PROVED_MAX, PROVED_MS)

  constructor(session: LinkSession, events: TransferEvents) {
    this.#session = session
    this.#events = events
  }

  /** @throws {ReticulumError} `reticulum/limit` where too many are under way */
  send(data: Uint8Array, options: SendResourceOptions, purpose: ResourcePurpose = {}): OutgoingResource {
    if (this.#outgoing.size >= TRANSFERS_MAX) {
      throw new ReticulumError({ code: 'reticulum/limit', what: 'resources sent at once', max: TRANSFERS_MAX })
    }
    const resource = new OutgoingResource(this.#session, data, options, purpose, () => this.#outgoing.delete(resource))
    this.#outgoing.add(resource)
    return resource
  }

  /** A packet of a resource, opened where it was sealed. @throws {ReticulumError} for what is not in its form */
  receive(context: number, bytes: Uint8Array): void {
    switch (context) {
      case CONTEXT.resource:
        for (const { receiver } of this.#incoming.values()) if (receiver?.take(bytes)) return
        return
      case CONTEXT.resourceAdvertisement:
        this.#offered(decodeAdvertisement(bytes))
        return
      case CONTEXT.resourceRequest:
        for (const resource of this.#outgoing) resource.serve(decodePartRequest(bytes))
        return
      case CONTEXT.resourceHashmapUpdate:
        this.#receiverOf(bytes)?.extend(decodeHashmapUpdate(bytes))
        return
      case CONTEXT.resourceProof:
        for (const resource of [...this.#outgoing]) resource.proved(bytes)
        return
      case CONTEXT.cacheRequest:
        if (bytes.length === HASH_BYTES) this.#proveAgain(addressKey(bytes))
        return
      case CONTEXT.resourceCancelledBySender:
        this.#receiverOf(bytes)?.cancel('cancelled by the sender', false)
        return
      case CONTEXT.resourceCancelledByReceiver:
        for (const resource of [...this.#outgoing]) {
          if (resource.hash !== undefined && addressKey(resource.hash) === addressKey(bytes))
            resource.stop('refused by the peer')
        }
        return
      default:
        throw new RangeError(`context ${context}`)
    }
  }

  /** The link is gone. */
  close(why: string): void {
    for (const resource of [...this.#outgoing]) resource.stop(why)
    for (const { receiver, patience } of [...this.#incoming.values()]) {
      patience?.cancel()
      receiver?.cancel(why, false)
    }
    this.#incoming.clear()
  }

  #proveAgain(key: string): boolean {
    const proof = this.#proved.get(key, this.#session.ports.nowMs())
    if (proof !== undefined) this.#session.sendClear(CONTEXT.resourceProof, proof, PACKET_TYPE.proof)
    return proof !== undefined
  }

  #receiverOf(bytes: Uint8Array): SegmentReceiver | undefined {
    if (bytes.length < HASH_BYTES) return undefined
    const key = addressKey(bytes)
    for (const { receiver } of this.#incoming.values()) {
      if (receiver !== undefined && addressKey(receiver.advertisement.hash) === key) return receiver
    }
    return undefined
  }

  #offered(advertisement: ResourceAdvertisement): void {
    // The proof was lost on its way: the sender begins again, and need not.
    if (this.#proveAgain(addressKey(advertisement.hash))) return
    if (advertisement.transferBytes > TRANSFER_BYTES_MAX) {
      this.#session.fail('a resource segment larger than any')
      return
    }
    const key = addressKey(advertisement.originalHash)
    const incoming = this.#incoming.get(key) ?? this.#admit(key, advertisement)
    if (incoming === undefined) return
    if (incoming.receiver !== undefined) {
      if (equalBytes(incoming.receiver.advertisement.hash, advertisement.hash)) incoming.receiver.offeredAgain()
      return
    }
    if (advertisement.segmentIndex !== incoming.segments.length + 1) return
    // Segments are full but for the last: a sender that goes on with smaller ones would never be done.
    if (incoming.segments.length > incoming.totalBytes / RESOURCE_SEGMENT_BYTES_MAX + 1) {
      this.#session.fail('a resource of more segments than it has room for')
      return
    }
    incoming.patience?.cancel()
    incoming.receiver = new SegmentReceiver(this.#session, advertisement, (segment, why) => {
      incoming.receiver = undefined
      if (segment === undefined) {
        this.#incoming.delete(key)
        this.#events.failed(advertisement, why)
      } else this.#arrived(key, incoming, advertisement, segment)
    })
  }

  /** Asks whether a resource may come. */
  #admit(key: string, advertisement: ResourceAdvertisement): Incoming | undefined {
    const { isRequest, isResponse, totalBytes, segments, hasMetadata, hash } = advertisement
    if (advertisement.segmentIndex !== 1) return undefined
    let bytesMax = RESOURCE_BYTES_MAX
    if (isRequest || isResponse) bytesMax = this.#events.expected(advertisement)
    else {
      const policy = this.#events.policy()
      if (policy === 'none') return undefined
      const taken = policy === 'all' ? totalBytes <= bytesMax : policy({ totalBytes, segments, hasMetadata, hash })
      if (!taken) {
        this.#session.sendSealed(CONTEXT.resourceCancelledByReceiver, hash)
        return undefined
      }
      bytesMax = totalBytes
    }
    if (totalBytes > bytesMax || this.#incoming.size >= TRANSFERS_MAX) return undefined
    const waitingBytes = this.#events.waitingBytes()
    const heldBytes = [...this.#incoming.values()].reduce((sum, { totalBytes: bytes }) => sum + bytes, waitingBytes)
    // With what waits they may take no more than the largest that is taken unasked, or one that the application took.
    if (heldBytes > 0 && heldBytes + totalBytes > RESOURCE_BYTES_MAX) return undefined
    const incoming: Incoming = { segments: [], totalBytes, bytes: 0, receiver: undefined, patience: undefined }
    this.#incoming.set(key, incoming)
    return incoming
  }

  #arrived(key: string, incoming: Incoming, advertisement: ResourceAdvertisement, segment: Uint8Array): void {
    const { crypto, nowMs } = this.#session.ports
    const proof = resourceProof(crypto, segment, advertisement.hash)
    // Whether the sender asks by the segment's hash or by the proof packet's, it gets the proof once more.
    const packetHash = this.#session.hashOfClear(CONTEXT.resourceProof, proof, PACKET_TYPE.proof)
    for (const hash of [advertisement.hash, packetHash]) this.#proved.set(addressKey(hash), proof, nowMs())
    incoming.segments.push(segment.slice())
    incoming.bytes += segment.length
    if (incoming.bytes > incoming.totalBytes) {
      this.#incoming.delete(key)
      this.#events.failed(advertisement, 'longer than it said')
      return
    }
    if (advertisement.segmentIndex < advertisement.segments) {
      incoming.patience = this.#session.agenda.after(SEGMENT_MS_MAX, () => {
        this.#incoming.delete(key)
        this.#events.failed(advertisement, 'the sender does not go on')
      })
      return
    }
    this.#incoming.delete(key)
    const bytes = incoming.segments.length === 1 ? incoming.segments[0]! : concatBytes(...incoming.segments)
    try {
      const { metadata, data } = advertisement.hasMetadata ? splitMetadata(bytes) : { metadata: undefined, data: bytes }
      const { originalHash: hash, segments, requestId, isRequest, isResponse } = advertisement
      const kind = isRequest ? 'request' : isResponse ? 'response' : 'plain'
      this.#events.received({ data, metadata, hash, segments, requestId }, kind)
    } catch (error) {
      if (!(error instanceof ReticulumError)) throw error
      this.#events.failed(advertisement, error.message)
    }
  }
}
