import {
  type Dictionary,
  type InnerList,
  type Item,
  parseDictionary,
  serializeByteSequence,
  serializeInnerList,
} from 'structured-headers'
import { SentryError } from '../errors.ts'
import { SIGNATURE_FIELD_CHARS_MAX } from '../limits.ts'
import { type HeaderLines, malformed } from '../request.ts'
import type { Component, Covered } from './base.ts'

/** The algorithms of RFC 9421 §3.3 that this gateway takes. */
export type SignatureAlgorithm = 'ed25519' | 'hmac-sha256'

/** The value of the `tag` parameter: a signature with another one, or none, is for somebody else. */
export const SIGNATURE_TAG = 'nexus-gateway/1'

/** One signature of a request as its header fields give it (docs/spec/sentry.md); nothing of it is verified. */
export interface SignatureClaim extends SignatureParameters {
  readonly covered: Covered
  readonly signature: Uint8Array
}

interface SignatureParameters {
  /** Unix seconds. */
  readonly created: number
  readonly expires: number
  readonly nonce: string
  readonly keyid: string
  readonly alg: SignatureAlgorithm | undefined
}

const ALGORITHMS: ReadonlySet<unknown> = new Set(['ed25519', 'hmac-sha256'])
const PARAMETERS: ReadonlySet<string> = new Set(['created', 'expires', 'nonce', 'keyid', 'alg', 'tag'])

/** What {@link readPlainInput} takes: one member in canonical form, with nothing to escape and its parameters in order. */
const TEXT = '[ !#-[\\]-~]*'
const SECONDS = '0|[1-9][0-9]{0,14}'
const PLAIN_INPUT = new RegExp(
  `^([a-z*][a-z0-9_.*-]*)=(\\(((?:"${TEXT}"(?: "${TEXT}")*)?)\\);created=(${SECONDS});expires=(${SECONDS})` +
    `;nonce="(${TEXT})";keyid="(${TEXT})"(?:;alg="(ed25519|hmac-sha256)")?;tag="nexus-gateway/1")$`,
)
const PLAIN_BYTES =
  /^([a-z*][a-z0-9_.*-]*)=:((?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/][AQgw]==|[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=)?):$/

/**
 * The signature that is for this gateway: the one member of `Signature-Input` with tag {@link SIGNATURE_TAG}.
 * @throws {SentryError} `sentry/unsigned`, `sentry/malformed`, `sentry/algorithm`
 */
export function readSignature(headers: HeaderLines): SignatureClaim {
  const input = field(headers, 'signature-input')
  const signatures = field(headers, 'signature')
  if (input === undefined || signatures === undefined) throw new SentryError({ code: 'sentry/unsigned' })
  const { label, ...claim } = readPlainInput(input) ?? readInput(input)
  const signature = memberBytes(signatures, label, 'Signature')
  if (signature === undefined) throw malformed('Signature')
  return { ...claim, signature }
}

/**
 * SHA-256 of the body as `Content-Digest` has it (RFC 9530 §2); digests of other algorithms are passed over.
 * `undefined` without the field.
 * @throws {SentryError} `sentry/malformed`
 */
export function readContentDigest(headers: HeaderLines): Uint8Array | undefined {
  const digests = field(headers, 'content-digest')
  if (digests === undefined) return undefined
  const digest = memberBytes(digests, 'sha-256', 'Content-Digest')
  if (digest === undefined) throw malformed('Content-Digest')
  return digest
}

/** A member of `Signature-Input`, with its label. */
export type SignatureInput = Omit<SignatureClaim, 'signature'> & { readonly label: string }

/** Reads what clients write as a rule, faster; `undefined` for anything else. It says what {@link readInput} says. */
export function readPlainInput(input: string): SignatureInput | undefined {
  const match = PLAIN_INPUT.exec(input)
  if (match === null) return undefined
  const [, label, paramsText, names, created, expires, nonce, keyid, alg] = match
  return {
    label: label!,
    covered: {
      components:
        names === ''
          ? []
          : names!
              .slice(1, -1)
              .split('" "')
              .map((name) => ({ name })),
      paramsText: paramsText!,
    },
    created: Number(created),
    expires: Number(expires),
    nonce: nonce!,
    keyid: keyid!,
    alg: alg as SignatureAlgorithm | undefined,
  }
}

/** @throws {SentryError} `sentry/unsigned`, `sentry/malformed`, `sentry/algorithm` */
export function readInput(input: string): SignatureInput {
  const ours = [...dictionary(input, 'Signature-Input')].filter(([, member]) => member[1].get('tag') === SIGNATURE_TAG)
  if (ours.length === 0) throw new SentryError({ code: 'sentry/unsigned' })
  if (ours.length > 1) throw malformed('Signature-Input')
  const [label, member] = ours[0]!
  if (!isInnerList(member)) throw malformed('Signature-Input')
  const components = member[0].map(([name, parameters]): Component => {
    if (typeof name !== 'string') throw malformed('Signature-Input')
    return parameters.size === 0 ? { name } : { name, parameters }
  })
  const covered = { components, paramsText: serializeInnerList(member) }
  return { label, covered, ...readParameters(member[1]) }
}

function readParameters(parameters: ReadonlyMap<string, unknown>): SignatureParameters {
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

function field(headers: HeaderLines, name: string): string | undefined {
  const lines = headers.get(name)
  if (lines === undefined) return undefined
  const value = lines.length === 1 ? lines[0]! : lines.join(', ')
  if (value.length > SIGNATURE_FIELD_CHARS_MAX) throw malformed(name)
  return value
}

/**
 * The bytes of a dictionary's member, if it is there and is bytes in their one encoding; those of its only one without a
 * whole parse.
 */
function memberBytes(value: string, label: string, what: string): Uint8Array | undefined {
  const [, only, encoded] = PLAIN_BYTES.exec(value) ?? []
  if (only === label && encoded !== undefined) return Uint8Array.from(atob(encoded), (char) => char.charCodeAt(0))
  const bytes = dictionary(value, what).get(label)?.[0]
  if (!(bytes instanceof ArrayBuffer) || !value.includes(serializeByteSequence(bytes))) return undefined
  return new Uint8Array(bytes)
}

function dictionary(value: string, what: string): Dictionary {
  try {
    return parseDictionary(value)
  } catch (cause) {
    throw new SentryError({ code: 'sentry/malformed', what }, { cause })
  }
}

function isInnerList(member: Item | InnerList): member is InnerList {
  return Array.isArray(member[0])
}
