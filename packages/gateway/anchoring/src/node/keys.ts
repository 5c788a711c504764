import { type Crypto, systemRandom } from '@nexus/crypto'
import { readIdentityFile, writeIdentityFile } from '@nexus/identity/node'

/**
 * Makes the key of one chain, and seals it in a file of its own: a fresh seed, in the form of an identity file
 * (docs/spec/identity.md). What signs is derived from it: {@link secp256k1Secret}, {@link ed25519Seed}.
 * @returns the seed
 * @throws {IdentityError} `identity/file-exists`
 */
export function createChainKey(crypto: Crypto, path: string, passphrase: string): Uint8Array {
  const seed = systemRandom(32)
  writeIdentityFile(crypto, path, seed, { passphrase })
  return seed
}

/** The seed in a chain's key file. @throws {IdentityError} as `readIdentityFile` does; plain files are refused */
export function openChainKey(crypto: Crypto, path: string, passphrase: string): Uint8Array {
  return readIdentityFile(crypto, path, { passphrase })
}
