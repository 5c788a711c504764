import { ADDRESS_BYTES } from './limits.ts'

/** A key for maps from the 16 bytes at `at`: half the characters of hexadecimal, and made without a table. */
export function addressKey(bytes: Uint8Array, at = 0): string {
  return String.fromCharCode(
    (bytes[at]! << 8) | bytes[at + 1]!,
    (bytes[at + 2]! << 8) | bytes[at + 3]!,
    (bytes[at + 4]! << 8) | bytes[at + 5]!,
    (bytes[at + 6]! << 8) | bytes[at + 7]!,
    (bytes[at + 8]! << 8) | bytes[at + 9]!,
    (bytes[at + 10]! << 8) | bytes[at + 11]!,
    (bytes[at + 12]! << 8) | bytes[at + 13]!,
    (bytes[at + 14]! << 8) | bytes[at + 15]!,
  )
}

/** The first 16 bytes of a SHA-256: what Reticulum calls a truncated hash. */
export function truncated(hash: Uint8Array): Uint8Array {
  return hash.slice(0, ADDRESS_BYTES)
}

/** Whether `part` stands at `at` in `bytes`. */
export function holdsAt(bytes: Uint8Array, at: number, part: Uint8Array): boolean {
  for (let i = 0; i < part.length; i++) if (bytes[at + i] !== part[i]) return false
  return true
}

/** A whole number of up to six bytes, high byte first. */
export function readBigEndian(bytes: Uint8Array, at: number, length: number): number {
  let value = 0
  for (let i = 0; i < length; i++) value = value * 256 + bytes[at + i]!
  return value
}

/** Writes what {@link readBigEndian} reads. */
export function writeBigEndian(value: number, into: Uint8Array, at: number, length: number): void {
  let rest = value
  for (let i = length - 1; i >= 0; i--) {
    into[at + i] = rest % 256
    rest = Math.floor(rest / 256)
  }
}
