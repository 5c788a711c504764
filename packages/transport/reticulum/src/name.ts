import { concatBytes, encodeUtf8 } from '@nexus/codec'
import { truncated } from './bytes.ts'
import type { ReticulumCrypto } from './crypto.ts'
import { NAME_HASH_BYTES } from './limits.ts'

/** 10 bytes: what an announce says of its destination's dotted name. @throws {TypeError} for a name without an app name */
export function nameHash(crypto: ReticulumCrypto, name: string): Uint8Array {
  if (name === '' || name.startsWith('.')) throw new TypeError('a destination name begins with the name of its app')
  return crypto.sha256(encodeUtf8(name)).slice(0, NAME_HASH_BYTES)
}

/** The 16-byte address of a destination: by name and identity, of a PLAIN one by its name alone. */
export function destinationHash(
  crypto: ReticulumCrypto,
  nameHashBytes: Uint8Array,
  identityHash: Uint8Array = new Uint8Array(0),
): Uint8Array {
  return truncated(crypto.sha256(concatBytes(nameHashBytes, identityHash)))
}

/** App name and aspects joined by dots. @throws {TypeError} where one of them holds a dot */
export function fullName(appName: string, ...aspects: readonly string[]): string {
  for (const part of [appName, ...aspects]) if (part.includes('.')) throw new TypeError(`a dot in ${part}`)
  return [appName, ...aspects].join('.')
}
