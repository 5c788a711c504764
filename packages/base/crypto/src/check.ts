import { BLAKE2B_MAX_BYTES, HKDF_MAX_BYTES, KEY_BYTES, NONCE_BYTES } from './limits.ts'
import type { Blake2bOptions } from './provider.ts'

/** Insists on a length that the caller decides. @throws {RangeError} */
export function assertLength(what: string, bytes: Uint8Array, length: number): void {
  if (bytes.length !== length) throw new RangeError(`${what} is ${length} bytes long, not ${bytes.length}`)
}

/** @throws {RangeError} */
export function assertAeadInput(key: Uint8Array, nonce: Uint8Array): void {
  assertLength('the key', key, KEY_BYTES)
  assertLength('the nonce', nonce, NONCE_BYTES)
}

/** @throws {RangeError} */
export function assertHkdfLength(length: number): void {
  if (!Number.isInteger(length) || length < 0 || length > HKDF_MAX_BYTES) {
    throw new RangeError(`HKDF-SHA256 gives 0…${HKDF_MAX_BYTES} bytes, not ${length}`)
  }
}

/** The digest's length. @throws {RangeError} */
export function blake2bLength(options: Blake2bOptions | undefined): number {
  const length = options?.length ?? 32
  if (!Number.isInteger(length) || length < 1 || length > BLAKE2B_MAX_BYTES) {
    throw new RangeError(`a BLAKE2b digest is 1…${BLAKE2B_MAX_BYTES} bytes long, not ${length}`)
  }
  const key = options?.key
  if (key !== undefined && (key.length < 1 || key.length > BLAKE2B_MAX_BYTES)) {
    throw new RangeError(`a BLAKE2b key is 1…${BLAKE2B_MAX_BYTES} bytes long, not ${key.length}`)
  }
  return length
}

/**
 * Writes Noise's nonce for a counter: 4 zero bytes, then u64 little-endian.
 * @throws {RangeError} where the counter is not a whole number below 2^53
 */
export function writeCounterNonce(counter: number, nonce: Uint8Array, at = 0): void {
  if (!Number.isSafeInteger(counter) || counter < 0) throw new RangeError(`${counter} is no nonce counter`)
  let low = counter >>> 0
  let high = (counter - low) / 0x1_0000_0000
  nonce[at + 4] = low
  nonce[at + 5] = low >>>= 8
  nonce[at + 6] = low >>>= 8
  nonce[at + 7] = low >>> 8
  nonce[at + 8] = high
  nonce[at + 9] = high >>>= 8
  nonce[at + 10] = high >>>= 8
  nonce[at + 11] = high >>> 8
}

/** Insists that `length` bytes fit at `at`. @throws {RangeError} */
export function assertRoom(out: Uint8Array, at: number, length: number): void {
  if (!Number.isInteger(at) || at < 0 || length > out.length - at) {
    throw new RangeError(`${length} bytes do not fit at ${at} of ${out.length}`)
  }
}
