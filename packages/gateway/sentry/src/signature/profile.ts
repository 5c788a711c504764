import { encodeUtf8 } from '@nexus/codec'
import { type Crypto, equalConstantTime } from '@nexus/crypto'
import { SentryError } from '../errors.ts'
import {
  IDEMPOTENCY_KEY_CHARS_MAX,
  NONCE_CHARS_MAX,
  NONCE_CHARS_MIN,
  SECOND_MS,
  SIGNATURE_LIFE_MAX_MS,
  SKEW_MS,
} from '../limits.ts'
import { malformed, single } from '../request.ts'
import { type SignedMessage, signatureBase } from './base.ts'
import { readContentDigest, readSignature, type SignatureClaim } from './fields.ts'

/** A request whose signature has the right form, covers what it must and is of now; only the key has not spoken yet. */
export interface Claimed {
  readonly claim: SignatureClaim
  readonly base: Uint8Array
  readonly idempotencyKey: string | undefined
  /** SHA-256 of the body. */
  readonly bodyHash: Uint8Array
  /** Until when the nonce has to be remembered, Unix milliseconds. */
  readonly nonceUntilMs: number
}

/** Methods that ask for nothing to be done: no body, no idempotency key. */
const SAFE_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD'])
const PRINTABLE = /^[\x21-\x7e]+$/

/**
 * Checks a signed request against the profile of this gateway (docs/spec/sentry.md), all but the signature itself.
 * @throws {SentryError} `sentry/unsigned`, `…/malformed`, `…/algorithm`, `…/window`, `…/components`, `…/digest`
 */
export function checkProfile(crypto: Crypto, message: SignedMessage, body: Uint8Array, nowMs: number): Claimed {
  const claim = readSignature(message.headers)
  const { nonce } = claim
  if (nonce.length < NONCE_CHARS_MIN || nonce.length > NONCE_CHARS_MAX || !PRINTABLE.test(nonce)) {
    throw malformed('Signature-Input: nonce')
  }
  const nonceUntilMs = checkWindow(claim, nowMs)
  const covered = new Set(claim.covered.components.map(({ name }) => name))
  const safe = SAFE_METHODS.has(message.method)
  for (const name of ['@method', '@target-uri']) demand(covered, name)
  if (!safe) for (const name of ['content-digest', 'idempotency-key']) demand(covered, name)
  const bodyHash = crypto.sha256(body)
  checkBody(message, covered, safe, body, bodyHash)
  const idempotencyKey = single(message.headers, 'idempotency-key')
  if (idempotencyKey !== undefined) {
    demand(covered, 'idempotency-key')
    if (idempotencyKey.length > IDEMPOTENCY_KEY_CHARS_MAX || !PRINTABLE.test(idempotencyKey)) {
      throw malformed('Idempotency-Key')
    }
  }
  return { claim, base: signatureBase(message, claim.covered), idempotencyKey, bodyHash, nonceUntilMs }
}

/**
 * When a signature may be used: from a skew before `created` until a skew after `expires`, which is at most a life later.
 * Returns the end of that, until which its nonce has to be kept.
 */
function checkWindow({ created, expires }: SignatureClaim, nowMs: number): number {
  const createdMs = created * SECOND_MS
  const expiresMs = expires * SECOND_MS
  const what =
    expiresMs < createdMs || expiresMs - createdMs > SIGNATURE_LIFE_MAX_MS
      ? 'long'
      : createdMs - SKEW_MS > nowMs
        ? 'early'
        : expiresMs + SKEW_MS <= nowMs
          ? 'expired'
          : undefined
  if (what !== undefined) throw new SentryError({ code: 'sentry/window', what })
  return expiresMs + SKEW_MS
}

function checkBody(
  { headers }: SignedMessage,
  covered: ReadonlySet<string>,
  safe: boolean,
  body: Uint8Array,
  bodyHash: Uint8Array,
): void {
  if (safe && body.length > 0) throw malformed('a body where there is none')
  const digest = readContentDigest(headers)
  if (digest === undefined) return
  demand(covered, 'content-digest')
  if (!equalConstantTime(digest, bodyHash)) throw new SentryError({ code: 'sentry/digest' })
}

function demand(covered: ReadonlySet<string>, name: string): void {
  if (!covered.has(name)) throw new SentryError({ code: 'sentry/components', what: `${name} is not covered` })
}

/** What stands for a nonce in the store: the same text of another key is another nonce. */
export function nonceHash(crypto: Crypto, scope: string, nonce: string): Uint8Array {
  return crypto.sha256(encodeUtf8(`${scope}\0${nonce}`)).slice(0, 16)
}
