import type { Random } from './provider.ts'

/** Largest request that the Web Crypto API answers at once. */
const ENTROPY_CHUNK_BYTES = 65_536

/** Whether both hold the same bytes, in a time that depends on the lengths alone: for tags, keys and tokens. */
export function equalConstantTime(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  let difference = 0
  for (let at = 0; at < a.length; at++) difference |= a[at]! ^ b[at]!
  return difference === 0
}

/** Overwrites a secret with zeros. Copies the engine may have made are out of reach. */
export function wipe(...secrets: readonly Uint8Array[]): void {
  for (const secret of secrets) secret.fill(0)
}

/** The platform's generator, through the Web Crypto API that browsers, Node, Bun and Deno share. */
export const systemRandom: Random = (length) => {
  const bytes = new Uint8Array(length)
  for (let at = 0; at < length; at += ENTROPY_CHUNK_BYTES) {
    globalThis.crypto.getRandomValues(bytes.subarray(at, at + ENTROPY_CHUNK_BYTES))
  }
  return bytes
}
