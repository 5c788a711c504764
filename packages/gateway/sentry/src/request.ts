import { SentryError } from './errors.ts'
import { HEADER_CHARS_MAX, HEADERS_MAX, TARGET_CHARS_MAX } from './limits.ts'

/** A request as an HTTP server has it, before anything in it is believed. */
export interface SentryRequest {
  readonly method: string
  /** The configured public origin and the request target, as {@link targetUriOf} joins them; never the Host header. */
  readonly targetUri: string
  /** Lines in order; a name may come more than once. `Headers` of the Fetch standard is one of these. */
  readonly headers: Iterable<readonly [string, string]>
  readonly body: Uint8Array
  /** Address of the other end of the connection, without port. */
  readonly remoteAddress: string
}

/** Header lines by lower-case name. */
export type HeaderLines = ReadonlyMap<string, readonly string[]>

const METHOD = /^[A-Z]{1,16}$/
const FIELD_NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
/** A line break would let a value write lines of its own into a signature base. */
const FIELD_VALUE = /^[\t\x20-\x7e\x80-\uffff]*$/
const TARGET = /^[\x21\x24-\x3b\x3d\x3f-\x5b\x5d\x5f\x61-\x7a\x7c\x7e\x25]+$/

/**
 * The target URI of a request target in origin form (`/path?query`).
 * @throws {SentryError} `sentry/origin` for one in another form, `sentry/malformed`
 */
export function targetUriOf(origin: string, requestTarget: string): string {
  if (!requestTarget.startsWith('/')) throw new SentryError({ code: 'sentry/origin' })
  return checkTarget(origin + requestTarget)
}

/**
 * Reads and bounds header lines.
 * @throws {SentryError} `sentry/malformed`
 */
export function readHeaders(lines: Iterable<readonly [string, string]>): HeaderLines {
  const headers = new Map<string, string[]>()
  let count = 0
  let chars = 0
  for (const [name, value] of lines) {
    count += 1
    chars += name.length + value.length
    if (count > HEADERS_MAX || chars > HEADER_CHARS_MAX) throw malformed('the header')
    if (!FIELD_NAME.test(name) || !FIELD_VALUE.test(value)) throw malformed('a header field')
    const key = name.toLowerCase()
    const known = headers.get(key)
    if (known === undefined) headers.set(key, [value.trim()])
    else known.push(value.trim())
  }
  return headers
}

/** The one value of a field, `undefined` where it is absent. @throws {SentryError} `sentry/malformed` for several lines */
export function single(headers: HeaderLines, name: string): string | undefined {
  const values = headers.get(name)
  if (values === undefined) return undefined
  if (values.length > 1) throw malformed(name)
  return values[0]
}

/** @throws {SentryError} `sentry/malformed` */
export function checkMethod(method: string): string {
  if (!METHOD.test(method)) throw malformed('the method')
  return method
}

/** @throws {SentryError} `sentry/malformed` */
export function checkTarget(targetUri: string): string {
  if (targetUri.length > TARGET_CHARS_MAX || !TARGET.test(targetUri)) throw malformed('the target')
  return targetUri
}

/**
 * A configured origin in its one form: scheme, host in lower case, a port that is not the scheme's own, nothing after.
 * @throws {TypeError} for anything else
 */
export function checkOrigin(origin: string): string {
  const parsed = URL.canParse(origin) ? new URL(origin) : undefined
  if (parsed?.origin !== origin || !/^https?:$/.test(parsed.protocol)) {
    throw new TypeError(`${origin} is not an origin such as https://gateway.example`)
  }
  return origin
}

/** @internal */
export function malformed(what: string): SentryError {
  return new SentryError({ code: 'sentry/malformed', what })
}
