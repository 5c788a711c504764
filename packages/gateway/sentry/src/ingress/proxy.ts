import { SentryError } from '../errors.ts'
import { PROXY_HOPS_MAX } from '../limits.ts'
import { malformed } from '../request.ts'
import { canonicalAddress, type TrustedAddresses, trustedAddresses } from './address.ts'
import type { Ingress, IngressRequest } from './ingress.ts'

/** No ingress: the other end of the connection is the client, whatever headers say. */
export function directIngress(): Ingress {
  return {
    name: 'none',
    admit: ({ remoteAddress }) => ({ ingress: 'none', address: canonicalAddress(remoteAddress) }),
  }
}

export interface ProxyOptions {
  /** Addresses or ranges (`10.0.0.0/8`) of the proxies. What they say of others is believed, one after the other. */
  readonly trusted: readonly string[]
  /** The header that they write: `x-forwarded-for` unless `forwarded` (RFC 7239). */
  readonly header?: 'forwarded' | 'x-forwarded-for'
}

/**
 * Reverse proxies: walks back from the connection through those trusted to the first address that is not. Without the
 * header, or from elsewhere, the connection's own address it is.
 */
export function proxyIngress({ trusted, header = 'x-forwarded-for' }: ProxyOptions): Ingress {
  const isTrusted = trustedAddresses(trusted)
  return {
    name: 'proxy',
    admit: (request) => ({ ingress: 'proxy', address: clientAddress(request, isTrusted, header) }),
  }
}

export interface NgrokOptions {
  /** Addresses of the agent on this side, by default those of loopback. */
  readonly agent?: readonly string[]
}

/** An ngrok agent: the last address of the header is the one that ngrok saw, and only the agent is believed. */
export function ngrokIngress({ agent = ['127.0.0.1', '::1'] }: NgrokOptions = {}): Ingress {
  const isAgent = trustedAddresses(agent)
  return {
    name: 'ngrok',
    admit(request) {
      const remote = canonicalAddress(request.remoteAddress)
      if (!isAgent(remote)) throw new SentryError({ code: 'sentry/ingress', what: 'not from the agent' })
      const last = forwardedFor(request, 'x-forwarded-for').at(-1)
      if (last === undefined) throw new SentryError({ code: 'sentry/ingress', what: 'no X-Forwarded-For' })
      return { ingress: 'ngrok', address: canonicalAddress(last) }
    },
  }
}

function clientAddress(
  request: IngressRequest,
  isTrusted: TrustedAddresses,
  header: 'forwarded' | 'x-forwarded-for',
): string {
  let address = canonicalAddress(request.remoteAddress)
  if (!isTrusted(address)) return address
  const hops = forwardedFor(request, header)
  for (let hop = 0; hop < PROXY_HOPS_MAX; hop++) {
    const before = hops.pop()
    if (before === undefined) return address
    address = canonicalAddress(before)
    if (!isTrusted(address)) return address
  }
  throw malformed(header)
}

function forwardedFor({ headers }: IngressRequest, header: 'forwarded' | 'x-forwarded-for'): string[] {
  const lines = headers.get(header)
  if (lines === undefined) return []
  const elements = lines.join(',').split(',')
  return elements.map((element) => withoutPort(header === 'forwarded' ? forNode(element) : element.trim()))
}

/** The `for` of one element of Forwarded (RFC 7239 §4): obfuscated names and `unknown` are no addresses. */
function forNode(element: string): string {
  for (const pair of element.split(';')) {
    const [, quoted, token] = /^\s*for=(?:"([^"\\]*)"|([^"\s]+))\s*$/i.exec(pair) ?? []
    const value = quoted ?? token
    if (value !== undefined) return value
  }
  throw malformed('forwarded')
}

function withoutPort(node: string): string {
  const [, bracketed] = /^\[([^\]]*)\](?::[0-9]{1,5})?$/.exec(node) ?? []
  if (bracketed !== undefined) return bracketed
  const [, plain] = /^([0-9.]+):[0-9]{1,5}$/.exec(node) ?? []
  return plain ?? node
}
