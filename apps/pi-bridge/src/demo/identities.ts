import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { type Crypto, systemRandom } from '@nexus/crypto'
import { createIdentity, type Identity } from '@nexus/identity'
import { readIdentityFile, writePlainIdentityFile } from '@nexus/identity/node'

/** The identity of a node of the demonstration: that of before, or a new one; without a passphrase, since it guards nothing. */
export function identityIn(crypto: Crypto, stateDir: string): Identity {
  mkdirSync(stateDir, { recursive: true })
  const path = join(stateDir, 'identity')
  if (!existsSync(path)) writePlainIdentityFile(crypto, path, systemRandom(32))
  return createIdentity(crypto, readIdentityFile(crypto, path, { plainAllowed: true }))
}
