import { type Dictionary, type InnerList, type Item, parseDictionary } from 'structured-headers'
import { SentryError } from '../errors.ts'
import { SIGNATURE_FIELD_CHARS_MAX } from '../limits.ts'
import { type HeaderLines, malformed } from '../request.ts'

/** The algorithms of RFC 9421 §3.3 that this gateway takes. */
export type SignatureAlgorithm = 'ed25519' | 'hmac-sha256'

/** The value of the `tag` parameter: a signature with another one, or none, is for somebody else. */
export const SIGNATURE_TAG = 'nexus-gateway/1'

/** One signature of a request as its header fields give it (docs/spec/sentry.md); nothing of it is verified. */
export interface SignatureClaim {
  readonly params: InnerList
  readonly signature: Uint8Array
  /** Unix seconds. */
  readonly created: number
  readonly expires: number
  readonly nonce: string
  readonly keyid: string
  readonly alg: SignatureAlgorithm | undefined
}

const ALGORITHMS: ReadonlySet<unknown> = new Set(['ed25519', 'hmac-sha256'])
const PARAMETERS: ReadonlySet<string> = new Set(['created', 'expires', 'nonce', 'keyid', 'alg', 'tag'])

/**
 * The signature that is for this gateway: the one member of `Signature-Input` with tag {@link SIGNATURE_TAG}.
 * @throws {SentryError} `sentry/unsigned`, `sentry/malformed`, `sentry/algorithm`
 */
export function readSignature(headers: HeaderLines): SignatureClaim {
  const inputs = dictionary(headers, 'signature-input')
  const signatures = dictionary(headers, 'signature')
  if (inputs === undefined || signatures === undefined) throw new SentryError({ code: 'sentry/unsigned' })
  const ours = [...inputs].filter(([, member]) => member[1].get('tag') === SIGNATURE_TAG)
  if (ours.length === 0) throw new SentryError({ code: 'sentry/unsigned' })
  if (ours.length > 1) throw malformed('Signature-Input')
  const [label, member] = ours[0]!
  if (!isInnerList(member)) throw malformed('Signature-Input')
  const signature = bytesOf(signatures.get(label))
  if (signature === undefined) throw malformed('Signature')
  return { params: member, signature, ...readParameters(member[1]) }
}

/**
 * SHA-256 of the body as `Content-Digest` has it (RFC 9530 §2); digests of other algorithms are passed over.
 * `undefined` without the field.
 * @throws {SentryError} `sentry/malformed`
 */
export function readContentDigest(headers: HeaderLines): Uint8Array | undefined {
  const digests = dictionary(headers, 'content-digest')
  if (digests === undefined) return undefined
  const digest = bytesOf(digests.get('sha-256'))
  if (digest === undefined) throw malformed('Content-Digest')
  return digest
}

function readParameters(parameters: ReadonlyMap<string, unknown>): Omit<SignatureClaim, 'params' | 'signature'> {
  for (const name of parameters.keys()) if (!PARAMETERS.has(name)) throw malformed(`Signature-Input: ${name}`)
  const alg = parameters.get('alg')
  if (alg !== undefined && !ALGORITHMS.has(alg)) throw new SentryError({ code: 'sentry/algorithm' })
  return {
    created: seconds(parameters, 'created'),
    expires: seconds(parameters, 'expires'),
    nonce: text(parameters, 'nonce'),
    keyid: text(parameters, 'keyid'),
    alg: alg as SignatureAlgorithm | undefined,
  }
}

function seconds(parameters: ReadonlyMap<string, unknown>, name: string): number {
  const value = parameters.get(name)
  if (!Number.isSafeInteger(value) || (value as number) < 0) throw malformed(`Signature-Input: ${name}`)
  return value as number
}

function text(parameters: ReadonlyMap<string, unknown>, name: string): string {
  const value = parameters.get(name)
  if (typeof value !== 'string') throw malformed(`Signature-Input: ${name}`)
  return value
}

function dictionary(headers: HeaderLines, name: string): Dictionary | undefined {
  const value = headers.get(name)?.join(', ')
  if (value === undefined) return undefined
  if (value.length > SIGNATURE_FIELD_CHARS_MAX) throw malformed(name)
  try {
    return parseDictionary(value)
  } catch (cause) {
    throw new SentryError({ code: 'sentry/malformed', what: name }, { cause })
  }
}

function bytesOf(member: Item | InnerList | undefined): Uint8Array | undefined {
  const value = member?.[0]
  return value instanceof ArrayBuffer ? new Uint8Array(value) : undefined
}

function isInnerList(member: Item | InnerList): member is InnerList {
  return Array.isArray(member[0])
}
