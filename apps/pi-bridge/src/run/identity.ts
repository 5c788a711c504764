import { existsSync, readFileSync, renameSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Crypto } from '@nexus/crypto'
import { createIdentity, type Identity, IdentityError, identityFileKind } from '@nexus/identity'
import { readIdentityFile } from '@nexus/identity/node'
import { CommandFailure } from '../cli/failure.ts'
import { askSecret, firstLineOf, readSecretFile } from '../cli/secrets.ts'

/** Where the passphrase comes from, in this order: at hand, a file, standard input, NEXUS_PASSPHRASE, a systemd credential, the user. */
export interface PassphraseSource {
  readonly atHand?: string | undefined
  readonly file?: string | undefined
  readonly isStdin?: boolean | undefined
}

/** Name of the credential that a service manager may hand over (systemd.exec(5), LoadCredential). */
const CREDENTIAL = 'nexus-passphrase'

export interface OpenOptions {
  readonly stateDir: string
  warn(text: string): void
  /** Makes further keys of the seed, before it is wiped. */
  use?(seed: Uint8Array): Promise<void>
}

/**
 * Opens the identity file of a node. One in its state folder that is no identity any more is put aside under another name,
 * never replaced; a file elsewhere is left alone, since it may be something else altogether.
 * @throws {CommandFailure}
 */
export async function openIdentity(
  crypto: Crypto,
  path: string,
  source: PassphraseSource,
  { stateDir, warn, use }: OpenOptions,
): Promise<Identity> {
  let seed: Uint8Array
  try {
    seed = await openSeed(crypto, path, source, warn)
  } catch (error) {
    const isDamaged = error instanceof CommandFailure && error.facts.code === DAMAGED
    throw isDamaged && dirname(path) === stateDir ? putAside(path, error) : error
  }
  try {
    await use?.(seed)
    return createIdentity(crypto, seed)
  } finally {
    seed.fill(0)
  }
}

/** The seed of an identity file; the caller wipes it. @throws {CommandFailure} */
export async function openSeed(
  crypto: Crypto,
  path: string,
  source: PassphraseSource,
  warn: (text: string) => void,
): Promise<Uint8Array> {
  if (!existsSync(path)) {
    throw new CommandFailure({
      exit: 'config',
      code: 'identity-missing',
      message: `there is no identity at ${path}`,
      next: `make one with nexus-keygen identity --out ${path}`,
    })
  }
  try {
    const kind = identityFileKind(new Uint8Array(readFileSync(path)))
    const passphrase = kind === 'plain' ? undefined : await passphraseFor(path, source)
    // The service manager's credentials have a group that only it and this service are in.
    const credentials = process.env['CREDENTIALS_DIRECTORY']
    const isCredential = credentials !== undefined && path.startsWith(credentials)
    return readIdentityFile(crypto, path, {
      plainAllowed: true,
      warn: isCredential ? () => {} : warn,
      ...(passphrase === undefined ? {} : { passphrase }),
    })
  } catch (error) {
    if (error instanceof CommandFailure) throw error
    throw identityFailure(path, error)
  }
}

/** The passphrase that the identity at `path` needs; undefined where it needs none, or is no identity. @throws {CommandFailure} */
export async function passphraseOf(path: string, source: PassphraseSource): Promise<string | undefined> {
  try {
    if (identityFileKind(new Uint8Array(readFileSync(path))) === 'plain') return undefined
  } catch {
    return undefined
  }
  return passphraseFor(path, source)
}

async function passphraseFor(path: string, { atHand, file, isStdin }: PassphraseSource): Promise<string> {
  if (atHand !== undefined) return atHand
  if (file !== undefined) return readSecretFile(file)
  if (isStdin === true) return firstLineOf(readFileSync(0, 'utf8'), 'standard input')
  const variable = process.env['NEXUS_PASSPHRASE']
  if (variable !== undefined && variable !== '') {
    // Programs that this process starts need not know it.
    delete process.env['NEXUS_PASSPHRASE']
    return variable
  }
  const credentials = process.env['CREDENTIALS_DIRECTORY']
  if (credentials !== undefined && existsSync(join(credentials, CREDENTIAL))) {
    return readSecretFile(join(credentials, CREDENTIAL))
  }
  const asked = await askSecret(`Passphrase of ${path}: `)
  if (asked !== undefined) return asked
  throw new CommandFailure({
    exit: 'config',
    code: 'passphrase-missing',
    message: `${path} is encrypted, and there is no terminal to ask for its passphrase`,
    next: 'give --identity-passphrase-file, --passphrase-stdin or NEXUS_PASSPHRASE',
  })
}

function identityFailure(path: string, error: unknown): CommandFailure {
  const code = error instanceof IdentityError ? error.detail.code : undefined
  const message = error instanceof Error ? error.message : String(error)
  if (code === undefined) {
    return new CommandFailure({ exit: 'config', code: 'identity-unreadable', message: `${path}: ${message}` })
  }
  if (code === 'identity/file-format' || (code === 'identity/unlock' && isPlain(path))) return damaged(path)
  const next =
    code === 'identity/unlock' ? 'try the passphrase again; if it is right, restore the file from a backup' : undefined
  return new CommandFailure({ exit: 'config', code, message: `${path}: ${message}`, next })
}

function isPlain(path: string): boolean {
  try {
    return identityFileKind(new Uint8Array(readFileSync(path))) === 'plain'
  } catch {
    return false
  }
}

const DAMAGED = 'identity-damaged'

function damaged(path: string): CommandFailure {
  const next = `restore it from a backup, or from shares with nexus-keygen shares combine --out ${path}`
  return new CommandFailure({ exit: 'config', code: DAMAGED, message: `${path} is damaged or half-written`, next })
}

function putAside(path: string, failure: CommandFailure): CommandFailure {
  let n = 1
  while (existsSync(`${path}.damaged-${n}`)) n++
  const aside = `${path}.damaged-${n}`
  try {
    renameSync(path, aside)
  } catch {
    return failure
  }
  return new CommandFailure({ ...failure.facts, message: `${failure.message}; it is kept as ${aside}` })
}
