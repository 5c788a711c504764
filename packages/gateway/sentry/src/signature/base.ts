import { encodeUtf8 } from '@nexus/codec'
import { type InnerList, serializeInnerList } from 'structured-headers'
import { SentryError } from '../errors.ts'
import { COMPONENTS_MAX } from '../limits.ts'
import type { HeaderLines } from '../request.ts'

/** The parts of a request that a signature may cover. */
export interface SignedMessage {
  readonly method: string
  readonly targetUri: string
  readonly headers: HeaderLines
}

/** What a signature covers, in order, and its parameters: the member of `Signature-Input`. */
export type SignatureParams = InnerList

const URI = /^(https?):\/\/([^/?#]+)(\/[^?#]*)?(\?[^#]*)?$/
const FIELD = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/

/**
 * The signature base (RFC 9421 §2.5) of a request: derived components of §2.2 but `@status`, and fields as they are sent
 * (§2.1), without component parameters other than the name of `@query-param`.
 * @throws {SentryError} `sentry/components` for one that is unknown, absent or there twice
 */
export function signatureBase(message: SignedMessage, params: SignatureParams): Uint8Array {
  const [components] = params
  if (components.length > COMPONENTS_MAX) throw fault('too many')
  const lines: string[] = []
  const seen = new Set<string>()
  for (const [name, parameters] of components) {
    if (typeof name !== 'string') throw fault('a name that is no string')
    const identifier = serializeInnerList([[[name, parameters]], new Map()]).slice(1, -1)
    if (seen.has(identifier)) throw fault(`${name} twice`)
    seen.add(identifier)
    lines.push(`${identifier}: ${componentValue(message, name, parameters)}`)
  }
  lines.push(`"@signature-params": ${serializeInnerList(params)}`)
  return encodeUtf8(lines.join('\n'))
}

function componentValue(message: SignedMessage, name: string, parameters: ReadonlyMap<string, unknown>): string {
  if (name === '@query-param') return queryParam(message, parameters)
  if (parameters.size > 0) throw fault(`parameters of ${name}`)
  if (name.startsWith('@')) return derived(message, name)
  if (!FIELD.test(name)) throw fault('a name that is none')
  const values = message.headers.get(name)
  if (values === undefined) throw fault(`${name} is absent`)
  return values.join(', ')
}

function derived({ method, targetUri }: SignedMessage, name: string): string {
  const [, scheme, authority, path = '/', query] = partsOf(targetUri)
  switch (name) {
    case '@method':
      return method
    case '@target-uri':
      return targetUri
    case '@scheme':
      return scheme!
    case '@authority':
      return authority!.toLowerCase().replace(scheme === 'https' ? /:443$/ : /:80$/, '')
    case '@request-target':
      return path + (query ?? '')
    case '@path':
      return path
    case '@query':
      return query ?? '?'
    default:
      throw fault(`${name} is unknown`)
  }
}

/** RFC 9421 §2.2.8: parsed as a form would be, then encoded again in one way. */
function queryParam({ targetUri }: SignedMessage, parameters: ReadonlyMap<string, unknown>): string {
  const name = parameters.get('name')
  if (typeof name !== 'string' || parameters.size !== 1) throw fault('@query-param without its name')
  const [, , , , query = ''] = partsOf(targetUri)
  const found = [...new URLSearchParams(query)].filter(([key]) => percentEncoded(key) === name)
  if (found.length !== 1) throw fault('@query-param is not there once')
  return percentEncoded(found[0]![1])
}

function percentEncoded(text: string): string {
  return encodeURIComponent(text).replace(/[!'()~]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
}

function partsOf(targetUri: string): RegExpExecArray {
  const parts = URI.exec(targetUri)
  if (parts === null) throw fault('a target that is none')
  return parts
}

function fault(what: string): SentryError {
  return new SentryError({ code: 'sentry/components', what })
}
