import type { IdentityContext } from './envelope.ts'
import type { UsedNonce } from './store.ts'

/** What a ticket says that proved itself: who may use it, and by what it is used only once. */
export interface RedeemedTicket {
  /** With the session that it was issued to, if it was one: the ticket is over when that is. */
  readonly identity: IdentityContext
  readonly once: UsedNonce
}

/** Reads a ticket and checks its proof and its time. @throws {SentryError} `sentry/ticket` */
export type RedeemTicket = (nowMs: number) => RedeemedTicket
