import { portable } from '@nexus/crypto'
import { createIdentity } from '@nexus/identity'
import fc from 'fast-check'
import { IdentityError } from '../src/index.ts'

export const crypto = portable()
export const seedOf = (byte: number) => new Uint8Array(32).fill(byte)
export const identityOf = (byte: number) => createIdentity(crypto, seedOf(byte))
export const exactly = (length: number) => fc.uint8Array({ minLength: length, maxLength: length })

/** The code of the typed error that `act` throws, `undefined` if it throws nothing; other errors go on. */
export function codeOf(act: () => unknown): string | undefined {
  try {
    act()
  } catch (error) {
    if (error instanceof IdentityError) return error.detail.code
    throw error
  }
  return undefined
}
