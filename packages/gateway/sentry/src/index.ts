/** The fail-closed perimeter of a gateway: logins, signed requests, grants, ingress, rates (docs/spec/sentry.md). */
export type { Challenge } from './challenge.ts'
export type { Delay } from './deadline.ts'
export { type ChainAccount, checksumAddress, didKey, didPkh, publicKeyOfDidKey, readDidPkh } from './did.ts'
export {
  type DidRecord,
  type DidService,
  decodeDidDocument,
  encodeDidDocument,
  exportDids,
  importDids,
  keepDidRecord,
  resolveDid,
} from './did-document.ts'
export type { Envelope, IdentityContext, SignedPayload } from './envelope.ts'
export { type LoginFault, SentryError, type SentryErrorDetail, statusOf } from './errors.ts'
export {
  decodeGrant,
  encodeGrant,
  type Grant,
  type GrantStatement,
  issuerOf,
  type Revocation,
  signGrant,
  type UnsignedStatement,
  verifyGrant,
} from './grant.ts'
export { type CloudflareAccess, type CloudflareOptions, cloudflareIngress } from './ingress/cloudflare.ts'
export type { Ingress, IngressOrigin, IngressRequest } from './ingress/ingress.ts'
export { directIngress, type NgrokOptions, ngrokIngress, type ProxyOptions, proxyIngress } from './ingress/proxy.ts'
export {
  BODY_BYTES_MAX,
  CHALLENGE_LIFE_MS,
  IDEMPOTENCY_KEY_CHARS_MAX,
  LOGIN_BYTES_MAX,
  SESSION_LIFE_MS,
  SIGNATURE_LIFE_MAX_MS,
  SKEW_MS,
  VERIFIER_TIMEOUT_MS,
} from './limits.ts'
export type { IdentityAdapter, Once, ProvenLogin } from './login/adapter.ts'
export { type EthereumPolicy, ethereumAdapter } from './login/ethereum.ts'
export { type IotexPolicy, iotexAdapter } from './login/iotex.ts'
export { type PeaqPolicy, peaqAdapter } from './login/peaq.ts'
export type { SignInPolicy } from './login/sign-in-policy.ts'
export { telegramAdapter } from './login/telegram.ts'
export { type TonPolicy, tonAdapter } from './login/ton.ts'
export { DEFAULT_RATES, type Rates, type SentryOptions, type SentryPorts } from './options.ts'
export type { Rate } from './rate.ts'
export type { Rejection } from './rejection.ts'
export { type SentryRequest, targetUriOf } from './request.ts'
export { type Action, ANY_ACCOUNT, ROLES, type Role } from './roles.ts'
export { openSentry, type Sentry } from './sentry.ts'
export type { DidDocumentStore, Look, SentryStore, Session, UsedNonce } from './store.ts'
export type { RedeemedTicket, RedeemTicket } from './ticket.ts'
export type { Admitted, Challenged, Granted, OpenedSession, Refused, TicketAdmitted } from './verdict.ts'
