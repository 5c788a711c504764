import type { IngressOrigin } from './ingress/ingress.ts'

/** Who asks, as far as it is proved. */
export interface IdentityContext {
  /** The sovereign identity: a DID or alike. */
  readonly id: string
  /** What proved it: `ed25519` for a request signed by a key of its own, else the adapter of the session's login. */
  readonly adapter: string
  /** Id of the session whose secret signed the request. */
  readonly session?: Uint8Array
}

/** What is asked; all of it is covered by the signature. */
export interface SignedPayload {
  readonly method: string
  readonly targetUri: string
  /** Of every request but GET and HEAD, which may have one. */
  readonly idempotencyKey?: string
  readonly body: Uint8Array
  /** SHA-256. */
  readonly bodyHash: Uint8Array
}

/** The one form in which requests reach what is behind the sentry. Nothing in it is unverified but the address. */
export interface Envelope {
  /** 32 hexadecimal digits; rejections and logs name requests by it. */
  readonly requestId: string
  /** When it was taken, Unix milliseconds. */
  readonly timeMs: number
  readonly origin: IngressOrigin
  readonly identity: IdentityContext
  readonly payload: SignedPayload
}
