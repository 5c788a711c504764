import { ByteWriter, concatBytes, encodeUtf8 } from '@nexus/codec'
import { type Crypto, CryptoError, type EphemeralKey, wipe } from '@nexus/crypto'
import type { Identity } from '@nexus/identity'
import { BOX_OVERHEAD_BYTES, EPHEMERAL_BYTES, PLAINTEXT_MAX_BYTES, TAG_BYTES } from './limits.ts'

/** What an opened box held. */
export interface OpenedBox {
  /** The ephemeral public key, which the signature inside covers. */
  readonly ephemeral: Uint8Array
  readonly plaintext: Uint8Array
}

const LABEL = encodeUtf8('nxs-e2e1')
const NONCE = new Uint8Array(12)

/**
 * Seals `plaintext` to the owner of an X25519 key (docs/spec/session.md, Sealed box), and gives up the ephemeral key.
 *
 * | at |     bytes | field                                       |
 * | -: | --------: | ------------------------------------------- |
 * |  0 |        32 | ephemeral X25519 public key                 |
 * | 32 | plaintext | ChaCha20-Poly1305 ciphertext, nonce zero    |
 * |    |        16 | tag over destination ‖ context, ciphertext  |
 *
 * @param recipientKey X25519 public key, the RFC 7748 map of the destination's Ed25519 key
 * @throws {RangeError} for a plaintext above {@link PLAINTEXT_MAX_BYTES}
 * @throws {CryptoError} `crypto/zero-shared` for a recipient key of small order
 */
export function sealBox(
  crypto: Crypto,
  ephemeral: EphemeralKey,
  recipientKey: Uint8Array,
  destination: Uint8Array,
  context: number,
  plaintext: Uint8Array,
): Uint8Array {
  if (plaintext.length > PLAINTEXT_MAX_BYTES) {
    throw new RangeError(`${plaintext.length} bytes of plaintext are above ${PLAINTEXT_MAX_BYTES}`)
  }
  const key = boxKey(crypto, ephemeral.agree(recipientKey), ephemeral.publicKey, recipientKey)
  ephemeral.wipe()
  const sealed = crypto.seal(key, NONCE, associated(destination, context), plaintext)
  wipe(key)
  return new ByteWriter(EPHEMERAL_BYTES + sealed.length).bytes(ephemeral.publicKey).bytes(sealed).finish()
}

/**
 * Opens a box that came to `identity` under `context`; `undefined` where it is too short, too long, of small order, or its
 * tag does not hold.
 */
export function openBox(crypto: Crypto, identity: Identity, context: number, box: Uint8Array): OpenedBox | undefined {
  if (box.length < BOX_OVERHEAD_BYTES || box.length > PLAINTEXT_MAX_BYTES + BOX_OVERHEAD_BYTES) return undefined
  const ephemeral = box.slice(0, EPHEMERAL_BYTES)
  const shared = agree(identity, ephemeral)
  if (shared === undefined) return undefined
  const key = boxKey(crypto, shared, ephemeral, identity.agreementKey)
  const sealed = box.subarray(EPHEMERAL_BYTES)
  const plaintext = crypto.open(key, NONCE, associated(identity.nodeId, context), sealed)
  wipe(key)
  return plaintext === undefined ? undefined : { ephemeral, plaintext }
}

/** Bytes of the packet data that a plaintext of `plaintextBytes` becomes. */
export function boxBytes(plaintextBytes: number): number {
  return EPHEMERAL_BYTES + plaintextBytes + TAG_BYTES
}

/** Zeroes the shared secret that it takes in. */
function boxKey(crypto: Crypto, shared: Uint8Array, ephemeral: Uint8Array, recipientKey: Uint8Array): Uint8Array {
  const hashed = concatBytes(LABEL, shared, ephemeral, recipientKey)
  const key = crypto.blake2b(hashed)
  wipe(shared, hashed)
  return key
}

function associated(destination: Uint8Array, context: number): Uint8Array {
  return new ByteWriter(destination.length + 1).bytes(destination).u8(context).finish()
}

function agree(identity: Identity, ephemeral: Uint8Array): Uint8Array | undefined {
  try {
    return identity.agree(ephemeral)
  } catch (error) {
    if (error instanceof CryptoError) return undefined
    throw error
  }
}
