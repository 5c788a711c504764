import type { Agenda, Appointment } from './agenda.ts'
import { addressKey } from './bytes.ts'
import { Channel } from './channel.ts'
import { ReticulumError } from './errors.ts'
import { Feed } from './feed.ts'
import { type Identity, RemoteIdentity } from './identity.ts'
import type { ReticulumInterface } from './interface.ts'
import { PROOF_EXPLICIT_BYTES } from './limits.ts'
import { encodeRoundTrip, keepaliveMs, linkMduBytes, makeIdentify, openIdentify } from './link-codec.ts'
import type { LinkSession } from './link-session.ts'
import type { MsgPack } from './msgpack.ts'
import { CONTEXT, DESTINATION_TYPE, decodePacket, encodePacket, PACKET_TYPE, packetHash } from './packet.ts'
import type { CallOptions, Ports } from './ports.ts'
import { makeProof } from './proof.ts'
import { Receipts, type Verifier } from './receipts.ts'
import { type Answer, Requests } from './requests.ts'
import type { OutgoingResource, SendResourceOptions } from './resource-send.ts'
import type { Slices } from './slices.ts'
import { Streams } from './stream.ts'
import { TokenKey } from './token.ts'
import { RESOURCE_BYTES_MAX, type ReceivedResource, type ResourcePolicy, Transfers } from './transfers.ts'

const CLOSE_AFTER_STALE_MS = 5_000
const KEEPALIVE_ASK = 0xff
const KEEPALIVE_ANSWER = 0xfe
const PROOF_MS_MIN = 1_000
/** Times that the initiator tells the round-trip time again, and from when on, while nothing shows that the link has begun. */
const BEGIN_REPEATS_MAX = 3
const BEGIN_REPEAT_MS = 750

/** How a link ended: who ended it, or why. */
export type LinkEnd = 'closed here' | 'closed by the peer' | 'silence' | 'the interface is gone' | string

/** What a link needs of its node. */
export interface LinkHost {
  readonly ports: Ports
  readonly agenda: Agenda
  readonly slices: Slices
  /** The link ended: the node forgets it. */
  ended(link: Link): void
}

/** What a link is made of, once its two ends agree. */
export interface LinkTerms {
  readonly id: Uint8Array
  readonly isInitiator: boolean
  readonly iface: ReticulumInterface
  /** 64 bytes of token key. */
  readonly key: Uint8Array
  readonly mtuBytes: number
  readonly roundTripMs: number
  /** Hash of the destination that the link leads to. */
  readonly destination: Uint8Array
  readonly signer: { sign(message: Uint8Array): Uint8Array }
  readonly verifier: Verifier
  /** Whether packets are proved as they come. */
  readonly proves: boolean
  readonly resources: ResourcePolicy
  /** Zeroes the link's secrets. */
  readonly wipe: () => void
  readonly answer: (link: Link, ...request: Parameters<Answer>) => ReturnType<Answer>
}

/** A packet that was sent, and may be proved. */
export interface PacketReceipt {
  readonly hash: Uint8Array
  /** The round-trip time in ms once the proof has come; `undefined` where none came in time. */
  readonly proved: Promise<number | undefined>
}

/** An encrypted link between two nodes, with forward secrecy (docs/spec/reticulum.md). */
export class Link {
  readonly id: Uint8Array
  readonly isInitiator: boolean
  readonly destination: Uint8Array
  readonly mtuBytes: number
  readonly mduBytes: number
  readonly iface: ReticulumInterface
  /** Data that the peer sent in single packets. */
  readonly packets: Feed<Uint8Array> = new Feed(64, ({ length }) => length)
  /** Resources that came whole. While those that wait for a reader take their share of memory, no more are taken. */
  readonly resources: Feed<ReceivedResource> = new Feed(16, ({ data }) => data.length, RESOURCE_BYTES_MAX)
  /** Identities that the peer has shown. */
  readonly identified: Feed<RemoteIdentity> = new Feed(4)
  /** Resolves when the link has ended, with the reason. */
  readonly closed: Promise<LinkEnd>
  readonly channel: Channel
  readonly streams: Streams
  /** What becomes of resources that the peer offers. */
  resourcePolicy: ResourcePolicy
  readonly #host: LinkHost
  readonly #terms: LinkTerms
  readonly #cipher: TokenKey
  readonly #session: LinkSession
  readonly #receipts: Receipts
  readonly #transfers: Transfers
  readonly #requests: Requests
  #remoteIdentity: RemoteIdentity | undefined
  #resolveClosed: (end: LinkEnd) => void = () => {}
  #end: LinkEnd | undefined
  #heardMs: number
  #watch: Appointment | undefined
  #beginning: Appointment | undefined

  constructor(host: LinkHost, terms: LinkTerms) {
    this.#host = host
    this.#terms = terms
    this.id = terms.id
    this.isInitiator = terms.isInitiator
    this.destination = terms.destination
    this.mtuBytes = terms.mtuBytes
    this.mduBytes = linkMduBytes(terms.mtuBytes)
    this.iface = terms.iface
    this.resourcePolicy = terms.resources
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve
    })
    this.#cipher = new TokenKey(host.ports.crypto, terms.key)
    this.#session = this.#makeSession()
    this.#receipts = new Receipts(host.agenda)
    this.#transfers = new Transfers(this.#session, {
      policy: () => this.resourcePolicy,
      waitingBytes: () => this.resources.waitingBytes,
      expected: (advertisement) => this.#requests.expected(advertisement),
      received: (resource, kind) => {
        if (kind === 'plain') this.resources.publish(resource)
        else this.#requests.received(resource, kind)
      },
      failed: (advertisement, why) => this.#requests.failed(advertisement, why),
    })
    this.#requests = new Requests(this.#session, this.#transfers, (...request) => terms.answer(this, ...request))
    this.channel = new Channel(this.#session)
    this.streams = new Streams(this.channel)
    this.#heardMs = host.ports.nowMs()
    this.#keepAlive()
    if (this.isInitiator) this.#begin(0)
  }

  get isOpen(): boolean {
    return this.#end === undefined
  }

  get roundTripMs(): number {
    return this.#terms.roundTripMs
  }

  /** Who the peer is, once it has said so. */
  get remoteIdentity(): RemoteIdentity | undefined {
    return this.#remoteIdentity
  }

  /**
   * Sends data in one packet.
   * @throws {RangeError} over {@link Link.mduBytes}
   * @throws {ReticulumError} `reticulum/closed`
   */
  send(data: Uint8Array): PacketReceipt {
    const packet = this.#sendSealed(CONTEXT.none, data)
    const hash = packetHash(this.#host.ports.crypto, packet)
    const waitMs = Math.max(PROOF_MS_MIN, 6 * this.roundTripMs)
    return { hash, proved: new Promise((resolve) => this.#expectProof(packet, waitMs, resolve)) }
  }

  /** Sends data in one packet without waiting for a proof; `false` where the medium did not take it. @throws as {@link Link.send} */
  transmit(data: Uint8Array): boolean {
    this.#assertOpen()
    if (data.length > this.mduBytes) throw new RangeError(`${data.length} bytes, over ${this.mduBytes}`)
    return this.iface.send(
      this.#packet(CONTEXT.none, this.#cipher.seal(data, this.#host.ports.random), PACKET_TYPE.data),
    )
  }

  /** Tells the peer, and nobody on the way, who is here. */
  identify(identity: Identity): void {
    this.#sendSealed(CONTEXT.linkIdentify, makeIdentify(identity, this.id))
  }

  /** Asks the peer for `path`; resolves with its answer. @throws {ReticulumError} `reticulum/timeout`, `reticulum/closed` */
  request(path: string, data: MsgPack = null, options: CallOptions = {}): Promise<MsgPack> {
    this.#assertOpen()
    return this.#requests.request(path, data, options)
  }

  /** Sends data of any size. @throws {ReticulumError} `reticulum/closed`, `reticulum/limit` */
  sendResource(data: Uint8Array, options: SendResourceOptions = {}): OutgoingResource {
    this.#assertOpen()
    return this.#transfers.send(data, options)
  }

  /** Ends the link, and tells the peer. */
  close(): void {
    this.#close('closed here', true)
  }

  /** The interface that the link was made on is gone. */
  detached(): void {
    this.#close('the interface is gone', false)
  }

  /** A packet addressed to this link, from the interface that it was made on; whether it was the peer's. */
  receive(packet: Uint8Array): boolean {
    const { packetType, context, data } = decodePacket(packet)
    if (!this.isOpen) return false
    if (packetType === PACKET_TYPE.proof) return this.#receiveProof(context, data)
    if (packetType !== PACKET_TYPE.data) return false
    if (context === CONTEXT.keepalive) return this.#receiveKeepalive(data)
    const clear = context === CONTEXT.resource || context === CONTEXT.cacheRequest
    const plaintext = clear ? data : this.#cipher.open(data)
    if (plaintext === undefined) return false
    if (!clear) this.#begun()
    this.#heard()
    try {
      this.#act(packet, context, plaintext)
    } catch (error) {
      if (!(error instanceof ReticulumError)) throw error
    }
    return true
  }

  #act(packet: Uint8Array, context: number, plaintext: Uint8Array): void {
    switch (context) {
      case CONTEXT.none:
        this.packets.publish(plaintext.slice())
        if (this.#terms.proves) this.#prove(packet)
        return
      case CONTEXT.linkIdentify:
        this.#receiveIdentity(plaintext)
        return
      case CONTEXT.request:
        this.#requests.requested(plaintext, packet)
        return
      case CONTEXT.response:
        this.#requests.responded(plaintext)
        return
      case CONTEXT.channel:
        if (this.channel.receive(plaintext)) this.#prove(packet)
        return
      case CONTEXT.linkClose:
        if (plaintext.length === 16 && addressKey(plaintext) === addressKey(this.id))
          this.#close('closed by the peer', false)
        return
      case CONTEXT.resource:
      case CONTEXT.cacheRequest:
      case CONTEXT.resourceAdvertisement:
      case CONTEXT.resourceRequest:
      case CONTEXT.resourceHashmapUpdate:
      case CONTEXT.resourceCancelledBySender:
      case CONTEXT.resourceCancelledByReceiver:
        this.#transfers.receive(context, plaintext)
        return
      default:
    }
  }

  #receiveProof(context: number, data: Uint8Array): boolean {
    if (context === CONTEXT.resourceProof) {
      this.#begun()
      this.#heard()
      this.#transfers.receive(context, data)
      return true
    }
    if (data.length !== PROOF_EXPLICIT_BYTES) return false
    const taken = this.#receipts.prove(data, data, this.#host.ports.nowMs())
    if (taken) this.#heard()
    return taken
  }

  #receiveKeepalive(data: Uint8Array): boolean {
    this.#begun()
    this.#heard()
    if (data.length === 1 && data[0] === KEEPALIVE_ASK && !this.isInitiator) {
      this.#sendClear(CONTEXT.keepalive, Uint8Array.of(KEEPALIVE_ANSWER))
    }
    return true
  }

  #receiveIdentity(plaintext: Uint8Array): void {
    const publicKey = this.isInitiator ? undefined : openIdentify(this.#host.ports.crypto, this.id, plaintext)
    if (publicKey === undefined) return
    this.#remoteIdentity = new RemoteIdentity(this.#host.ports.crypto, publicKey)
    this.identified.publish(this.#remoteIdentity)
  }

  #prove(packet: Uint8Array): void {
    const hash = packetHash(this.#host.ports.crypto, packet)
    this.#sendClear(CONTEXT.none, makeProof(this.#terms.signer, hash, true), PACKET_TYPE.proof)
  }

  /** The peer does what Reticulum does over links that have begun: more than to prove packets, which it does before. */
  #begun(): void {
    this.#beginning?.cancel()
  }

  #heard(): void {
    this.#heardMs = this.#host.ports.nowMs()
  }

  /** For the responder the link begins with the round-trip time, which may be lost: it is told until the link has begun. */
  #begin(repeats: number): void {
    if (repeats > BEGIN_REPEATS_MAX) return
    const roundTrip = encodeRoundTrip(this.roundTripMs)
    this.#sendSealed(CONTEXT.linkRoundTrip, roundTrip)
    const waitMs = (BEGIN_REPEAT_MS + 4 * this.roundTripMs) * 2 ** repeats
    this.#beginning = this.#host.agenda.after(waitMs, () => this.#begin(repeats + 1))
  }

  /** The initiator asks after a silence of one interval; both give up after two, and a grace. */
  #keepAlive(): void {
    const { intervalMs, staleMs } = keepaliveMs(this.roundTripMs)
    const silentMs = this.#host.ports.nowMs() - this.#heardMs
    if (silentMs >= staleMs + CLOSE_AFTER_STALE_MS) {
      this.#close('silence', true)
      return
    }
    const asks = this.isInitiator && silentMs >= intervalMs
    if (asks) this.#sendClear(CONTEXT.keepalive, Uint8Array.of(KEEPALIVE_ASK))
    const nextMs =
      silentMs < intervalMs ? intervalMs - silentMs : Math.min(intervalMs, staleMs + CLOSE_AFTER_STALE_MS - silentMs)
    this.#watch = this.#host.agenda.after(Math.max(1, nextMs), () => this.#keepAlive())
  }

  #close(end: LinkEnd, tell: boolean): void {
    if (!this.isOpen) return
    if (tell) this.#sendSealed(CONTEXT.linkClose, this.id)
    this.#end = end
    this.#watch?.cancel()
    this.#beginning?.cancel()
    this.#transfers.close(end)
    this.#requests.close(end)
    this.channel.close(end)
    this.streams.close()
    this.#receipts.close()
    for (const feed of [this.packets, this.resources, this.identified]) feed.end()
    this.#host.ended(this)
    this.#terms.wipe()
    this.#resolveClosed(end)
  }

  #assertOpen(): void {
    if (this.#end !== undefined) throw new ReticulumError({ code: 'reticulum/closed', what: 'a link', why: this.#end })
  }

  #sendSealed(context: number, plaintext: Uint8Array): Uint8Array {
    this.#assertOpen()
    if (plaintext.length > this.mduBytes) throw new RangeError(`${plaintext.length} bytes, over ${this.mduBytes}`)
    const packet = this.#packet(context, this.#cipher.seal(plaintext, this.#host.ports.random), PACKET_TYPE.data)
    this.iface.send(packet)
    return packet
  }

  #sendClear(context: number, data: Uint8Array, packetType: number = PACKET_TYPE.data): void {
    if (this.isOpen) this.iface.send(this.#packet(context, data, packetType))
  }

  #packet(context: number, data: Uint8Array, packetType: number): Uint8Array {
    return encodePacket({
      destinationType: DESTINATION_TYPE.link,
      packetType,
      hops: 0,
      destination: this.id,
      context,
      data,
    })
  }

  #expectProof(packet: Uint8Array, timeoutMs: number, settle: (roundTripMs: number | undefined) => void): void {
    const { crypto, nowMs } = this.#host.ports
    this.#receipts.expect(packetHash(crypto, packet), this.#terms.verifier, timeoutMs, nowMs(), settle)
  }

  #makeSession(): LinkSession {
    const { ports, agenda, slices } = this.#host
    const isOpen = () => this.isOpen
    return {
      ports,
      agenda,
      slices,
      id: this.id,
      get isOpen() {
        return isOpen()
      },
      mtuBytes: this.mtuBytes,
      mduBytes: this.mduBytes,
      roundTripMs: this.roundTripMs,
      seal: (plaintext) => this.#cipher.seal(plaintext, ports.random),
      open: (token) => this.#cipher.open(token),
      sendSealed: (context, plaintext) => this.#sendSealed(context, plaintext),
      sendClear: (context, data, packetType) => this.#sendClear(context, data, packetType),
      hashOfClear: (context, data, packetType) => packetHash(ports.crypto, this.#packet(context, data, packetType)),
      expectProof: (packet, timeoutMs, settle) => this.#expectProof(packet, timeoutMs, settle),
      fail: (why) => this.#close(why, true),
    }
  }
}
