import { existsSync, readFileSync } from 'node:fs'
import type { Crypto } from '@nexus/crypto'
import { readIdentityFile } from '@nexus/identity/node'
import { CommandFailure } from '../cli/failure.ts'

/** Where a seed is, and how it is opened. */
export interface KeyPlace {
  readonly file: string
  readonly passphraseFile?: string | undefined
  readonly plainAllowed?: boolean | undefined
}

/** The seed in an identity file. @throws {CommandFailure} where there is none; {IdentityError} */
export function readSeed(crypto: Crypto, { file, passphraseFile, plainAllowed = false }: KeyPlace): Uint8Array {
  if (!existsSync(file)) {
    const next = `make one: nexus-gateway key create --file ${file}`
    throw new CommandFailure({ exit: 'config', code: 'key-missing', message: `there is no key at ${file}`, next })
  }
  const passphrase = passphraseFile === undefined ? undefined : firstLine(passphraseFile)
  return readIdentityFile(crypto, file, { plainAllowed, ...(passphrase !== undefined && { passphrase }) })
}

/** A secret is the first line of its file. @throws {CommandFailure} */
export function firstLine(path: string): string {
  const wrong = (why: string) =>
    new CommandFailure({ exit: 'config', code: 'passphrase-file', message: `${path} ${why}` })
  if (!existsSync(path)) throw wrong('does not exist')
  const [line = ''] = readFileSync(path, 'utf8').split(/\r?\n/)
  if (line === '') throw wrong('is empty')
  return line
}
