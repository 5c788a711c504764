import { concatBytes } from '@nexus/codec'
import { readBigEndian, truncated, writeBigEndian } from './bytes.ts'
import { hkdf, type ReticulumCrypto } from './crypto.ts'
import { ReticulumError } from './errors.ts'
import type { Identity, RemoteIdentity } from './identity.ts'
import {
  HEADER_BYTES,
  IDENTITY_KEY_BYTES,
  LINK_KEYS_BYTES,
  LINK_MTU_BYTES_MAX,
  LINK_PROOF_BYTES,
  MTU_BYTES,
  SIGNALLING_BYTES,
  SIGNATURE_BYTES,
  TOKEN_OVERHEAD_BYTES,
} from './limits.ts'
import { decodeMsgPack, encodeMsgPack, Float64 } from './msgpack.ts'
import { decodePacket, hashablePart, type Packet } from './packet.ts'

/** AES-256-CBC: the one mode that Reticulum has enabled. */
export const LINK_MODE = 1

const KEY_BYTES = 32

/** What a link's two ends say of its packets: their largest size, and the cipher. */
export interface Signalling {
  readonly mtuBytes: number
  readonly mode: number
}

/** 3 bytes, high byte first: mode in the top 3 bits, MTU in the other 21. @throws {RangeError} */
export function encodeSignalling({ mtuBytes, mode }: Signalling): Uint8Array {
  if (!(mtuBytes >= 0 && mtuBytes <= LINK_MTU_BYTES_MAX && mode >= 0 && mode < 8)) throw new RangeError('signalling')
  const bytes = new Uint8Array(SIGNALLING_BYTES)
  writeBigEndian(mode * 2 ** 21 + mtuBytes, bytes, 0, SIGNALLING_BYTES)
  return bytes
}

/** Reads {@link encodeSignalling}; nothing at all means the MTU of every medium. @throws {ReticulumError} `reticulum/length` */
export function decodeSignalling(bytes: Uint8Array): Signalling {
  if (bytes.length === 0) return { mtuBytes: MTU_BYTES, mode: LINK_MODE }
  if (bytes.length !== SIGNALLING_BYTES) throw lengthError('signalling', bytes)
  const value = readBigEndian(bytes, 0, SIGNALLING_BYTES)
  return { mtuBytes: value & LINK_MTU_BYTES_MAX, mode: value >>> 21 }
}

/** Largest plaintext of one packet of a link. */
export function linkMduBytes(mtuBytes: number): number {
  return Math.floor((mtuBytes - 1 - HEADER_BYTES - TOKEN_OVERHEAD_BYTES) / 16) * 16 - 1
}

export interface LinkRequest extends Signalling {
  readonly encryptionKey: Uint8Array
  readonly signingKey: Uint8Array
}

/** `X25519 32 | Ed25519 32 | [signalling 3]`, both keys made for this link. @throws {ReticulumError} `reticulum/length`, `reticulum/form` */
export function decodeLinkRequest(data: Uint8Array): LinkRequest {
  if (data.length !== LINK_KEYS_BYTES && data.length !== LINK_KEYS_BYTES + SIGNALLING_BYTES) {
    throw lengthError('a link request', data)
  }
  const signalling = decodeSignalling(data.subarray(LINK_KEYS_BYTES))
  if (signalling.mode !== LINK_MODE) {
    throw new ReticulumError({ code: 'reticulum/form', what: 'a link request', why: `mode ${signalling.mode}` })
  }
  // Packets of a smaller link would have no room for what keeps it: a part, or its own end.
  if (signalling.mtuBytes < MTU_BYTES) {
    throw new ReticulumError({ code: 'reticulum/form', what: 'a link request', why: `MTU ${signalling.mtuBytes}` })
  }
  return {
    ...signalling,
    encryptionKey: data.slice(0, KEY_BYTES),
    signingKey: data.slice(KEY_BYTES, LINK_KEYS_BYTES),
  }
}

/** The data of a link request. */
export function encodeLinkRequest(request: LinkRequest): Uint8Array {
  return concatBytes(request.encryptionKey, request.signingKey, encodeSignalling(request))
}

/** 16 bytes: the hash of the request without its signalling, which nodes on the way may change. */
export function linkIdOf(crypto: ReticulumCrypto, linkRequest: Uint8Array): Uint8Array {
  const part = hashablePart(linkRequest)
  const extra = Math.max(0, decodePacket(linkRequest).data.length - LINK_KEYS_BYTES)
  return truncated(crypto.sha256(part.subarray(0, part.length - extra)))
}

/** 64 bytes of token key from both ends' ephemeral keys; `undefined` where they agree on nothing. */
export function linkKey(
  crypto: ReticulumCrypto,
  secret: Uint8Array,
  peerKey: Uint8Array,
  linkId: Uint8Array,
): Uint8Array | undefined {
  const shared = crypto.x25519(secret, peerKey)
  return shared && hkdf(crypto, 64, shared, linkId)
}

export interface LinkProof extends Signalling {
  readonly signature: Uint8Array
  readonly encryptionKey: Uint8Array
  /** As they came, for they are signed. */
  readonly signalling: Uint8Array
}

/** `signature 64 | X25519 32 | [signalling 3]`. @throws {ReticulumError} `reticulum/length` */
export function decodeLinkProof(data: Uint8Array): LinkProof {
  if (data.length !== LINK_PROOF_BYTES && data.length !== LINK_PROOF_BYTES + SIGNALLING_BYTES) {
    throw lengthError('a link proof', data)
  }
  const signalling = data.slice(LINK_PROOF_BYTES)
  return {
    ...decodeSignalling(signalling),
    signalling,
    signature: data.slice(0, SIGNATURE_BYTES),
    encryptionKey: data.slice(SIGNATURE_BYTES, LINK_PROOF_BYTES),
  }
}

/** The data of the proof by which a responder accepts a link. */
export function makeLinkProof(
  identity: Identity,
  linkId: Uint8Array,
  encryptionKey: Uint8Array,
  signalling: Signalling,
): Uint8Array {
  const bytes = encodeSignalling(signalling)
  const signature = identity.sign(concatBytes(linkId, encryptionKey, identity.signingKey, bytes))
  return concatBytes(signature, encryptionKey, bytes)
}

/** Whether the proof is the responder's for this link. */
export function verifyLinkProof(responder: RemoteIdentity, linkId: Uint8Array, proof: LinkProof): boolean {
  const signed = concatBytes(linkId, proof.encryptionKey, responder.signingKey, proof.signalling)
  return responder.verify(proof.signature, signed)
}

/** The round-trip time that the initiator measured: msgpack float64, in seconds on the wire. */
export function encodeRoundTrip(roundTripMs: number): Uint8Array {
  return encodeMsgPack(new Float64(roundTripMs / 1000))
}

/** @returns milliseconds @throws {ReticulumError} `reticulum/msgpack`, `reticulum/form` */
export function decodeRoundTrip(plaintext: Uint8Array): number {
  const seconds = decodeMsgPack(plaintext)
  if (typeof seconds !== 'number' || !(seconds >= 0 && Number.isFinite(seconds))) {
    throw new ReticulumError({ code: 'reticulum/form', what: 'a round-trip time', why: 'no time' })
  }
  return seconds * 1000
}

/** `public key 64 | signature 64` over link id and key. */
export function makeIdentify(identity: Identity, linkId: Uint8Array): Uint8Array {
  return concatBytes(identity.publicKey, identity.sign(concatBytes(linkId, identity.publicKey)))
}

/** The public key of the peer that identified itself on this link, or `undefined`. @param verify checks by a public key */
export function openIdentify(
  crypto: ReticulumCrypto,
  linkId: Uint8Array,
  plaintext: Uint8Array,
): Uint8Array | undefined {
  if (plaintext.length !== IDENTITY_KEY_BYTES + SIGNATURE_BYTES) return undefined
  const publicKey = plaintext.slice(0, IDENTITY_KEY_BYTES)
  const signed = concatBytes(linkId, publicKey)
  return crypto.verify(publicKey.subarray(32), plaintext.subarray(IDENTITY_KEY_BYTES), signed) ? publicKey : undefined
}

/** Keepalive interval and staleness of a link, in ms, from its round-trip time. */
export function keepaliveMs(roundTripMs: number): { readonly intervalMs: number; readonly staleMs: number } {
  const intervalMs = Math.min(360_000, Math.max(5_000, (roundTripMs * 360) / 1.75))
  return { intervalMs, staleMs: 2 * intervalMs }
}

/** Lowers the MTU in a link request on its way, in place; the link id does not change by it. */
export function clampLinkRequest(linkRequest: Uint8Array, mtuBytesMax: number): void {
  const { data }: Packet = decodePacket(linkRequest)
  if (data.length !== LINK_KEYS_BYTES + SIGNALLING_BYTES) return
  const at = linkRequest.length - SIGNALLING_BYTES
  const { mtuBytes, mode } = decodeSignalling(linkRequest.subarray(at))
  if (mtuBytes > mtuBytesMax) linkRequest.set(encodeSignalling({ mtuBytes: mtuBytesMax, mode }), at)
}

function lengthError(what: string, bytes: Uint8Array): ReticulumError {
  return new ReticulumError({ code: 'reticulum/length', what, gotBytes: bytes.length })
}
