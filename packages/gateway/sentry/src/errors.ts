/** What is wrong with a login proof. */
export type LoginFault =
  | 'address'
  | 'chain'
  | 'contract-wallet'
  | 'domain'
  | 'early'
  | 'expired'
  | 'key'
  | 'malformed'
  | 'signature'
  | 'state'
  | 'wallet-code'

/** Why a request is refused, or what else went wrong here. Facts only, never a secret, a token or a body. */
export type SentryErrorDetail =
  | { readonly code: 'sentry/malformed'; readonly what: string }
  | { readonly code: 'sentry/body'; readonly bytes: number; readonly bytesMax: number }
  | { readonly code: 'sentry/origin' }
  | { readonly code: 'sentry/ingress'; readonly what: string }
  | { readonly code: 'sentry/unsigned' }
  | { readonly code: 'sentry/components'; readonly what: string }
  | { readonly code: 'sentry/algorithm' }
  | { readonly code: 'sentry/key' }
  | { readonly code: 'sentry/session' }
  | { readonly code: 'sentry/ticket'; readonly what: string }
  | { readonly code: 'sentry/window'; readonly what: 'early' | 'expired' | 'long' }
  | { readonly code: 'sentry/digest' }
  | { readonly code: 'sentry/signature' }
  | { readonly code: 'sentry/replayed' }
  | { readonly code: 'sentry/adapter' }
  | { readonly code: 'sentry/login'; readonly fault: LoginFault }
  | { readonly code: 'sentry/challenge'; readonly what: 'expired' | 'foreign' }
  | { readonly code: 'sentry/denied'; readonly action: string }
  | { readonly code: 'sentry/grant'; readonly what: string }
  | { readonly code: 'sentry/did'; readonly what: string }
  | { readonly code: 'sentry/rate'; readonly retryMs: number }
  | { readonly code: 'sentry/busy'; readonly what: string }
  | { readonly code: 'sentry/verifier-timeout' }
  | { readonly code: 'sentry/verifier-down' }
  | { readonly code: 'sentry/store'; readonly reason: string }
  | { readonly code: 'sentry/schema'; readonly found: number; readonly known: number }
  | { readonly code: 'sentry/closed' }

/** A refusal or a fault of the sentry. What was refused has changed nothing. */
export class SentryError extends Error {
  override readonly name = 'SentryError'
  readonly detail: SentryErrorDetail
  constructor(detail: SentryErrorDetail, options?: ErrorOptions) {
    super(explain(detail), options)
    this.detail = detail
  }
}

/** The HTTP status that answers a refusal: 401 who is not known, 403 who is but may not, 429 and 503 come back later. */
export function statusOf({ code }: SentryErrorDetail): 400 | 401 | 403 | 413 | 429 | 503 {
  switch (code) {
    case 'sentry/denied':
      return 403
    case 'sentry/grant':
    case 'sentry/did':
      return 400
    case 'sentry/body':
      return 413
    case 'sentry/rate':
      return 429
    case 'sentry/busy':
    case 'sentry/verifier-timeout':
    case 'sentry/verifier-down':
    case 'sentry/store':
    case 'sentry/schema':
    case 'sentry/closed':
      return 503
    default:
      return 401
  }
}

function explain(detail: SentryErrorDetail): string {
  switch (detail.code) {
    case 'sentry/malformed':
      return `${detail.what} is not in its form`
    case 'sentry/body':
      return `a body of ${detail.bytes} bytes, where ${detail.bytesMax} is the most`
    case 'sentry/origin':
      return 'the request is for another origin'
    case 'sentry/ingress':
      return `not through the ingress: ${detail.what}`
    case 'sentry/unsigned':
      return 'the request has no signature for this gateway'
    case 'sentry/components':
      return `what the signature covers is not what it must: ${detail.what}`
    case 'sentry/algorithm':
      return 'the algorithm is not the one of the key'
    case 'sentry/key':
      return 'the key id names no key'
    case 'sentry/session':
      return 'there is no such session, or it has ended'
    case 'sentry/ticket':
      return `the ticket is refused: ${detail.what}`
    case 'sentry/window':
      return {
        early: 'the signature is of the future',
        expired: 'the signature has expired',
        long: 'the signature would live too long',
      }[detail.what]
    case 'sentry/digest':
      return 'the body is not the one that was signed'
    case 'sentry/signature':
      return 'the signature does not hold'
    case 'sentry/replayed':
      return 'this was used before'
    case 'sentry/adapter':
      return 'no adapter takes this kind of login'
    case 'sentry/login':
      return `the login proof is refused: ${detail.fault}`
    case 'sentry/challenge':
      return detail.what === 'expired' ? 'the challenge has expired' : 'the challenge is not one of this gateway'
    case 'sentry/denied':
      return `not granted: ${detail.action}`
    case 'sentry/grant':
      return `the grant is refused: ${detail.what}`
    case 'sentry/did':
      return `not an identifier or document that can be used: ${detail.what}`
    case 'sentry/rate':
      return `too many requests; the next is taken in ${detail.retryMs} ms`
    case 'sentry/busy':
      return `no room: ${detail.what}`
    case 'sentry/verifier-timeout':
      return 'the identity could not be verified in time'
    case 'sentry/verifier-down':
      return 'the identity could not be verified: its verifier failed'
    case 'sentry/store':
      return `the database refused: ${detail.reason}`
    case 'sentry/schema':
      return `the database has schema ${detail.found}, this program knows ${detail.known}: start a newer one`
    case 'sentry/closed':
      return 'the sentry is closed'
  }
}
