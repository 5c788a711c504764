import { CHALLENGE_LIFE_MS, SKEW_MS } from '../limits.ts'
import { loginFault, type Once } from './adapter.ts'
import type { SignInText } from './sign-in-text.ts'

/** Which texts may log in here. */
export interface SignInPolicy {
  /** Authorities (`shop.example`, `shop.example:8443`) of the pages that ask for logins to this gateway. */
  readonly domains: readonly string[]
}

/**
 * Whether a text, whoever signed it, is for this gateway and of now. Its nonce is the challenge that it answers.
 * @throws {SentryError} `sentry/login`
 */
export function checkSignIn(text: SignInText, { domains }: SignInPolicy, nowMs: number): Once {
  const host = URL.canParse(text.uri) ? new URL(text.uri).host : ''
  if (!domains.includes(text.domain) || !domains.includes(host)) throw loginFault('domain')
  if (text.scheme !== undefined && text.scheme !== 'https' && text.scheme !== 'http') throw loginFault('domain')
  if (text.issuedMs > nowMs + SKEW_MS || (text.notBeforeMs ?? 0) > nowMs + SKEW_MS) throw loginFault('early')
  const lastMs = Math.min(text.expiresMs ?? Number.POSITIVE_INFINITY, text.issuedMs + CHALLENGE_LIFE_MS)
  if (lastMs + SKEW_MS <= nowMs) throw loginFault('expired')
  return { kind: 'challenge', nonce: text.nonce }
}
