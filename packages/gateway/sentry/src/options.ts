import type { Crypto, Random } from '@nexus/crypto'
import type { Delay } from './deadline.ts'
import type { Ingress } from './ingress/ingress.ts'
import type { IdentityAdapter } from './login/adapter.ts'
import type { Rate } from './rate.ts'
import type { Rejection } from './rejection.ts'
import type { SentryStore } from './store.ts'

export interface SentryPorts {
  readonly crypto: Crypto
  readonly random: Random
  /** Unix milliseconds. */
  readonly now: () => number
  readonly delay: Delay
  /** Runs a step after what waits in the event loop now. */
  readonly defer: (step: () => void) => void
}

export interface SentryOptions {
  /** The public origin, `https://gateway.example`: requests are signed for it, whatever their Host header says. */
  readonly origin: string
  /** Seed of the gateway's identity: the same for every gateway of one store. */
  readonly seed: Uint8Array
  readonly store: SentryStore
  readonly ingress: Ingress
  /** did:key of each administrator who needs no grant. */
  readonly admins: readonly string[]
  /** Logins that are taken; without any, only requests that are signed by Ed25519 keys are. */
  readonly adapters: readonly IdentityAdapter[]
  readonly rates?: Partial<Rates>
  readonly onRejection?: (rejection: Rejection) => void
}

export interface Rates {
  /** Requests of one address. */
  readonly address: Rate
  /** Verified requests of one identity. */
  readonly identity: Rate
  /** Logins and challenges of one address. */
  readonly login: Rate
}

/** Rates where the configuration says nothing. */
export const DEFAULT_RATES: Rates = {
  address: { perSecond: 200, burst: 1_000 },
  identity: { perSecond: 200, burst: 1_000 },
  login: { perSecond: 1, burst: 30 },
}
