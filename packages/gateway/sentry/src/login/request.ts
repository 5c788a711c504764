import { decodeUtf8 } from '@nexus/codec'
import { malformed } from '../request.ts'

/** What a login request asks. */
export interface LoginRequest {
  readonly adapter: string
  /** For the adapter to judge. */
  readonly proof: unknown
}

/** Reads `{ "adapter": …, "proof": … }` and nothing else. @throws {SentryError} `sentry/malformed` */
export function readLogin(body: Uint8Array): LoginRequest {
  let value: unknown
  try {
    value = JSON.parse(decodeUtf8(body) ?? '')
  } catch {
    throw malformed('the login')
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw malformed('the login')
  const { adapter, proof, ...more } = value as Record<string, unknown>
  if (typeof adapter !== 'string' || proof === undefined || Object.keys(more).length > 0) throw malformed('the login')
  return { adapter, proof }
}
