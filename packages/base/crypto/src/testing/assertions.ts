import { toHex } from '@nexus/codec'
import { CryptoError, type CryptoErrorDetail } from '../errors.ts'

/** Insists on the same bytes, in a plain `Uint8Array`. */
export function assertBytes(actual: Uint8Array | undefined, expected: string | Uint8Array, what: string): void {
  const want = typeof expected === 'string' ? expected : toHex(expected)
  if (actual === undefined) throw new Error(`${what}: nothing came back, expected ${want}`)
  if (toHex(actual) !== want) throw new Error(`${what}: got ${toHex(actual)}, expected ${want}`)
  if (Object.getPrototypeOf(actual) !== Uint8Array.prototype) throw new Error(`${what}: no plain Uint8Array`)
}

/** Insists that a sealed message was not opened. */
export function assertNotOpened(opened: Uint8Array | undefined, what: string): void {
  if (opened !== undefined) throw new Error(`${what}: was opened, to ${toHex(opened)}`)
}

export function assertEqual<Value extends number | string | boolean | undefined>(
  actual: Value,
  expected: Value,
  what: string,
): void {
  if (actual !== expected) throw new Error(`${what}: got ${actual}, expected ${expected}`)
}

/** Insists on a {@link CryptoError} of the given code. */
export function assertRefused(code: CryptoErrorDetail['code'], call: () => unknown, what: string): void {
  const error = thrown(call, what)
  if (!(error instanceof CryptoError) || error.detail.code !== code) throw new Error(`${what}: threw ${error}`)
}

/** Insists on the answer to a caller's mistake. */
export function assertMisuse(call: () => unknown, what: string): void {
  const error = thrown(call, what)
  if (!(error instanceof RangeError)) throw new Error(`${what}: threw ${error}`)
}

function thrown(call: () => unknown, what: string): unknown {
  try {
    call()
  } catch (error) {
    return error
  }
  throw new Error(`${what}: was not refused`)
}
