import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTVerifyGetKey, jwtVerify } from 'jose'
import { SentryError } from '../errors.ts'
import { ACCESS_KEYS_LIFE_MS, ACCESS_KEYS_PAUSE_MS, ACCESS_TOKEN_CHARS_MAX, VERIFIER_TIMEOUT_MS } from '../limits.ts'
import { single } from '../request.ts'
import { canonicalAddress, trustedAddresses } from './address.ts'
import type { Ingress, IngressRequest } from './ingress.ts'

export interface CloudflareAccess {
  /** `https://<team>.cloudflareaccess.com`. */
  readonly issuer: string
  /** Application audience tag. */
  readonly audience: string
  /** Reads the team's key set from `<issuer>/cdn-cgi/access/certs`. */
  readonly fetchKeys: () => Promise<JSONWebKeySet>
}

export interface CloudflareOptions {
  /** Addresses that the tunnel's daemon connects from, by default those of loopback. Nobody else is let through. */
  readonly tunnel?: readonly string[]
  /** Where Access stands before the tunnel: every request must carry its token. */
  readonly access?: CloudflareAccess
}

/**
 * A Cloudflare tunnel. From its address alone `CF-Connecting-IP` is the client, and with Access the token
 * `Cf-Access-Jwt-Assertion` must be of this issuer and audience, unexpired, RS256 by one of its keys.
 */
export function cloudflareIngress({ tunnel = ['127.0.0.1', '::1'], access }: CloudflareOptions = {}): Ingress {
  const isTunnel = trustedAddresses(tunnel)
  const keys = access && new AccessKeys(access.fetchKeys)
  return {
    name: 'cloudflare',
    async admit(request, nowMs) {
      if (!isTunnel(canonicalAddress(request.remoteAddress))) throw fault('not from the tunnel')
      const client = single(request.headers, 'cf-connecting-ip')
      if (client === undefined) throw fault('no CF-Connecting-IP')
      const address = canonicalAddress(client)
      if (access === undefined || keys === undefined) return { ingress: 'cloudflare', address }
      return { ingress: 'cloudflare', address, accessSubject: await subjectOf(request, access, keys, nowMs) }
    },
  }
}

async function subjectOf(
  { headers }: IngressRequest,
  { issuer, audience }: CloudflareAccess,
  keys: AccessKeys,
  nowMs: number,
): Promise<string> {
  const token = single(headers, 'cf-access-jwt-assertion')
  if (token === undefined || token.length > ACCESS_TOKEN_CHARS_MAX) throw fault('no Access token')
  const options = {
    issuer,
    audience,
    algorithms: ['RS256'],
    requiredClaims: ['exp', 'sub'],
    currentDate: new Date(nowMs),
  }
  const verified = await keys.use(nowMs, (key) => jwtVerify(token, key, options))
  if (typeof verified.payload.sub !== 'string') throw fault('no subject')
  return verified.payload.sub
}

/** The keys of Access as last read. They are read again when an hour old, or when a token names another, once a minute. */
class AccessKeys {
  readonly #fetch: () => Promise<JSONWebKeySet>
  #current: { readonly key: JWTVerifyGetKey; readonly readMs: number } | undefined
  #reading: { readonly key: Promise<JWTVerifyGetKey>; readonly sinceMs: number } | undefined

  constructor(fetch: () => Promise<JSONWebKeySet>) {
    this.#fetch = fetch
  }

  /** @throws {SentryError} `sentry/ingress` for a token that does not hold; what reading the keys throws */
  async use<T>(nowMs: number, verify: (key: JWTVerifyGetKey) => Promise<T>): Promise<T> {
    const fresh = this.#current !== undefined && nowMs - this.#current.readMs < ACCESS_KEYS_LIFE_MS
    const key = fresh ? this.#current!.key : await this.#read(nowMs)
    try {
      return await verify(key)
    } catch (error) {
      const unknown = error instanceof errors.JWKSNoMatchingKey
      if (unknown && nowMs - this.#current!.readMs >= ACCESS_KEYS_PAUSE_MS) {
        return verify(await this.#read(nowMs)).catch(refuse)
      }
      return refuse(error)
    }
  }

  /** One reading serves all who wait; after the time that a verifier has, the next one does not wait for it any more. */
  #read(nowMs: number): Promise<JWTVerifyGetKey> {
    if (this.#reading !== undefined && nowMs - this.#reading.sinceMs < VERIFIER_TIMEOUT_MS) return this.#reading.key
    const key = this.#fetch().then((set) => {
      const found = createLocalJWKSet(set)
      this.#current = { key: found, readMs: nowMs }
      return found
    })
    const reading = { key, sinceMs: nowMs }
    this.#reading = reading
    const done = (): void => {
      if (this.#reading === reading) this.#reading = undefined
    }
    key.then(done, done)
    return key
  }
}

function refuse(error: unknown): never {
  if (!(error instanceof errors.JOSEError)) throw error
  throw new SentryError({ code: 'sentry/ingress', what: 'the Access token' }, { cause: error })
}

function fault(what: string): SentryError {
  return new SentryError({ code: 'sentry/ingress', what })
}
