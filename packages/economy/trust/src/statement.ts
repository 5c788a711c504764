import { ByteReader, ByteWriter } from '@nexus/codec'
import { type Crypto, PUBLIC_KEY_BYTES, SIGNATURE_BYTES, type VerifyJob } from '@nexus/crypto'
import type { Identity } from '@nexus/identity'
import { TrustError } from './errors.ts'
import { NETWORK_ID_BYTES, NODE_ID_BYTES, TRUST_BYTES, TRUST_SIGNED_BYTES } from './limits.ts'

const TAG = 'nxs-trst'
const TRUSTED = 1

/** What a truster says of one node, until it says something else with a higher sequence. */
export interface TrustFields {
  /** NodeID of whom it is about, 16 bytes. */
  readonly trustee: Uint8Array
  /** Rises with each statement of the truster. */
  readonly sequence: bigint
  /** False: trust that was stated before is revoked. */
  readonly trusted: boolean
}

/** A signed statement. */
export interface TrustStatement extends TrustFields {
  /** Ed25519 key of whose trust it is, 32 bytes. */
  readonly truster: Uint8Array
  readonly signature: Uint8Array
}

/** @throws {RangeError} for a field outside its range */
export function signTrust(identity: Identity, networkId: Uint8Array, fields: TrustFields): TrustStatement {
  const unsigned = { ...fields, truster: identity.publicKey, signature: new Uint8Array(SIGNATURE_BYTES) }
  const signed = encodeTrust(unsigned).subarray(0, TRUST_SIGNED_BYTES)
  return { ...unsigned, signature: identity.sign(TAG, checkedNetwork(networkId), signed) }
}

/** Whether the truster signed the statement for this network. */
export function verifyTrust(crypto: Crypto, networkId: Uint8Array, statement: TrustStatement): boolean {
  const { publicKey, signature, parts } = trustVerifyJob(networkId, statement)
  return crypto.verify(publicKey, signature, TAG, ...parts)
}

/** The same as a job for a batch. */
export function trustVerifyJob(networkId: Uint8Array, statement: TrustStatement): VerifyJob {
  const signed = encodeTrust(statement).subarray(0, TRUST_SIGNED_BYTES)
  const { truster: publicKey, signature } = statement
  return { publicKey, signature, tag: TAG, parts: [checkedNetwork(networkId), signed] }
}

/**
 * The body of a gossip record (docs/spec/trust.md), little-endian:
 *
 * |  at | bytes | field     |                                     |
 * | --: | ----: | --------- | ----------------------------------- |
 * |   0 |    32 | truster   | Ed25519 public key                  |
 * |  32 |    16 | trustee   | NodeID                              |
 * |  48 |     8 | sequence  | u64                                 |
 * |  56 |     1 | flags     | 1 trusted, 0 revoked; no others     |
 * |  57 |    64 | signature | tag ‖ network id ‖ the first 57     |
 *
 * @throws {RangeError} for a field outside its range
 */
export function encodeTrust(statement: TrustStatement): Uint8Array {
  return new ByteWriter(TRUST_BYTES)
    .bytes(statement.truster, PUBLIC_KEY_BYTES)
    .bytes(statement.trustee, NODE_ID_BYTES)
    .u64(statement.sequence)
    .u8(statement.trusted ? TRUSTED : 0)
    .bytes(statement.signature, SIGNATURE_BYTES)
    .finish()
}

/** @throws {TrustError} `trust/malformed`, `trust/flags` */
export function decodeTrust(body: Uint8Array): TrustStatement {
  const reader = new ByteReader(body, (fault) => new TrustError({ code: 'trust/malformed', fault }))
  const truster = reader.bytes(PUBLIC_KEY_BYTES)
  const trustee = reader.bytes(NODE_ID_BYTES)
  const sequence = reader.u64()
  const flags = reader.u8()
  const signature = reader.bytes(SIGNATURE_BYTES)
  reader.end()
  if (flags > TRUSTED) throw new TrustError({ code: 'trust/flags', flags })
  return { truster, trustee, sequence, trusted: flags === TRUSTED, signature }
}

function checkedNetwork(networkId: Uint8Array): Uint8Array {
  if (networkId.length !== NETWORK_ID_BYTES) throw new RangeError(`a network id has ${NETWORK_ID_BYTES} bytes`)
  return networkId
}
