import { encodeUtf8 } from '@nexus/codec'
import { serializeInnerList } from 'structured-headers'
import { SentryError } from '../errors.ts'
import { COMPONENTS_MAX } from '../limits.ts'
import type { HeaderLines } from '../request.ts'

/** The parts of a request that a signature may cover. */
export interface SignedMessage {
  readonly method: string
  readonly targetUri: string
  readonly headers: HeaderLines
}

/** A component that a signature covers: its name, and its parameters, which only `@query-param` may have. */
export interface Component {
  readonly name: string
  readonly parameters?: ReadonlyMap<string, unknown>
}

/** What a signature covers, and the text that covers this in turn: its member of `Signature-Input` in canonical form. */
export interface Covered {
  readonly components: readonly Component[]
  readonly paramsText: string
}

const URI = /^(https?):\/\/([^/?#]+)(\/[^?#]*)?(\?[^#]*)?$/
const FIELD = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/

/**
 * The signature base (RFC 9421 §2.5) of a request: derived components of §2.2 but `@status`, and fields as they are sent
 * (§2.1), without component parameters other than the name of `@query-param`.
 * @throws {SentryError} `sentry/components` for one that is unknown, absent or there twice
 */
export function signatureBase(message: SignedMessage, { components, paramsText }: Covered): Uint8Array {
  if (components.length > COMPONENTS_MAX) throw fault('too many')
  let base = ''
  const seen = new Set<string>()
  for (const { name, parameters } of components) {
    const value = parameters === undefined ? componentValue(message, name) : parameterValue(message, name, parameters)
    const identifier = identifierOf(name, parameters)
    if (seen.has(identifier)) throw fault(`${name} twice`)
    seen.add(identifier)
    base += `${identifier}: ${value}\n`
  }
  return encodeUtf8(`${base}"@signature-params": ${paramsText}`)
}

/** A name that has a value has nothing to escape. */
function identifierOf(name: string, parameters: Component['parameters']): string {
  if (parameters === undefined) return `"${name}"`
  return serializeInnerList([[[name, new Map(parameters) as never]], new Map()]).slice(1, -1)
}

function componentValue(message: SignedMessage, name: string): string {
  if (name.startsWith('@')) return derived(message, name)
  if (!FIELD.test(name)) throw fault('a name that is none')
  const values = message.headers.get(name)
  if (values === undefined) throw fault(`${name} is absent`)
  return values.join(', ')
}

function derived({ method, targetUri }: SignedMessage, name: string): string {
  if (name === '@method') return method
  if (name === '@target-uri') return targetUri
  const [, scheme, authority, path = '/', query] = partsOf(targetUri)
  switch (name) {
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
function parameterValue(
  { targetUri }: SignedMessage,
  component: string,
  parameters: ReadonlyMap<string, unknown>,
): string {
  const name = parameters.get('name')
  if (component !== '@query-param' || typeof name !== 'string' || parameters.size !== 1) {
    throw fault(`parameters of ${component}`)
  }
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
