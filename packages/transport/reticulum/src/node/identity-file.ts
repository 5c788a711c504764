import { open, readFile, rename, rm } from 'node:fs/promises'
import type { ReticulumCrypto } from '../crypto.ts'
import { Identity } from '../identity.ts'

/** Reads an identity file of Reticulum: 64 bytes of private key. @throws {ReticulumError} `reticulum/length`; what the disk says */
export async function readIdentity(crypto: ReticulumCrypto, path: string): Promise<Identity> {
  return new Identity(crypto, new Uint8Array(await readFile(path)))
}

/** Writes an identity file as Reticulum reads it, whole or not at all, for its owner alone. */
export async function writeIdentity(identity: Identity, path: string): Promise<void> {
  const draft = `${path}.new`
  await rm(draft, { force: true })
  const file = await open(draft, 'wx', 0o600)
  try {
    await file.writeFile(identity.exportPrivateKey())
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(draft, path)
}
