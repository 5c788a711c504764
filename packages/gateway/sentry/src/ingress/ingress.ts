import type { HeaderLines } from '../request.ts'

/** Where a request came from, as far as the ingress can be believed. */
export interface IngressOrigin {
  readonly ingress: string
  /** Of the client, in its shortest form; an IPv4 address mapped into IPv6 as IPv4. */
  readonly address: string
  /** Whom Cloudflare Access let in, by its subject, where Access stands before. */
  readonly accessSubject?: string
}

/** What an ingress judges: the other end of the connection, and header lines that anybody may have written. */
export interface IngressRequest {
  readonly remoteAddress: string
  readonly headers: HeaderLines
}

/**
 * Tells where a request came from. Headers count only from the addresses that it is configured with. It lets nobody in:
 * every request behind it is signed all the same.
 */
export interface Ingress {
  readonly name: string
  /** @throws {SentryError} `sentry/ingress`, `sentry/malformed` */
  admit(request: IngressRequest, nowMs: number): IngressOrigin | Promise<IngressOrigin>
}
