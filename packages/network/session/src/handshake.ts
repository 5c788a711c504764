import { ByteReader, ByteWriter, concatBytes, encodeUtf8, equalBytes } from '@nexus/codec'
import { type Crypto, CryptoError, type Random } from '@nexus/crypto'
import { type Identity, nodeIdOf } from '@nexus/identity'
import { NoiseHandshake } from '@nexus/link'
import { SessionError } from './errors.ts'
import { PACKET_DATA_MAX_BYTES } from './limits.ts'

/** The data of a packet of context 42. */
export interface HandshakePacket {
  readonly sessionId: number
  readonly step: 1 | 2
  readonly noise: Uint8Array
}

const PROLOGUE = encodeUtf8('NEXUS session 1')
const HEAD_BYTES = 5
/** Noise IK with a 32-byte payload in each message. */
const NOISE_BYTES = { 1: 32 + 48 + 48, 2: 32 + 48 } as const

/**
 * Reads a handshake packet (docs/spec/session.md, Sessions).
 *
 * | at |  bytes | field      | note                                             |
 * | -: | -----: | ---------- | ------------------------------------------------ |
 * |  0 |      4 | session id | u32, chosen by the initiator                     |
 * |  4 |      1 | step       | 1 from the initiator, 2 from the responder       |
 * |  5 | 128/80 | noise      | message 1 or 2 of IK, payload an Ed25519 key     |
 *
 * @throws {SessionError} `session/length`, `session/handshake`
 */
export function decodeHandshake(data: Uint8Array): HandshakePacket {
  const wrong = (wantBytes: number) => new SessionError({ code: 'session/length', wantBytes, gotBytes: data.length })
  if (data.length > PACKET_DATA_MAX_BYTES) throw wrong(PACKET_DATA_MAX_BYTES)
  const reader = new ByteReader(data, () => wrong(HEAD_BYTES))
  const sessionId = reader.u32()
  const step = reader.u8()
  if (step !== 1 && step !== 2) throw new SessionError({ code: 'session/handshake', step })
  if (reader.remaining !== NOISE_BYTES[step]) throw wrong(HEAD_BYTES + NOISE_BYTES[step])
  return { sessionId, step, noise: reader.rest() }
}

/** Writes what {@link decodeHandshake} reads. */
export function encodeHandshake({ sessionId, step, noise }: HandshakePacket): Uint8Array {
  return new ByteWriter(HEAD_BYTES + noise.length).u32(sessionId).u8(step).bytes(noise).finish()
}

/** Noise_IK_25519_ChaChaPoly_BLAKE2b, initiator's side, with message 1 written. */
export function initiate(
  crypto: Crypto,
  identity: Identity,
  random: Random,
  responder: { readonly nodeId: Uint8Array; readonly agreementKey: Uint8Array },
): { readonly handshake: NoiseHandshake; readonly message: Uint8Array } | undefined {
  const handshake = new NoiseHandshake({
    crypto,
    pattern: 'IK',
    initiator: true,
    prologue: concatBytes(PROLOGUE, responder.nodeId),
    ephemeralKey: crypto.ephemeralKey(random),
    staticKey: { publicKey: identity.agreementKey, agree: (theirs) => identity.agree(theirs) },
    remoteStaticKey: responder.agreementKey,
  })
  const message = handshake.writeMessage(identity.publicKey)
  return message && { handshake, message }
}

/** The responder's side: reads message 1 and writes message 2; `undefined` where the message or its key does not hold. */
export function respond(
  crypto: Crypto,
  identity: Identity,
  random: Random,
  message: Uint8Array,
  admits: (peer: { nodeId: Uint8Array; publicKey: Uint8Array }) => boolean,
) {
  const handshake = new NoiseHandshake({
    crypto,
    pattern: 'IK',
    initiator: false,
    prologue: concatBytes(PROLOGUE, identity.nodeId),
    ephemeralKey: crypto.ephemeralKey(random),
    staticKey: { publicKey: identity.agreementKey, agree: (theirs) => identity.agree(theirs) },
  })
  const publicKey = handshake.readMessage(message)
  const holds = publicKey !== undefined && keyMatches(crypto, publicKey, handshake.remoteStaticKey)
  const peer = holds ? { nodeId: nodeIdOf(crypto, publicKey), publicKey } : undefined
  const answer = peer !== undefined && admits(peer) ? handshake.writeMessage(identity.publicKey) : undefined
  if (peer === undefined || answer === undefined) {
    handshake.wipe()
    return undefined
  }
  return { peer, answer, keys: handshake.split() }
}

/** Finishes the initiator's side with message 2; `undefined`, and nothing changed, where it does not hold. */
export function conclude(crypto: Crypto, handshake: NoiseHandshake, message: Uint8Array, responder: Uint8Array) {
  const publicKey = handshake.readMessage(message)
  if (publicKey === undefined) return undefined
  if (keyMatches(crypto, publicKey, handshake.remoteStaticKey) && equalBytes(nodeIdOf(crypto, publicKey), responder)) {
    return handshake.split()
  }
  handshake.unread()
  return undefined
}

/** Whether the Ed25519 key of a payload maps to the static key that the handshake proved. */
function keyMatches(crypto: Crypto, publicKey: Uint8Array, staticKey: Uint8Array | undefined): boolean {
  if (publicKey.length !== 32 || staticKey === undefined) return false
  try {
    return equalBytes(crypto.toX25519Public(publicKey), staticKey)
  } catch (error) {
    if (error instanceof CryptoError) return false
    throw error
  }
}
