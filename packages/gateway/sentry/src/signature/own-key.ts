import { publicKeyOfDidKey } from '../did.ts'
import { SentryError } from '../errors.ts'

/** The key of a did:key that names a key id. @throws {SentryError} `sentry/key` */
export function ownKey(keyid: string): Uint8Array {
  try {
    return publicKeyOfDidKey(keyid)
  } catch (cause) {
    throw new SentryError({ code: 'sentry/key' }, { cause })
  }
}
