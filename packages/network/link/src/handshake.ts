import { concatBytes, encodeUtf8, equalBytes } from '@nexus/codec'
import { encodeBandwidth } from '@nexus/compact-path-cost'
import { CryptoError, equalConstantTime } from '@nexus/crypto'
import { nodeIdOf } from '@nexus/identity'
import { LinkError } from './errors.ts'
import {
  decodeHandshakePayload,
  encodeHandshakePayload,
  encodeHs1,
  encodeHs1Head,
  encodeHs2,
  encodeHs3,
  type HandshakePayload,
  type Hs1,
  hs1MacOffset,
  PARAMETER_FLAG,
} from './frames.ts'
import { COOKIE_BYTES, DEST_TAG_BYTES, HS1_PROLOGUE_BYTES, TAG_BYTES } from './limits.ts'
import type { Link, LinkLayerOptions, RefusalReason } from './link.ts'
import type { LinkState } from './link-state.ts'
import type { Medium } from './medium.ts'
import { NoiseHandshake, type NoiseStaticKey } from './noise.ts'

const PROLOGUE = encodeUtf8('NEXUS link 1')
const MAC_LABEL = encodeUtf8('nxs-hs1')
const ZERO_COOKIE = new Uint8Array(COOKIE_BYTES)
const ANY_TAG = new Uint8Array(DEST_TAG_BYTES)
const EMPTY = new Uint8Array(0)

/** Whom a handshake is for. */
export interface Target {
  readonly address?: string
  readonly nodeId?: Uint8Array
}

/** Our own handshake, until HS2 held. */
export interface Attempt {
  readonly kind: 'attempt'
  readonly id: number
  readonly medium: Medium
  readonly target: Target
  readonly noise: NoiseHandshake
  readonly destTag: Uint8Array
  readonly message1: Uint8Array
  readonly startedMs: number
  cookie: Uint8Array
  cookieMs: number
  /** COOKIEs that were believed. */
  cookies: number
  tries: number
  sentMs: number
  nextMs: number
  /** Whether it no longer waits for HS2. */
  over: boolean
  /** What came of it: its own link, or the one that took its place. */
  link: LinkState | undefined
}

/** Whether an attempt may still become a link by itself. */
export function isUnderWay(attempt: Attempt): boolean {
  return !attempt.over || (attempt.link !== undefined && !attempt.link.up && attempt.link.down === undefined)
}

/** A stranger's handshake that was answered, until HS3 held. */
export interface HalfOpen {
  readonly kind: 'half-open'
  readonly id: number
  readonly medium: Medium
  readonly from: string | undefined
  readonly noise: NoiseHandshake
  readonly ephemeral: Uint8Array
  /** The initiator's id, in HS1 and again in HS3. */
  readonly senderId: number
  readonly hs2: Uint8Array
  readonly startedMs: number
  /** When HS2 is to be sent; Infinity once it was, until it is asked for again. */
  dueMs: number
  answers: number
  sentMs: number
  expiresMs: number
}

/** Who the peer proved to be, and why it is not let in if it is not. */
export type Verdict =
  | { readonly peer: Link['peer']; readonly payload: HandshakePayload; readonly refusal?: never }
  | {
      readonly refusal: Extract<RefusalReason, 'unexpected-peer' | 'not-admitted'>
      readonly peer: Link['peer']
      readonly payload: HandshakePayload
    }
  | {
      readonly refusal: Extract<RefusalReason, 'malformed' | 'key-mismatch' | 'duplicate-identity'>
      readonly peer?: never
    }

export interface WantedPeer {
  readonly nodeId: Uint8Array | undefined
  /** The id that the frame, or HS1, showed in the clear. */
  readonly linkId: number
}

export type HandshakeOptions = Pick<LinkLayerOptions, 'crypto' | 'identity' | 'random' | 'networkKey' | 'admit'>

/** The cryptography of HS1, HS2 and HS3 (docs/spec/link.md): makes and judges frames, and keeps nothing. */
export class Handshaker {
  /** Bytes of Noise message 1: with a psk its empty payload has a tag. */
  readonly noise1Bytes: number
  readonly #options: HandshakeOptions
  readonly #ownTag: Uint8Array
  readonly #staticKey: NoiseStaticKey
  readonly #ownMacKey: Uint8Array
  readonly #anyMacKey: Uint8Array

  constructor(options: HandshakeOptions) {
    const { identity, networkKey } = options
    if (networkKey !== undefined && networkKey.length !== 32) throw new RangeError('a network key takes 32 bytes')
    this.#options = options
    this.noise1Bytes = networkKey === undefined ? 32 : 32 + TAG_BYTES
    this.#staticKey = { publicKey: identity.agreementKey, agree: (theirs) => identity.agree(theirs) }
    this.#ownTag = identity.nodeId.slice(0, DEST_TAG_BYTES)
    this.#ownMacKey = this.#macKey(this.#ownTag)
    this.#anyMacKey = this.#macKey(ANY_TAG)
  }

  begin(nowMs: number, id: number, medium: Medium, target: Target): Attempt {
    const named = !medium.point && target.nodeId !== undefined
    const destTag = named ? target.nodeId!.slice(0, DEST_TAG_BYTES) : ANY_TAG
    const noise = this.#noise(true, encodeHs1Head(id, destTag))
    const message1 = noise.writeMessage(EMPTY)
    if (message1 === undefined) throw new Error('link: message 1 needs no key of the peer')
    return {
      kind: 'attempt',
      id,
      medium,
      target,
      noise,
      destTag,
      message1,
      startedMs: nowMs,
      cookie: ZERO_COOKIE,
      cookieMs: Number.NEGATIVE_INFINITY,
      cookies: 0,
      tries: 0,
      sentMs: nowMs,
      nextMs: nowMs,
      over: false,
      link: undefined,
    }
  }

  /** HS1 of an attempt: identical at each retry but for cookie and mac. */
  hs1(attempt: Attempt): Uint8Array {
    const { id, destTag, message1, cookie, medium } = attempt
    const frame = encodeHs1({ senderId: id, destTag, noise: message1, cookie, mac: ZERO_COOKIE }, medium.addressed)
    const macAt = hs1MacOffset(message1.length)
    frame.set(this.#mac(this.#macKey(destTag), frame.subarray(0, macAt)), macAt)
    return frame
  }

  /** Whether HS1 is meant for this node: by its tag, or by having come on a medium that can name one peer alone. */
  isForUs(hs1: Hs1, medium: Medium): boolean {
    if (equalBytes(hs1.destTag, this.#ownTag)) return true
    return equalBytes(hs1.destTag, ANY_TAG) && !medium.radio
  }

  macHolds(hs1: Hs1, frame: Uint8Array): boolean {
    const key = equalBytes(hs1.destTag, ANY_TAG) ? this.#anyMacKey : this.#ownMacKey
    return equalConstantTime(this.#mac(key, frame.subarray(0, hs1MacOffset(hs1.noise.length))), hs1.mac)
  }

  /** The e that HS1 shows. */
  ephemeralOf(hs1: Hs1): Uint8Array {
    return hs1.noise.slice(0, 32)
  }

  /** HS2 for an HS1 whose mac held, or `undefined` where its Noise message does not. */
  answer(
    nowMs: number,
    id: number,
    medium: Medium,
    from: string | undefined,
    frame: Uint8Array,
    hs1: Hs1,
  ): HalfOpen | undefined {
    const noise = this.#noise(false, frame.subarray(0, HS1_PROLOGUE_BYTES))
    const message2 =
      noise.readMessage(hs1.noise) === undefined ? undefined : noise.writeMessage(this.#payload(nowMs, id, medium))
    if (message2 === undefined) {
      noise.wipe()
      return undefined
    }
    return {
      kind: 'half-open',
      id,
      medium,
      from,
      noise,
      ephemeral: this.ephemeralOf(hs1),
      senderId: hs1.senderId,
      hs2: encodeHs2({ receiverId: hs1.senderId, senderId: id, noise: message2 }),
      startedMs: nowMs,
      dueMs: nowMs,
      answers: 0,
      sentMs: nowMs,
      expiresMs: nowMs + medium.halfOpenMs,
    }
  }

  /** Reads Noise message 2 or 3: who sent it, or why it is refused; `undefined` where it does not hold. */
  read(noise: NoiseHandshake, message: Uint8Array, wanted: WantedPeer): Verdict | undefined {
    const bytes = noise.readMessage(message)
    return bytes && this.#judge(noise, bytes, wanted)
  }

  /** HS3 for an HS2 that held, or `undefined` where the peer's key gives no secret. */
  hs3(nowMs: number, attempt: Attempt, receiverId: number): Uint8Array | undefined {
    const message3 = attempt.noise.writeMessage(this.#payload(nowMs, attempt.id, attempt.medium))
    return message3 && encodeHs3({ receiverId, noise: message3 })
  }

  #judge(noise: NoiseHandshake, bytes: Uint8Array, wanted: WantedPeer): Verdict {
    const { crypto, identity, admit } = this.#options
    let payload: HandshakePayload
    try {
      payload = decodeHandshakePayload(bytes)
    } catch (error) {
      if (error instanceof LinkError) return { refusal: 'malformed' }
      throw error
    }
    const { publicKey } = payload
    if (payload.linkId !== wanted.linkId) return { refusal: 'malformed' }
    if (!this.#mapsTo(publicKey, noise.remoteStaticKey!)) return { refusal: 'key-mismatch' }
    if (equalBytes(publicKey, identity.publicKey)) return { refusal: 'duplicate-identity' }
    const peer = { nodeId: nodeIdOf(crypto, publicKey), publicKey }
    if (wanted.nodeId !== undefined && !equalBytes(peer.nodeId, wanted.nodeId)) {
      return { refusal: 'unexpected-peer', peer, payload }
    }
    if (admit !== undefined && !admit(publicKey)) return { refusal: 'not-admitted', peer, payload }
    return { peer, payload }
  }

  #mapsTo(publicKey: Uint8Array, staticKey: Uint8Array): boolean {
    try {
      return equalBytes(this.#options.crypto.toX25519Public(publicKey), staticKey)
    } catch (error) {
      if (error instanceof CryptoError) return false
      throw error
    }
  }

  #noise(initiator: boolean, hs1Head: Uint8Array): NoiseHandshake {
    const { crypto, random, networkKey } = this.#options
    return new NoiseHandshake({
      crypto,
      pattern: networkKey === undefined ? 'XX' : 'XXpsk3',
      initiator,
      prologue: concatBytes(PROLOGUE, hs1Head),
      ephemeralKey: crypto.ephemeralKey(random),
      staticKey: this.#staticKey,
      ...(networkKey === undefined ? {} : { psk: networkKey }),
    })
  }

  #payload(nowMs: number, id: number, medium: Medium): Uint8Array {
    const flags = (medium.wideCounters ? PARAMETER_FLAG.wideCounters : 0) | (medium.radio ? PARAMETER_FLAG.padding : 0)
    return encodeHandshakePayload({
      publicKey: this.#options.identity.publicKey,
      clockMs: BigInt(Math.floor(nowMs)),
      linkId: id,
      parameters: {
        flags,
        mtuBytes: medium.frameBytesMax,
        bitrate: encodeBandwidth(medium.facts.bitrateBps),
      },
    })
  }

  #macKey(destTag: Uint8Array): Uint8Array {
    return this.#options.crypto.blake2b(concatBytes(MAC_LABEL, this.#options.networkKey ?? new Uint8Array(32), destTag))
  }

  #mac(key: Uint8Array, bytes: Uint8Array): Uint8Array {
    return this.#options.crypto.blake2b(bytes, { length: TAG_BYTES, key })
  }
}
