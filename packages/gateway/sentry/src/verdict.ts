import type { Challenge } from './challenge.ts'
import type { Envelope, IdentityContext } from './envelope.ts'
import { type SentryError, statusOf } from './errors.ts'
import type { GrantStatement } from './grant.ts'

/** The answer to a request that goes no further. */
export interface Refused {
  readonly kind: 'refused'
  readonly requestId: string
  /** HTTP status. */
  readonly status: ReturnType<typeof statusOf>
  readonly error: SentryError
}

export interface Admitted {
  readonly kind: 'admitted'
  readonly envelope: Envelope
}

/** Whose ticket came in, where a signed request would have had an envelope. */
export interface TicketAdmitted {
  readonly kind: 'ticket'
  readonly identity: IdentityContext
}

/** A session as its owner gets it, once. */
export interface OpenedSession {
  readonly kind: 'opened'
  readonly identity: string
  readonly id: Uint8Array
  /** 32 bytes; the sentry can derive it again and stores it nowhere. */
  readonly secret: Uint8Array
  /** Unix milliseconds. */
  readonly expiresMs: number
}

export interface Challenged extends Challenge {
  readonly kind: 'challenge'
}

/** A statement that stands in the grant log now. */
export interface Granted {
  readonly kind: 'granted'
  readonly statement: GrantStatement
}

/** @internal */
export function refused(error: SentryError, requestId: string): Refused {
  return { kind: 'refused', requestId, status: statusOf(error.detail), error }
}
