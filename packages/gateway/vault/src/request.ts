import { AllocationError, checkAmount, policyOf } from '@nexus/allocation'
import { encodeUtf8 } from '@nexus/codec'
import { VaultError } from './errors.ts'
import { HASH_BYTES, IDENTITY_BYTES_MAX, KEY_CHARS_MAX, ROUTE_CHARS_MAX } from './limits.ts'

/** What a caller asks the vault to write. */
export interface AppendRequest {
  /** The verified identity that asks, and the one whose account takes the amount: DIDs or alike, 1…255 bytes. */
  readonly actor: string
  readonly account: string
  /** Smallest units. */
  readonly amount: bigint
  /** Version of the allocation policy. */
  readonly policy: number
  /** Operation and key that make the request one: a repeat of both by the same actor gets the first answer. */
  readonly route: string
  readonly idempotencyKey: string
  /** SHA-256 of the parsed request: another one under the same key is a conflict. */
  readonly requestHash: Uint8Array
}

/** Half a character of UTF-16, which no UTF-8 can hold. */
const LONE_SURROGATE = /\p{Cs}/u

const PRINTABLE = /^[\x21-\x7e]+$/

/**
 * Checks all that needs no database, before anything queues.
 * @throws {VaultError} `vault/field`, `vault/allocation`
 */
export function checkRequest(request: AppendRequest): void {
  checkIdentity('actor', request.actor)
  checkIdentity('account', request.account)
  checkText('route', request.route, ROUTE_CHARS_MAX)
  checkText('idempotency key', request.idempotencyKey, KEY_CHARS_MAX)
  if (request.requestHash.length !== HASH_BYTES) throw field('request hash', `${HASH_BYTES} bytes`)
  try {
    checkAmount(request.amount)
    const { minimum } = policyOf(request.policy)
    if (request.amount < minimum) {
      throw new AllocationError({ code: 'allocation/minimum', amount: request.amount, minimum })
    }
  } catch (error) {
    throw asVaultError(error)
  }
}

/** @throws {VaultError} `vault/field` */
export function checkIdentity(name: string, identity: string): void {
  const bytes = LONE_SURROGATE.test(identity) ? 0 : encodeUtf8(identity).length
  if (bytes < 1 || bytes > IDENTITY_BYTES_MAX || identity.includes('\0')) {
    throw field(name, `1 to ${IDENTITY_BYTES_MAX} bytes of UTF-8 without NUL`)
  }
}

function checkText(name: string, text: string, charsMax: number): void {
  if (text.length > charsMax || !PRINTABLE.test(text)) throw field(name, `1 to ${charsMax} printable ASCII characters`)
}

/** An allocation's refusal in the vault's own words. */
export function asVaultError(error: unknown): unknown {
  if (!(error instanceof AllocationError)) return error
  return new VaultError({ code: 'vault/allocation', detail: error.detail }, { cause: error })
}

function field(name: string, wants: string): VaultError {
  return new VaultError({ code: 'vault/field', field: name, wants })
}
