import { ByteReader, equalBytes } from '@nexus/codec'
import { type Crypto, type Random, wipe } from '@nexus/crypto'
import { CONTEXT } from '@nexus/framing'
import { type Identity, nodeIdOf } from '@nexus/identity'
import type { NoiseHandshake } from '@nexus/link'
import { SessionError } from './errors.ts'
import { conclude, decodeHandshake, encodeHandshake, type HandshakePacket, initiate, respond } from './handshake.ts'
import type { Limits } from './limits.ts'
import { readable } from './readable.ts'
import { type Sealer, sealedPacket } from './sealer.ts'
import { type Stream, StreamCore, type StreamEventKind } from './stream.ts'
import { type SessionKeys, StreamCrypter, sessionIdOf } from './stream-crypter.ts'
import type { Priority, SendPacket } from './transmitter.ts'

/** What happened to a stream. */
export interface StreamEvent {
  readonly kind: StreamEventKind
  readonly stream: Stream
}

export interface StreamOptions {
  /** Of its packets; 2 if not said. */
  readonly priority?: Priority
}

/** What the streams are built on. */
export interface StreamsParts {
  readonly crypto: Crypto
  readonly identity: Identity
  readonly random: Random
  readonly limits: Limits
  readonly sealer: Sealer
  readonly sendPacket: SendPacket
  readonly publicKeyOf: (nodeId: Uint8Array) => Uint8Array | undefined
  readonly admits: (nodeId: Uint8Array) => boolean
  readonly roundTripMs: (destination: Uint8Array, bytes: number) => number | undefined
  readonly event: (event: StreamEvent) => void
}

type Peer = Stream['peer']

interface Session {
  id: number
  readonly core: StreamCore
  readonly startedMs: number
  readonly priority: Priority
  /** Initiator, until message 2 came. */
  opening?: { handshake: NoiseHandshake; message: Uint8Array; tries: number; firstMs: number; nextMs: number }
  /** Responder: both messages, until the initiator showed that it has the keys. */
  answered?: { readonly message: Uint8Array; readonly answer: Uint8Array }
}

const RTO_MS_FIRST = 3_000
/** A responder that no packet confirmed makes room for another after this. */
const HALF_OPEN_MS_MIN = 10_000
/** Tries of one session id; then another one is taken, should the responder know it as someone else's. */
const TRIES_PER_ID = 3
const HANDSHAKE_BYTES = 152

/**
 * Sessions, each of which carries one stream (docs/spec/session.md, Sessions and Streams). Both ends may open one to the other at the
 * same time: those are two streams. Nothing here is on disk; a restart ends every stream, and the peer's times out.
 */
export class Streams {
  readonly #parts: StreamsParts
  readonly #sessions = new Map<number, Session>()

  constructor(parts: StreamsParts) {
    this.#parts = parts
  }

  get size(): number {
    return this.#sessions.size
  }

  /** Begins a stream; what is written before it is open waits. @throws {SessionError} `session/no-key`, `session/streams-full` */
  open(nowMs: number, destination: Uint8Array, { priority = 2 }: StreamOptions = {}): Stream {
    const { crypto, limits, publicKeyOf } = this.#parts
    const publicKey = publicKeyOf(destination)
    if (publicKey === undefined || !equalBytes(nodeIdOf(crypto, publicKey), destination)) {
      throw new SessionError({ code: 'session/no-key' })
    }
    const peer = { nodeId: destination.slice(), publicKey }
    if (this.#sessions.size >= limits.streamsMax || this.#countOf(peer) >= limits.streamsPerPeerMax) {
      throw new SessionError({ code: 'session/streams-full', streams: this.#sessions.size })
    }
    const session = this.#begin(nowMs, this.#freshId(), peer, true, priority)
    if (!this.#startHandshake(nowMs, session)) throw new SessionError({ code: 'session/no-key' })
    this.#sendHandshake(nowMs, session)
    return session.core
  }

  /** Data of context 42. `false` where it is nothing that holds. */
  receiveHandshake(nowMs: number, data: Uint8Array): boolean {
    const packet = readable(decodeHandshake, data)
    if (packet === undefined) return false
    return packet.step === 1 ? this.#receiveFirst(nowMs, packet) : this.#receiveSecond(nowMs, packet)
  }

  /** Data of context 43. `false` where they belong to no session, are a repeat or are not authentic. */
  receive(nowMs: number, data: Uint8Array): boolean {
    const session = this.#sessions.get(sessionIdOf(data) ?? -1)
    if (session === undefined) return false
    return session.core.receive(nowMs, data)
  }

  tick(nowMs: number): void {
    for (const session of [...this.#sessions.values()]) {
      if (this.#sessions.get(session.id) !== session) continue
      const { core, opening } = session
      if (opening !== undefined && opening.nextMs <= nowMs) this.#retryHandshake(nowMs, session)
      core.tick(nowMs)
      if (core.isGone(nowMs)) this.#drop(session)
    }
  }

  nextWakeMs(): number {
    let wakeMs = Number.POSITIVE_INFINITY
    for (const { core, opening } of this.#sessions.values()) {
      wakeMs = Math.min(wakeMs, core.nextWakeMs(), opening?.nextMs ?? Number.POSITIVE_INFINITY)
    }
    return wakeMs
  }

  #begin(nowMs: number, id: number, peer: Peer, isInitiator: boolean, priority: Priority): Session {
    const { event, limits, roundTripMs, sendPacket } = this.#parts
    const rtoMsFirst = roundTripMs(peer.nodeId, HANDSHAKE_BYTES) ?? RTO_MS_FIRST
    const core: StreamCore = new StreamCore(nowMs, peer, isInitiator, rtoMsFirst, {
      limits,
      transmit: (atMs, packet) => sendPacket(atMs, peer.nodeId, packet, priority),
      notify: (kind) => {
        if (kind === 'incoming') delete session.answered
        event({ kind, stream: core })
      },
    })
    const session: Session = { id, core, startedMs: nowMs, priority }
    this.#sessions.set(id, session)
    return session
  }

  #startHandshake(nowMs: number, session: Session): boolean {
    const { crypto, identity, random, sealer } = this.#parts
    const { nodeId, publicKey } = session.core.peer
    const agreementKey = sealer.agreementKey(publicKey)
    const begun = agreementKey && initiate(crypto, identity, random, { nodeId, agreementKey })
    session.opening?.handshake.wipe()
    if (begun === undefined) {
      this.#drop(session)
      return false
    }
    session.opening = { ...begun, tries: session.opening?.tries ?? 0, firstMs: nowMs, nextMs: nowMs }
    return true
  }

  #sendHandshake(nowMs: number, session: Session): void {
    const { nodeId } = session.core.peer
    const opening = session.opening!
    const rtoMs = this.#parts.roundTripMs(nodeId, HANDSHAKE_BYTES) ?? RTO_MS_FIRST
    opening.nextMs = nowMs + rtoMs * 2 ** opening.tries
    opening.tries++
    this.#send(nowMs, session, { sessionId: session.id, step: 1, noise: opening.message })
  }

  #retryHandshake(nowMs: number, session: Session): void {
    const { core, opening } = session
    if (core.state !== 'opening' || opening === undefined) endOpening(session)
    else if (opening.tries >= this.#parts.limits.streamTriesMax) {
      endOpening(session)
      core.fail(nowMs, 'unreachable')
    } else {
      if (opening.tries % TRIES_PER_ID === 0) {
        this.#sessions.delete(session.id)
        session.id = this.#freshId()
        this.#sessions.set(session.id, session)
        if (!this.#startHandshake(nowMs, session)) return
      }
      this.#sendHandshake(nowMs, session)
    }
  }

  #receiveFirst(nowMs: number, { sessionId, noise }: HandshakePacket): boolean {
    const { crypto, identity, random } = this.#parts
    const known = this.#sessions.get(sessionId)
    if (known !== undefined) {
      if (known.answered === undefined || !equalBytes(known.answered.message, noise)) return false
      this.#send(nowMs, known, { sessionId, step: 2, noise: known.answered.answer })
      return true
    }
    if (!this.#hasRoom(nowMs)) return false
    const response = respond(crypto, identity, random, noise, (peer) => this.#admits(peer))
    if (response === undefined) return false
    const session = this.#begin(nowMs, sessionId, response.peer, false, 2)
    session.answered = { message: noise, answer: response.answer }
    session.core.established(nowMs, this.#crypter(response.keys, session))
    this.#send(nowMs, session, { sessionId, step: 2, noise: response.answer })
    return true
  }

  #receiveSecond(nowMs: number, { sessionId, noise }: HandshakePacket): boolean {
    const session = this.#sessions.get(sessionId)
    const opening = session?.opening
    if (session === undefined || opening === undefined || session.core.state !== 'opening') return false
    const keys = conclude(this.#parts.crypto, opening.handshake, noise, session.core.peer.nodeId)
    if (keys === undefined) return false
    delete session.opening
    session.core.established(nowMs, this.#crypter(keys, session), nowMs - opening.firstMs)
    return true
  }

  #admits(peer: Peer): boolean {
    return this.#parts.admits(peer.nodeId) && this.#countOf(peer) < this.#parts.limits.streamsPerPeerMax
  }

  /** Whether one more may begin here; the oldest one that nobody confirmed makes room. */
  #hasRoom(nowMs: number): boolean {
    const { limits } = this.#parts
    const halfOpen = [...this.#sessions.values()].filter(({ answered }) => answered !== undefined)
    if (this.#sessions.size < limits.streamsMax && halfOpen.length < limits.streamsHalfOpenMax) return true
    const oldest = halfOpen[0]
    if (oldest === undefined || nowMs - oldest.startedMs < HALF_OPEN_MS_MIN) return false
    this.#drop(oldest)
    return true
  }

  #countOf({ nodeId }: Peer): number {
    let count = 0
    for (const { core } of this.#sessions.values()) {
      if (core.state !== 'closed' && equalBytes(core.peer.nodeId, nodeId)) count++
    }
    return count
  }

  #crypter(keys: SessionKeys, { core, id }: Session): StreamCrypter {
    const { crypto, identity } = this.#parts
    const crypter = new StreamCrypter(crypto, keys, id, core.peer.nodeId, identity.nodeId)
    wipe(keys.sendKey, keys.receiveKey)
    return crypter
  }

  #send(nowMs: number, { core, priority }: Session, packet: HandshakePacket): void {
    const { nodeId } = core.peer
    const data = encodeHandshake(packet)
    this.#parts.sendPacket(nowMs, nodeId, sealedPacket(nodeId, CONTEXT.HANDSHAKE, data), priority)
  }

  #freshId(): number {
    for (;;) {
      const id = new ByteReader(this.#parts.random(4)).u32()
      if (!this.#sessions.has(id)) return id
    }
  }

  #drop(session: Session): void {
    this.#sessions.delete(session.id)
    endOpening(session)
    session.core.wipe()
  }
}

/** Gives up the initiator's handshake, if there is one. */
function endOpening(session: Session): void {
  session.opening?.handshake.wipe()
  delete session.opening
}
