import { SessionError } from './errors.ts'

/** What a decoder makes of bytes from a peer; `undefined` where they are not in its form. */
export function readable<T>(decode: (bytes: Uint8Array) => T, bytes: Uint8Array): T | undefined {
  try {
    return decode(bytes)
  } catch (error) {
    if (error instanceof SessionError) return undefined
    throw error
  }
}
