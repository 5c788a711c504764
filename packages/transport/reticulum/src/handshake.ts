import type { Agenda, Appointment } from './agenda.ts'
import { addressKey } from './bytes.ts'
import { type Ephemeral, hkdf, type ReticulumCrypto } from './crypto.ts'
import type { Destination } from './destination.ts'
import { ReticulumError } from './errors.ts'
import { ExpiringMap } from './expiring-map.ts'
import type { RemoteIdentity } from './identity.ts'
import type { ReticulumInterface } from './interface.ts'
import { MTU_BYTES } from './limits.ts'
import type { LinkTerms } from './link.ts'
import {
  decodeLinkProof,
  decodeLinkRequest,
  decodeRoundTrip,
  encodeLinkRequest,
  LINK_MODE,
  linkIdOf,
  makeLinkProof,
  verifyLinkProof,
} from './link-codec.ts'
import { CONTEXT, DESTINATION_TYPE, decodePacket, encodePacket, PACKET_TYPE } from './packet.ts'
import type { CallOptions, Ports } from './ports.ts'
import { openToken } from './token.ts'

/** Handshakes that this node has asked for and that are under way. */
export const HANDSHAKES_MAX = 256
/** Link requests of one interface that were answered and whose links have not begun; the oldest is forgotten first. */
export const HANDSHAKES_ANSWERED_MAX = 128
const PER_HOP_MS = 6_000
const ANSWERED_MS = 366_000

/** What of a link's terms is agreed by the handshake. */
export type Agreed = Pick<
  LinkTerms,
  'id' | 'isInitiator' | 'iface' | 'key' | 'mtuBytes' | 'roundTripMs' | 'destination' | 'signer' | 'verifier' | 'wipe'
>

export interface HandshakeHost {
  readonly ports: Ports
  readonly agenda: Agenda
  /** Sends a link request on its way; the interface that it left by, and the hops ahead. */
  dispatch(request: Uint8Array): { readonly iface: ReticulumInterface; readonly hops: number }
  /** The largest packet of the first hop. */
  mtuBytesOf(destination: Uint8Array): number
}

interface Asked {
  readonly id: Uint8Array
  readonly iface: ReticulumInterface
  readonly ephemeral: Ephemeral
  readonly seed: Uint8Array
  readonly responder: RemoteIdentity
  readonly destination: Uint8Array
  readonly mtuBytes: number
  readonly sentMs: number
  readonly settle: (agreed: Agreed | Error) => void
}

interface Answered {
  readonly agreed: Agreed
  readonly destination: Destination
  readonly answeredMs: number
}

/** Makes links: asks for them, and answers who asks. */
export class Handshakes {
  readonly #host: HandshakeHost
  readonly #asked = new Map<string, Asked>()
  /** By interface, so that who floods one keeps no link away that begins on another. */
  readonly #answered = new WeakMap<ReticulumInterface, ExpiringMap<Answered>>()

  constructor(host: HandshakeHost) {
    this.#host = host
  }

  /** Asks for a link. @throws {ReticulumError} `reticulum/timeout`, `reticulum/signature`, `reticulum/limit`; what `signal` says */
  async ask(destination: Uint8Array, responder: RemoteIdentity, options: CallOptions): Promise<Agreed> {
    const { signal } = options
    signal?.throwIfAborted()
    if (this.#asked.size >= HANDSHAKES_MAX) {
      throw new ReticulumError({ code: 'reticulum/limit', what: 'link requests', max: HANDSHAKES_MAX })
    }
    const { crypto, random, nowMs } = this.#host.ports
    const ephemeral = crypto.ephemeralKey(random)
    const seed = random(32)
    const mtuBytes = this.#host.mtuBytesOf(destination)
    const request = encodePacket({
      destinationType: DESTINATION_TYPE.single,
      packetType: PACKET_TYPE.linkRequest,
      hops: 0,
      destination,
      context: CONTEXT.none,
      data: encodeLinkRequest({
        encryptionKey: ephemeral.publicKey,
        signingKey: crypto.ed25519PublicKey(seed),
        mtuBytes,
        mode: LINK_MODE,
      }),
    })
    const id = linkIdOf(crypto, request)
    const wipe = () => {
      ephemeral.wipe()
      crypto.forget(seed)
    }
    const { iface, hops } = this.#dispatch(request, wipe)
    return new Promise((resolve, reject) => {
      const key = addressKey(id)
      const end = () => {
        this.#asked.delete(key)
        timer.cancel()
        signal?.removeEventListener('abort', abort)
      }
      // Whatever was given as the reason, which need not be an Error.
      const abort = () => {
        end()
        wipe()
        reject(signal?.reason)
      }
      const settle = (agreed: Agreed | Error) => {
        end()
        if (agreed instanceof Error) {
          wipe()
          reject(agreed)
        } else {
          ephemeral.wipe()
          resolve(agreed)
        }
      }
      const airtimeMs = 4_000_000 / iface.bitrateBps
      const waitMs = options.timeoutMs ?? PER_HOP_MS + airtimeMs + PER_HOP_MS * Math.max(1, hops)
      const timer: Appointment = this.#host.agenda.after(waitMs, () => {
        settle(new ReticulumError({ code: 'reticulum/timeout', what: 'a link' }))
      })
      signal?.addEventListener('abort', abort)
      const sentMs = nowMs()
      this.#asked.set(key, { id, iface, ephemeral, seed, responder, destination, mtuBytes, sentMs, settle })
    })
  }

  /** The answer to a link request; whether it was to one of ours. One bad answer ends the attempt. */
  proved(packet: Uint8Array, from: ReticulumInterface): boolean {
    const { destination: id, data } = decodePacket(packet)
    const asked = this.#asked.get(addressKey(id))
    if (asked === undefined || asked.iface !== from) return false
    let agreed: Agreed
    try {
      agreed = this.#agree(asked, data)
    } catch (error) {
      if (!(error instanceof ReticulumError)) throw error
      // What does not even have the form of a proof is nobody's answer.
      if (error.detail.code !== 'reticulum/length') asked.settle(error)
      return false
    }
    asked.settle(agreed)
    return true
  }

  /** Answers a link request to a destination of this node. @throws {ReticulumError} */
  answer(packet: Uint8Array, destination: Destination, from: ReticulumInterface): void {
    const { crypto, random, nowMs } = this.#host.ports
    const request = decodeLinkRequest(decodePacket(packet).data)
    const id = linkIdOf(crypto, packet)
    const ephemeral = crypto.ephemeralKey(random)
    const shared = ephemeral.agree(request.encryptionKey)
    ephemeral.wipe()
    if (shared === undefined)
      throw new ReticulumError({ code: 'reticulum/form', what: 'a link request', why: 'its key' })
    const mtuBytes = Math.min(request.mtuBytes, from.mtuBytes)
    const key = linkKeyOf(crypto, shared, id)
    const agreed: Agreed = {
      id,
      isInitiator: false,
      iface: from,
      key,
      mtuBytes,
      roundTripMs: 0,
      destination: destination.hash,
      signer: destination.identity,
      verifier: { verify: (signature, message) => crypto.verify(request.signingKey, signature, message) },
      wipe: () => crypto.forget(key),
    }
    this.#answeredOn(from).set(addressKey(id), { agreed, destination, answeredMs: nowMs() }, nowMs())
    const data = makeLinkProof(destination.identity, id, ephemeral.publicKey, { mtuBytes, mode: LINK_MODE })
    from.send(linkPacket(id, PACKET_TYPE.proof, CONTEXT.linkRequestProof, data))
  }

  /**
   * The first packet of a link that was answered here, which begins it: by Reticulum's rule the initiator's round-trip time,
   * here any packet that is sealed by the link's key, since that one may be lost.
   */
  begun(
    packet: Uint8Array,
    from: ReticulumInterface,
  ): { readonly agreed: Agreed; readonly destination: Destination } | undefined {
    const { crypto, nowMs } = this.#host.ports
    const { destination: id, context, packetType, data } = decodePacket(packet)
    const key = addressKey(id)
    const answered = this.#answered.get(from)?.get(key, nowMs())
    if (answered === undefined || packetType !== PACKET_TYPE.data) return undefined
    const plaintext = openToken(crypto, answered.agreed.key, data)
    if (plaintext === undefined) return undefined
    const theirsMs = context === CONTEXT.linkRoundTrip ? decodeRoundTrip(plaintext) : 0
    this.#answered.get(from)?.delete(key)
    // What a peer claims sets how long calls over the link wait: no more than it had time to measure.
    const roundTripMs = Math.max(Math.min(theirsMs, ANSWERED_MS), nowMs() - answered.answeredMs)
    return { agreed: { ...answered.agreed, roundTripMs }, destination: answered.destination }
  }

  close(why: string): void {
    for (const { settle } of [...this.#asked.values()]) {
      settle(new ReticulumError({ code: 'reticulum/closed', what: 'a link request', why }))
    }
  }

  #answeredOn(iface: ReticulumInterface): ExpiringMap<Answered> {
    let answered = this.#answered.get(iface)
    if (answered === undefined) {
      answered = new ExpiringMap(HANDSHAKES_ANSWERED_MAX, ANSWERED_MS, ({ agreed }) => agreed.wipe())
      this.#answered.set(iface, answered)
    }
    return answered
  }

  #dispatch(request: Uint8Array, wipe: () => void): ReturnType<HandshakeHost['dispatch']> {
    try {
      return this.#host.dispatch(request)
    } catch (error) {
      wipe()
      throw error
    }
  }

  #agree(asked: Asked, data: Uint8Array): Agreed {
    const { crypto, nowMs } = this.#host.ports
    const proof = decodeLinkProof(data)
    if (proof.mode !== LINK_MODE) {
      throw new ReticulumError({ code: 'reticulum/form', what: 'a link proof', why: `mode ${proof.mode}` })
    }
    if (!verifyLinkProof(asked.responder, asked.id, proof)) {
      throw new ReticulumError({ code: 'reticulum/signature', what: 'a link proof' })
    }
    if (proof.mtuBytes < MTU_BYTES || proof.mtuBytes > asked.mtuBytes) {
      throw new ReticulumError({ code: 'reticulum/form', what: 'a link proof', why: `MTU ${proof.mtuBytes}` })
    }
    const shared = asked.ephemeral.agree(proof.encryptionKey)
    if (shared === undefined) throw new ReticulumError({ code: 'reticulum/form', what: 'a link proof', why: 'its key' })
    const { id, iface, seed, responder, destination } = asked
    const key = linkKeyOf(crypto, shared, id)
    return {
      id,
      isInitiator: true,
      iface,
      key,
      mtuBytes: proof.mtuBytes,
      roundTripMs: nowMs() - asked.sentMs,
      destination,
      signer: { sign: (message) => crypto.sign(seed, message) },
      verifier: responder,
      wipe: () => crypto.forget(key, seed),
    }
  }
}

/** The token key of a link; what both ends agreed on is not needed after it. */
function linkKeyOf(crypto: ReticulumCrypto, shared: Uint8Array, linkId: Uint8Array): Uint8Array {
  const key = hkdf(crypto, 64, shared, linkId)
  crypto.forget(shared)
  return key
}

function linkPacket(id: Uint8Array, packetType: number, context: number, data: Uint8Array): Uint8Array {
  return encodePacket({ destinationType: DESTINATION_TYPE.link, packetType, hops: 0, destination: id, context, data })
}
