import { ByteReader, ByteWriter, encodeUtf8 } from '@nexus/codec'
import type { Crypto } from '@nexus/crypto'
import { checkIdentity, didKey, identityOf } from './did.ts'
import { SentryError } from './errors.ts'
import { ID_BYTES, KEY_BYTES, SIGNATURE_BYTES } from './limits.ts'
import { ROLES, type Role, roleOf } from './roles.ts'

/** That somebody holds a role from now on. */
export interface Grant {
  readonly kind: 'grant'
  /** 16 random bytes: what a revocation names. */
  readonly id: Uint8Array
  readonly subject: string
  readonly role: Role
  /** Of a role per account: an identity, or {@link ANY_ACCOUNT}. */
  readonly account?: string
  /** Unix milliseconds; a grant without an end has none. */
  readonly untilMs?: number
}

/** That a grant holds no longer. */
export interface Revocation {
  readonly kind: 'revocation'
  /** Of the grant. */
  readonly id: Uint8Array
}

/** A line of the grant log: what is said, by whom, where and when. */
export interface GrantStatement {
  readonly what: Grant | Revocation
  /** NodeID of the gateway that it is for, 16 bytes: nobody can carry it to another one. */
  readonly gateway: Uint8Array
  /** Unix milliseconds. */
  readonly timeMs: number
  /** Ed25519, 32 bytes. */
  readonly issuer: Uint8Array
  readonly signature: Uint8Array
}

const TAG = 'nxs-gran'
const VERSION = 1
const GRANT = 1
const REVOCATION = 2
const NO_END = 0n
const HEAD_BYTES: number = 2 + ID_BYTES + 8 + KEY_BYTES + ID_BYTES

/** What a statement says to be signed. */
export type UnsignedStatement = Pick<GrantStatement, 'what' | 'gateway' | 'timeMs'>

/** Signs a statement with the key of a seed. @throws {SentryError} `sentry/did`; {RangeError} for times that are none */
export function signGrant(crypto: Crypto, seed: Uint8Array, statement: UnsignedStatement): Uint8Array {
  const body = encodeBody({ ...statement, issuer: crypto.publicKey(seed) })
  const signature = crypto.sign(seed, TAG, body)
  return new ByteWriter(body.length + SIGNATURE_BYTES).bytes(body).bytes(signature).finish()
}

/**
 * A statement as it is kept (docs/spec/sentry.md), little-endian:
 *
 * | at | bytes | field |
 * | -: | ----: | - |
 * | 0 | 1 | version, 1 |
 * | 1 | 1 | 1 grant, 2 revocation |
 * | 2 | 16 | NodeID of the gateway |
 * | 18 | 8 | time u64, Unix milliseconds |
 * | 26 | 32 | issuer, Ed25519 |
 * | 58 | 16 | id of the grant |
 * | 74 | 1 | grant: role 1…5 |
 * | 75 | 8 | grant: until u64, Unix milliseconds; 0 for no end |
 * | 83 | 2 + n | grant: subject |
 * | | 2 + n | grant: account; empty for a role that has none |
 * | | 64 | Ed25519 over `nxs-gran` and all before it |
 *
 * Its signature is not looked at here: {@link verifyGrant} does.
 * @throws {SentryError} `sentry/grant`
 */
export function decodeGrant(bytes: Uint8Array): GrantStatement {
  const reader = new ByteReader(bytes, ({ code }) => fault(code))
  if (reader.u8() !== VERSION) throw fault('version')
  const kind = reader.u8()
  const gateway = reader.bytes(ID_BYTES)
  const timeMs = time(reader.u64())
  const issuer = reader.bytes(KEY_BYTES)
  const id = reader.bytes(ID_BYTES)
  const what = kind === GRANT ? readGrant(reader, id) : { kind: 'revocation' as const, id }
  if (kind !== GRANT && kind !== REVOCATION) throw fault('kind')
  const signature = reader.bytes(SIGNATURE_BYTES)
  reader.end()
  return { what, gateway, timeMs, issuer, signature }
}

/** The bytes of a statement, as {@link decodeGrant} reads them. @throws {SentryError} `sentry/did`; {RangeError} */
export function encodeGrant(statement: GrantStatement): Uint8Array {
  const body = encodeBody(statement)
  return new ByteWriter(body.length + SIGNATURE_BYTES).bytes(body).bytes(statement.signature, SIGNATURE_BYTES).finish()
}

/** Whether a statement's bytes are signed by the issuer that they name. */
export function verifyGrant(crypto: Crypto, bytes: Uint8Array): boolean {
  const { issuer, signature } = decodeGrant(bytes)
  return crypto.verify(issuer, signature, TAG, bytes.subarray(0, bytes.length - SIGNATURE_BYTES))
}

/** The identity that a statement's issuer is. */
export function issuerOf({ issuer }: GrantStatement): string {
  return didKey(issuer)
}

function readGrant(reader: ByteReader, id: Uint8Array): Grant {
  const role = roleOf(reader.u8())
  if (role === undefined) throw fault('role')
  const until = reader.u64()
  const subject = identity(reader)
  const account = optionalIdentity(reader)
  if (ROLES[role].perAccount !== (account !== undefined)) throw fault('account')
  return {
    kind: 'grant',
    id,
    subject,
    role,
    ...(account !== undefined && { account }),
    ...(until !== NO_END && { untilMs: time(until) }),
  }
}

function encodeBody({ what, gateway, timeMs, issuer }: Omit<GrantStatement, 'signature'>): Uint8Array {
  const subject = what.kind === 'grant' ? encodeUtf8(checkIdentity(what.subject)) : undefined
  const account =
    what.kind === 'grant' && what.account !== undefined ? encodeUtf8(checkIdentity(what.account)) : undefined
  const grantBytes = subject === undefined ? 0 : 1 + 8 + 2 + subject.length + 2 + (account?.length ?? 0)
  const writer = new ByteWriter(HEAD_BYTES + grantBytes)
    .u8(VERSION)
    .u8(what.kind === 'grant' ? GRANT : REVOCATION)
    .bytes(gateway, ID_BYTES)
    .u64(BigInt(timeMs))
    .bytes(issuer, KEY_BYTES)
    .bytes(what.id, ID_BYTES)
  if (what.kind === 'grant') {
    if (ROLES[what.role].perAccount !== (account !== undefined)) throw fault('account')
    writer.u8(ROLES[what.role].byte).u64(BigInt(what.untilMs ?? 0))
    writer.string16(what.subject).string16(what.account ?? '')
  }
  return writer.finish()
}

function identity(reader: ByteReader): string {
  const found = optionalIdentity(reader)
  if (found === undefined) throw fault('subject')
  return found
}

function optionalIdentity(reader: ByteReader): string | undefined {
  const bytes = reader.bytes(reader.u16())
  if (bytes.length === 0) return undefined
  try {
    return identityOf(bytes)
  } catch (cause) {
    throw new SentryError({ code: 'sentry/grant', what: 'identity' }, { cause })
  }
}

function time(value: bigint): number {
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw fault('time')
  return Number(value)
}

function fault(what: string): SentryError {
  return new SentryError({ code: 'sentry/grant', what })
}
