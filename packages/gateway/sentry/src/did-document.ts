import { publicKeyOfDidKey, readDidPkh } from './did.ts'
import { SentryError } from './errors.ts'
import { DOCUMENT_CHARS_MAX, DOCUMENT_LINKS_MAX, DOCUMENT_PAGE } from './limits.ts'
import type { DidDocumentStore } from './store.ts'

/** Something that an identity offers, as W3C DID Core has it. */
export interface DidService {
  /** Fragment of the service's id, without `#`. */
  readonly name: string
  readonly type: string
  /** A URL. */
  readonly endpoint: string
}

/** What a document says beyond what its DID says by itself. */
export interface DidRecord {
  /** did:key or did:pkh. */
  readonly did: string
  /** Other identifiers of the same subject, URIs. */
  readonly alsoKnownAs: readonly string[]
  readonly services: readonly DidService[]
}

const URI = /^[a-zA-Z][a-zA-Z0-9+.-]*:[\x21-\x7e]{1,1000}$/
const NAME = /^[A-Za-z0-9._-]{1,64}$/
const TYPE = /^[\x20-\x7e]{1,64}$/
const FIXED: readonly string[] = ['@context', 'id', 'verificationMethod', 'authentication', 'assertionMethod']

/** The one JSON text of a record: its keys are those of the DID. @throws {SentryError} `sentry/did` */
export function encodeDidDocument({ did, alsoKnownAs, services }: DidRecord): string {
  const links = alsoKnownAs.length + services.length
  if (links > DOCUMENT_LINKS_MAX) throw fault('too many links')
  const known = alsoKnownAs.map((uri) => matching(uri, URI, 'alsoKnownAs'))
  const service = services.map(({ name, type, endpoint }) => ({
    id: `${did}#${matching(name, NAME, 'service id')}`,
    type: matching(type, TYPE, 'service type'),
    serviceEndpoint: matching(endpoint, URI, 'serviceEndpoint'),
  }))
  if (new Set(service.map(({ id }) => id)).size !== service.length) throw fault('a service twice')
  const json = JSON.stringify({
    ...keysOf(did),
    ...(known.length > 0 && { alsoKnownAs: known }),
    ...(service.length > 0 && { service }),
  })
  if (json.length > DOCUMENT_CHARS_MAX) throw fault(`more than ${DOCUMENT_CHARS_MAX} characters`)
  return json
}

/**
 * Reads a document that {@link encodeDidDocument} wrote, in any order of members and with any white space. One whose keys
 * are not those of its DID is refused.
 * @throws {SentryError} `sentry/did`
 */
export function decodeDidDocument(json: string): DidRecord {
  if (json.length > DOCUMENT_CHARS_MAX) throw fault(`more than ${DOCUMENT_CHARS_MAX} characters`)
  const { alsoKnownAs = [], service = [], ...fixed } = objectOf(parse(json))
  if (typeof fixed['id'] !== 'string') throw fault('no id')
  const did = fixed['id']
  const keys = keysOf(did)
  const same = FIXED.every((name) => sameJson(fixed[name], keys[name]))
  if (!same || Object.keys(fixed).length !== FIXED.length) throw fault('its keys are not those of its id')
  if (!Array.isArray(alsoKnownAs) || !Array.isArray(service)) throw fault('alsoKnownAs or service')
  const record: DidRecord = {
    did,
    alsoKnownAs: alsoKnownAs.map((uri) => textOf(uri)),
    services: service.map((each) => {
      const { id, type, serviceEndpoint, ...more } = objectOf(each)
      const [of, name, ...rest] = textOf(id).split('#')
      if (of !== did || name === undefined || rest.length > 0 || Object.keys(more).length > 0) throw fault('service')
      return { name, type: textOf(type), endpoint: textOf(serviceEndpoint) }
    }),
  }
  encodeDidDocument(record)
  return record
}

/** The document of a DID: the one that is kept, or what the DID says by itself. @throws {SentryError} `sentry/did` */
export async function resolveDid(store: DidDocumentStore, did: string): Promise<string> {
  const bare = encodeDidDocument({ did, alsoKnownAs: [], services: [] })
  return (await store.document(did)) ?? bare
}

/** Keeps a record. Who may is for the caller: its subject, and nobody else. @throws {SentryError} `sentry/did`, `…/busy` */
export async function keepDidRecord(store: DidDocumentStore, record: DidRecord): Promise<void> {
  await store.putDocument(record.did, encodeDidDocument(record))
}

/** Every document of a store, one JSON text each: as lines, a file that {@link importDids} of any gateway takes. */
export async function* exportDids(store: DidDocumentStore): AsyncGenerator<string> {
  let after = ''
  for (;;) {
    const dids = await store.dids(after, DOCUMENT_PAGE)
    for (const did of dids) {
      const json = await store.document(did)
      if (json !== undefined) yield json
    }
    if (dids.length < DOCUMENT_PAGE) return
    after = dids.at(-1)!
  }
}

/**
 * Takes documents in; returns how many. Each is checked before it is kept, and one of a DID that is here already takes its
 * place.
 * @throws {SentryError} `sentry/did`, `sentry/busy`: those before it stay
 */
export async function importDids(
  store: DidDocumentStore,
  documents: Iterable<string> | AsyncIterable<string>,
): Promise<number> {
  let count = 0
  for await (const json of documents) {
    await keepDidRecord(store, decodeDidDocument(json))
    count += 1
  }
  return count
}

/** What a DID says by itself. */
function keysOf(did: string): Record<string, unknown> {
  const { name, context, ...method } = did.startsWith('did:key:') ? keyMethod(did) : accountMethod(did)
  const id = `${did}#${name}`
  return {
    '@context': ['https://www.w3.org/ns/did/v1', context],
    id: did,
    verificationMethod: [{ id, controller: did, ...method }],
    authentication: [id],
    assertionMethod: [id],
  }
}

function keyMethod(did: string) {
  publicKeyOfDidKey(did)
  const publicKeyMultibase = did.slice('did:key:'.length)
  const context = 'https://w3id.org/security/multikey/v1'
  return { name: publicKeyMultibase, context, type: 'Multikey', publicKeyMultibase }
}

function accountMethod(did: string) {
  const { namespace, reference, address } = readDidPkh(did)
  const blockchainAccountId = `${namespace}:${reference}:${address}`
  const context = 'https://w3id.org/security/suites/blockchain-2021/v1'
  return { name: 'blockchainAccountId', context, type: 'BlockchainVerificationMethod2021', blockchainAccountId }
}

function parse(json: string): unknown {
  try {
    return JSON.parse(json)
  } catch {
    throw fault('no JSON')
  }
}

function objectOf(value: unknown): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw fault('no object')
  return value as Record<string, unknown>
}

function textOf(value: unknown): string {
  if (typeof value !== 'string') throw fault('no string')
  return value
}

/** Members in any order. */
function sameJson(a: unknown, b: unknown): boolean {
  if (typeof a !== 'object' || a === null || typeof b !== 'object' || b === null) return a === b
  if (Array.isArray(a) !== Array.isArray(b)) return false
  const keys = Object.keys(a)
  if (keys.length !== Object.keys(b).length) return false
  return keys.every((key) => Object.hasOwn(b, key) && sameJson((a as never)[key], (b as never)[key]))
}

function matching(text: string, pattern: RegExp, what: string): string {
  if (!pattern.test(text)) throw fault(what)
  return text
}

function fault(what: string): SentryError {
  return new SentryError({ code: 'sentry/did', what })
}
