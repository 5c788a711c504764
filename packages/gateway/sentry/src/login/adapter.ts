import { encodeUtf8 } from '@nexus/codec'
import { type LoginFault, SentryError } from '../errors.ts'

/** What makes a proof good for one login only. */
export type Once =
  /** It answers a challenge of this gateway. */
  | { readonly kind: 'challenge'; readonly nonce: string }
  /** It cannot, so it is remembered itself until it is too old. */
  | { readonly kind: 'itself'; readonly digest: Uint8Array; readonly untilMs: number }

/** Who proved to be whom. */
export interface ProvenLogin {
  /** The sovereign identity: a DID or alike, 1…255 bytes. */
  readonly identity: string
  readonly once: Once
}

/**
 * Translates the proofs of one kind of wallet or platform into identities. It sees the proof and the time, and answers;
 * it has no way to anything else here. Whatever it throws, and whatever takes it longer than 5 s, is a refusal.
 */
export interface IdentityAdapter {
  /** As login requests name it: `telegram`, `ethereum` and so on. */
  readonly name: string
  /** @throws {SentryError} `sentry/login` where the proof does not hold */
  verify(proof: unknown, nowMs: number): ProvenLogin | Promise<ProvenLogin>
}

/** @internal */
export function loginFault(fault: LoginFault, options?: ErrorOptions): SentryError {
  return new SentryError({ code: 'sentry/login', fault }, options)
}

/** @internal An object with exactly these members, all strings. @throws {SentryError} `sentry/login` */
export function stringFields<Name extends string>(value: unknown, ...names: readonly Name[]): Record<Name, string> {
  const fields = objectFields(value, ...names)
  for (const name of names) if (typeof fields[name] !== 'string') throw loginFault('malformed')
  return fields as Record<Name, string>
}

/** @internal An object with exactly these members. @throws {SentryError} `sentry/login` */
export function objectFields<Name extends string>(value: unknown, ...names: readonly Name[]): Record<Name, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw loginFault('malformed')
  const keys = Object.keys(value)
  if (keys.length !== names.length || !names.every((name) => Object.hasOwn(value, name))) throw loginFault('malformed')
  return value as Record<Name, unknown>
}

/** @internal UTF-8 of what a peer sent. @throws {SentryError} `sentry/login` for half a character */
export function utf8(text: string): Uint8Array {
  if (/\p{Cs}/u.test(text)) throw loginFault('malformed')
  return encodeUtf8(text)
}

/** @internal Bytes of `0x…` with exactly `length` of them. @throws {SentryError} `sentry/login` */
export function hexBytes(text: string, length: number): Uint8Array {
  if (text.length !== 2 + 2 * length || !/^0x[0-9a-fA-F]*$/.test(text)) throw loginFault('malformed')
  return Uint8Array.from({ length }, (_, at) => Number.parseInt(text.slice(2 + 2 * at, 4 + 2 * at), 16))
}
