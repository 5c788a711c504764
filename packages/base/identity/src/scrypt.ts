import { KEY_BYTES } from '@nexus/crypto'
import { scrypt } from '@noble/hashes/scrypt.js'
import { SCRYPT_LOG2_N_MIN, SCRYPT_MEMORY_BYTES_MAX, SCRYPT_WORK_MAX } from './limits.ts'

/** What scrypt (RFC 7914) costs: N = 2^log2N, block size r, parallelisation p. Memory is 128·N·r bytes. */
export interface ScryptCost {
  readonly log2N: number
  readonly r: number
  readonly p: number
}

/** Derives a 32-byte key from a passphrase. */
export type Scrypt = (passphrase: Uint8Array, salt: Uint8Array, cost: ScryptCost) => Uint8Array

/** 128 MiB: some tenths of a second on a desktop, a few seconds on a small board. */
export const SCRYPT_COST: ScryptCost = Object.freeze({ log2N: 17, r: 8, p: 1 })

/** scrypt in JavaScript. `@nexus/identity/node` has a faster one. */
export const portableScrypt: Scrypt = (passphrase, salt, { log2N, r, p }) =>
  scrypt(passphrase, salt, { N: 2 ** log2N, r, p, dkLen: KEY_BYTES, maxmem: SCRYPT_MEMORY_BYTES_MAX * 2 })

/** Whether a key may be derived at this cost: whoever wrote the file must not get to exhaust who reads it. */
export function isAcceptableCost(cost: ScryptCost): boolean {
  const { log2N, r, p } = cost
  if (![log2N, r, p].every((value) => Number.isInteger(value) && value >= 1 && value <= 255)) return false
  if (log2N < SCRYPT_LOG2_N_MIN) return false
  const blocks = 2 ** log2N * r
  return 128 * blocks <= SCRYPT_MEMORY_BYTES_MAX && blocks * p <= SCRYPT_WORK_MAX
}
