import { ByteReader, ByteWriter, equalBytes } from '@nexus/codec'
import { type Crypto, PUBLIC_KEY_BYTES, SIGNATURE_BYTES, type VerifyJob } from '@nexus/crypto'
import { IdentityError } from './errors.ts'
import type { Identity } from './identity.ts'
import { ADVISORY_BYTES_MAX, ADVISORY_BYTES_MIN } from './limits.ts'

/** How well an advisory is founded; the lower number outranks the higher. */
export const EVIDENCE = { BOTH_KEYS: 1, OLD_KEY: 2 } as const

/** "This key is compromised", said by the key itself, with or without the key that replaces it. */
export interface Advisory {
  /** Ed25519, 32 bytes. */
  readonly compromisedKey: Uint8Array
  /** Ed25519, 32 bytes; absent: there is no replacement. */
  readonly newKey?: Uint8Array
  /** Orders repeats that name one new key, and nothing else. */
  readonly sequence: bigint
  readonly oldSignature: Uint8Array
  /** Where the new key signed too: evidence 1. */
  readonly newSignature?: Uint8Array
}

export interface AdvisoryFields {
  readonly sequence: bigint
  /** The replacement: its identity, which then signs too, or its public key alone. */
  readonly replacement?: Identity | Uint8Array
}

/** Signs an advisory about `compromised`. @throws {RangeError} for a field outside its range */
export function signAdvisory(compromised: Identity, fields: AdvisoryFields): Advisory {
  const { sequence, replacement } = fields
  const compromisedKey = compromised.publicKey
  if (replacement === undefined) return signOld(compromised, { compromisedKey, sequence }, EVIDENCE.OLD_KEY)
  if (replacement instanceof Uint8Array) {
    return signOld(compromised, { compromisedKey, newKey: replacement, sequence }, EVIDENCE.OLD_KEY)
  }
  const statement = { compromisedKey, newKey: replacement.publicKey, sequence }
  const newSignature = replacement.sign(ADVISORY_TAG, signedBytes(statement, EVIDENCE.BOTH_KEYS))
  return { ...signOld(compromised, statement, EVIDENCE.BOTH_KEYS), newSignature }
}

/** One of {@link EVIDENCE}. */
export function evidenceOf(advisory: Advisory): number {
  return advisory.newSignature === undefined ? EVIDENCE.OLD_KEY : EVIDENCE.BOTH_KEYS
}

/** The signature checks that an advisory stands or falls by, for a batch: one or two. */
export function advisoryVerifyJobs(advisory: Advisory): VerifyJob[] {
  const { compromisedKey, newKey, oldSignature, newSignature } = advisory
  const parts = [signedBytes(advisory, evidenceOf(advisory))]
  const jobs: VerifyJob[] = [{ publicKey: compromisedKey, signature: oldSignature, tag: ADVISORY_TAG, parts }]
  if (newKey !== undefined && newSignature !== undefined) {
    jobs.push({ publicKey: newKey, signature: newSignature, tag: ADVISORY_TAG, parts })
  }
  return jobs
}

/** Whether every signature holds. */
export function verifyAdvisory(crypto: Crypto, advisory: Advisory): boolean {
  return advisoryVerifyJobs(advisory).every((job) => crypto.verify(job.publicKey, job.signature, job.tag, ...job.parts))
}

/**
 * Writes an advisory (docs/spec/identity.md). Little-endian; the first 73 bytes are what is signed.
 *
 * |  at | bytes | field           | values                                        |
 * | --: | ----: | --------------- | --------------------------------------------- |
 * |   0 |    32 | compromised key |                                               |
 * |  32 |    32 | new key         | zeros: none                                   |
 * |  64 |     8 | sequence        |                                               |
 * |  72 |     1 | evidence        | 1 both keys signed, 2 the compromised key only |
 * |  73 |    64 | old signature   |                                               |
 * | 137 |  0/64 | new signature   | evidence 1 only                               |
 *
 * @throws {RangeError} for a field outside its range, or a new key that does not go with the rest
 */
export function encodeAdvisory(advisory: Advisory): Uint8Array {
  const { newSignature } = advisory
  if (!areKeysSound(advisory)) throw new RangeError('the new key does not go with the rest of the advisory')
  const size = newSignature === undefined ? ADVISORY_BYTES_MIN : ADVISORY_BYTES_MAX
  const writer = new ByteWriter(size)
  writer.bytes(signedBytes(advisory, evidenceOf(advisory))).bytes(advisory.oldSignature, SIGNATURE_BYTES)
  if (newSignature !== undefined) writer.bytes(newSignature, SIGNATURE_BYTES)
  return writer.finish()
}

/**
 * Reads what {@link encodeAdvisory} wrote; the result holds copies. Its signatures are for {@link verifyAdvisory}.
 * @throws {IdentityError} `identity/length`, `identity/evidence`, `identity/advisory-keys`
 */
export function decodeAdvisory(bytes: Uint8Array): Advisory {
  if (bytes.length < ADVISORY_BYTES_MIN) throw lengthError(ADVISORY_BYTES_MIN, bytes)
  const reader = new ByteReader(bytes)
  const compromisedKey = reader.bytes(PUBLIC_KEY_BYTES)
  const newKey = reader.bytes(PUBLIC_KEY_BYTES)
  const sequence = reader.u64()
  const evidence = reader.u8()
  if (evidence !== EVIDENCE.BOTH_KEYS && evidence !== EVIDENCE.OLD_KEY) {
    throw new IdentityError({ code: 'identity/evidence', evidence })
  }
  const size = evidence === EVIDENCE.BOTH_KEYS ? ADVISORY_BYTES_MAX : ADVISORY_BYTES_MIN
  if (bytes.length !== size) throw lengthError(size, bytes)
  const oldSignature = reader.bytes(SIGNATURE_BYTES)
  const advisory: Advisory = {
    compromisedKey,
    sequence,
    oldSignature,
    ...(newKey.some((byte) => byte !== 0) ? { newKey } : {}),
    ...(evidence === EVIDENCE.BOTH_KEYS ? { newSignature: reader.bytes(SIGNATURE_BYTES) } : {}),
  }
  if (!areKeysSound(advisory)) throw new IdentityError({ code: 'identity/advisory-keys' })
  return advisory
}

const ADVISORY_TAG = 'nxs-advi'
const SIGNED_BYTES = ADVISORY_BYTES_MIN - SIGNATURE_BYTES

type Statement = Pick<Advisory, 'compromisedKey' | 'newKey' | 'sequence'>

function signOld(compromised: Identity, statement: Statement, evidence: number): Advisory {
  if (!areKeysSound(statement)) throw new RangeError('the new key is the compromised one, or no key')
  return { ...statement, oldSignature: compromised.sign(ADVISORY_TAG, signedBytes(statement, evidence)) }
}

function signedBytes(statement: Statement, evidence: number): Uint8Array {
  return new ByteWriter(SIGNED_BYTES)
    .bytes(statement.compromisedKey, PUBLIC_KEY_BYTES)
    .bytes(statement.newKey ?? new Uint8Array(PUBLIC_KEY_BYTES), PUBLIC_KEY_BYTES)
    .u64(statement.sequence)
    .u8(evidence)
    .finish()
}

/** A new key differs from the compromised one and from zeros, which mean none; and whoever signs as it is named. */
function areKeysSound(advisory: Statement & Pick<Advisory, 'newSignature'>): boolean {
  const { compromisedKey, newKey, newSignature } = advisory
  if (newKey === undefined) return newSignature === undefined
  return !equalBytes(newKey, compromisedKey) && newKey.some((byte) => byte !== 0)
}

function lengthError(wantBytes: number, bytes: Uint8Array): IdentityError {
  return new IdentityError({ code: 'identity/length', wantBytes, gotBytes: bytes.length })
}
