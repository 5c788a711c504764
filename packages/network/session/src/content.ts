import { ByteReader, ByteWriter } from '@nexus/codec'
import type { Crypto } from '@nexus/crypto'
import type { Identity } from '@nexus/identity'
import { SessionError } from './errors.ts'
import { ANONYMOUS_BODY_MAX_BYTES, BODY_MAX_BYTES, DIGEST_BYTES, SIGNATURE_BYTES, SIGNED_HEAD_BYTES } from './limits.ts'

/** Signing tag of everything sealed in a box. */
export const SIGNING_TAG = 'nxs-e2e1'

/** First byte of a plaintext. */
export const MODE = { anonymous: 0, signed: 1, receipt: 2 } as const

/** A plaintext whose sender is not told and gets no receipt. */
export interface AnonymousContent {
  readonly mode: typeof MODE.anonymous
  readonly body: Uint8Array
}

/** A signed plaintext: a message, a fragment of one (by the packet's context), or a receipt. */
export interface SignedContent {
  readonly mode: typeof MODE.signed | typeof MODE.receipt
  /** Ed25519 public key of the sender. */
  readonly sender: Uint8Array
  readonly id: bigint
  readonly body: Uint8Array
  readonly signature: Uint8Array
}

export type Content = AnonymousContent | SignedContent

/**
 * Reads the plaintext of a box (docs/spec/session.md, Content).
 *
 * | at | bytes | field     | mode 0 | modes 1, 2                                  |
 * | -: | ----: | --------- | ------ | ------------------------------------------- |
 * |  0 |     1 | mode      | 0      | 1 message or fragment, 2 receipt            |
 * |  1 |    32 | sender    | -      | Ed25519 public key                          |
 * | 33 |     8 | id        | -      | u64, rises for ever at one sender           |
 * | 41 |  rest | body      | at 1   | at most {@link BODY_MAX_BYTES}              |
 * |    |    64 | signature | -      | see {@link signContent}                     |
 *
 * @throws {SessionError} `session/length`, `session/mode`
 */
export function decodeContent(plaintext: Uint8Array): Content {
  const reader = new ByteReader(plaintext, asShort)
  const mode = reader.u8()
  if (mode === MODE.anonymous) {
    if (reader.remaining > ANONYMOUS_BODY_MAX_BYTES) throw tooLong(1 + ANONYMOUS_BODY_MAX_BYTES, plaintext.length)
    return { mode, body: reader.rest() }
  }
  if (mode !== MODE.signed && mode !== MODE.receipt) throw new SessionError({ code: 'session/mode', mode })
  const bodyBytes = plaintext.length - SIGNED_HEAD_BYTES - SIGNATURE_BYTES
  if (bodyBytes < 0) throw tooLong(SIGNED_HEAD_BYTES + SIGNATURE_BYTES, plaintext.length)
  if (bodyBytes > BODY_MAX_BYTES) {
    throw tooLong(SIGNED_HEAD_BYTES + BODY_MAX_BYTES + SIGNATURE_BYTES, plaintext.length)
  }
  const sender = reader.bytes(32)
  const id = reader.u64()
  const body = reader.bytes(bodyBytes)
  return { mode, sender, id, body, signature: reader.bytes(SIGNATURE_BYTES) }
}

/** Writes what {@link decodeContent} reads. @throws {RangeError} for a body that is too long */
export function encodeContent(content: Content): Uint8Array {
  const { mode, body } = content
  if (mode === MODE.anonymous) {
    if (body.length > ANONYMOUS_BODY_MAX_BYTES) throw new RangeError(`${body.length} bytes of body`)
    return new ByteWriter(1 + body.length).u8(mode).bytes(body).finish()
  }
  return writeSigned(mode, content.sender, content.id, body, content.signature)
}

/**
 * A signed plaintext for one box: Ed25519 over `nxs-e2e1` ‖ destination ‖ ephemeral ‖ BLAKE2b-256(mode ‖ sender ‖ id ‖ body).
 * The ephemeral key in the signature ties it to this box: nobody can put it into another one.
 */
export function signContent(
  crypto: Crypto,
  identity: Identity,
  content: { mode: SignedContent['mode']; id: bigint; body: Uint8Array },
  destination: Uint8Array,
  ephemeral: Uint8Array,
): Uint8Array {
  const hash = contentHash(crypto, content.mode, identity.publicKey, content.id, content.body)
  const signature = identity.sign(SIGNING_TAG, destination, ephemeral, hash)
  return writeSigned(content.mode, identity.publicKey, content.id, content.body, signature)
}

/** Whether the signature holds for a box that came to `destination` with this ephemeral key. */
export function verifyContent(
  crypto: Crypto,
  content: SignedContent,
  destination: Uint8Array,
  ephemeral: Uint8Array,
): boolean {
  const hash = contentHash(crypto, content.mode, content.sender, content.id, content.body)
  return crypto.verify(content.sender, content.signature, SIGNING_TAG, destination, ephemeral, hash)
}

/** What a receipt quotes: BLAKE2b-256(mode ‖ sender ‖ id ‖ whole body)[0..16], mode 1. It does not change when resent. */
export function messageDigest(crypto: Crypto, sender: Uint8Array, id: bigint, body: Uint8Array): Uint8Array {
  return contentHash(crypto, MODE.signed, sender, id, body).slice(0, DIGEST_BYTES)
}

function contentHash(crypto: Crypto, mode: number, sender: Uint8Array, id: bigint, body: Uint8Array): Uint8Array {
  const hashed = new ByteWriter(SIGNED_HEAD_BYTES + body.length)
  return crypto.blake2b(hashed.u8(mode).bytes(sender, 32).u64(id).bytes(body).finish())
}

function writeSigned(
  mode: number,
  sender: Uint8Array,
  id: bigint,
  body: Uint8Array,
  signature: Uint8Array,
): Uint8Array {
  if (body.length > BODY_MAX_BYTES) throw new RangeError(`${body.length} bytes of body are above ${BODY_MAX_BYTES}`)
  const writer = new ByteWriter(SIGNED_HEAD_BYTES + body.length + SIGNATURE_BYTES)
  return writer.u8(mode).bytes(sender, 32).u64(id).bytes(body).bytes(signature, SIGNATURE_BYTES).finish()
}

function asShort(): SessionError {
  return new SessionError({ code: 'session/length', wantBytes: 1, gotBytes: 0 })
}

function tooLong(wantBytes: number, gotBytes: number): SessionError {
  return new SessionError({ code: 'session/length', wantBytes, gotBytes })
}
