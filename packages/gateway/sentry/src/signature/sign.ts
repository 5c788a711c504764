import { toHex } from '@nexus/codec'
import type { Crypto, Random } from '@nexus/crypto'
import { type InnerList, type Item, serializeDictionary, serializeInnerList } from 'structured-headers'
import { didKey } from '../did.ts'
import { ID_BYTES, SECOND_MS, SECRET_BYTES, SIGNATURE_LIFE_MAX_MS } from '../limits.ts'
import { checkMethod, checkTarget, readHeaders } from '../request.ts'
import { signatureBase } from './base.ts'
import { SIGNATURE_TAG, type SignatureAlgorithm } from './fields.ts'

/** Who signs: a key by the id that the gateway knows it under. */
export interface RequestSigner {
  readonly keyid: string
  readonly alg: SignatureAlgorithm
  /** Signs an RFC 9421 signature base. */
  sign(base: Uint8Array): Uint8Array
}

/** What a login gave. */
export interface SessionKey {
  /** 16 bytes. */
  readonly id: Uint8Array
  /** 32 bytes. */
  readonly secret: Uint8Array
}

/** A request as it is about to be sent. */
export interface SignableRequest {
  readonly method: string
  /** Absolute, at the gateway's public origin, without a fragment. */
  readonly url: string
  readonly headers?: Readonly<Record<string, string>>
  /** Without one, an empty body is signed. */
  readonly body?: Uint8Array
  /** Required for all but GET and HEAD: 1…64 printable characters, the same again when the request is repeated. */
  readonly idempotencyKey?: string
}

/** What a signature needs from outside. */
export interface SigningMoment {
  readonly nowMs: number
  readonly random: Random
  /** How long the signature may be used, at most and by default 60 s. */
  readonly lifeMs?: number
}

/** What `fetch(url, init)` takes. */
export interface SignedRequest {
  readonly url: string
  readonly init: {
    readonly method: string
    readonly headers: Record<string, string>
    readonly body?: Uint8Array<ArrayBuffer>
  }
}

/** Signs with the Ed25519 key of a seed: the identity is its did:key. */
export function ed25519Signer(crypto: Crypto, seed: Uint8Array): RequestSigner {
  return { keyid: didKey(crypto.publicKey(seed)), alg: 'ed25519', sign: (base) => crypto.signHttp(seed, base) }
}

/** Signs with the secret of a session. @throws {RangeError} for an id or a secret of another length */
export function sessionSigner(crypto: Crypto, { id, secret }: SessionKey): RequestSigner {
  if (id.length !== ID_BYTES || secret.length !== SECRET_BYTES)
    throw new RangeError('not the id and secret of a session')
  return { keyid: sessionKeyid(id), alg: 'hmac-sha256', sign: (base) => crypto.hmacSha256(secret, base) }
}

/** The key id of a session. */
export function sessionKeyid(id: Uint8Array): string {
  return `session:${toHex(id)}`
}

/**
 * Signs a request for one sending: a repeat is signed anew, since the gateway takes each nonce once.
 * @throws {TypeError} for a method that needs an idempotency key and has none, or a safe one with a body
 * @throws {SentryError} `sentry/malformed` for a URL or header that no request can have
 */
export function signRequest(
  crypto: Crypto,
  signer: RequestSigner,
  request: SignableRequest,
  moment: SigningMoment,
): SignedRequest {
  const { method, url, idempotencyKey } = request
  const body = request.body ?? new Uint8Array(0)
  const safe = method === 'GET' || method === 'HEAD'
  if (safe && body.length > 0) throw new TypeError(`${method} has no body`)
  if (!safe && idempotencyKey === undefined) throw new TypeError(`${method} needs an idempotency key`)
  const headers: Record<string, string> = { ...request.headers }
  const covered = ['@method', '@target-uri']
  if (!safe) {
    headers['content-digest'] = serializeDictionary({ 'sha-256': crypto.sha256(body) as Uint8Array<ArrayBuffer> })
    covered.push('content-digest')
  }
  if (idempotencyKey !== undefined) {
    headers['idempotency-key'] = idempotencyKey
    covered.push('idempotency-key')
  }
  const params = parametersOf(signer, covered, moment)
  const paramsText = serializeInnerList(params)
  const components = covered.map((name) => ({ name }))
  const message = {
    method: checkMethod(method),
    targetUri: checkTarget(url),
    headers: readHeaders(Object.entries(headers)),
  }
  const signature = signer.sign(signatureBase(message, { components, paramsText })) as Uint8Array<ArrayBuffer>
  headers['signature-input'] = serializeDictionary({ nexus: params })
  headers['signature'] = serializeDictionary({ nexus: signature })
  return { url, init: { method, headers, ...(!safe && { body: body as Uint8Array<ArrayBuffer> }) } }
}

function parametersOf(signer: RequestSigner, covered: readonly string[], moment: SigningMoment): InnerList {
  const { nowMs, random, lifeMs = SIGNATURE_LIFE_MAX_MS } = moment
  if (!(lifeMs >= SECOND_MS && lifeMs <= SIGNATURE_LIFE_MAX_MS)) throw new RangeError(`a life of ${lifeMs} ms`)
  const created = Math.floor(nowMs / SECOND_MS)
  const items = covered.map((name): Item => [name, new Map()])
  return [
    items,
    new Map<string, string | number>([
      ['created', created],
      ['expires', created + Math.floor(lifeMs / SECOND_MS)],
      ['nonce', toHex(random(ID_BYTES))],
      ['keyid', signer.keyid],
      ['alg', signer.alg],
      ['tag', SIGNATURE_TAG],
    ]),
  ]
}
