/** Identity files on disk, for Node: atomic, mode 0600, with the scrypt of OpenSSL (docs/spec/identity.md). */
import { randomBytes, scryptSync } from 'node:crypto'
import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  linkSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { toHex } from '@nexus/codec'
import { type Crypto, KEY_BYTES, systemRandom } from '@nexus/crypto'
import { IdentityError } from './errors.ts'
import { openIdentityFile, plainIdentityFile, sealIdentityFile } from './identity-file.ts'
import { FILE_SEALED_BYTES } from './limits.ts'
import type { Scrypt, ScryptCost } from './scrypt.ts'

export interface WriteOptions {
  /** Whether a file that is there already is replaced; refused if not given. */
  readonly overwrite?: boolean
}

export interface SealedWriteOptions extends WriteOptions {
  readonly passphrase: string
  readonly cost?: ScryptCost
}

export interface ReadOptions {
  /** For encrypted files. */
  readonly passphrase?: string
  /** Whether an unencrypted file is taken too; refused if not given. */
  readonly plainAllowed?: boolean
  /** Told when others than the owner may use the file; `process.emitWarning` if not given. */
  readonly warn?: (text: string) => void
}

/** scrypt of OpenSSL, faster than the portable one. */
export const nodeScrypt: Scrypt = (passphrase, salt, { log2N, r, p }) => {
  const N = 2 ** log2N
  const maxmem = 128 * r * (N + p + 2) + 1_048_576
  return new Uint8Array(scryptSync(passphrase, salt, KEY_BYTES, { N, r, p, maxmem }))
}

/** Writes a seed under a passphrase. @throws {IdentityError} `identity/file-exists` */
export function writeIdentityFile(crypto: Crypto, path: string, seed: Uint8Array, options: SealedWriteOptions): void {
  const { overwrite = false, ...sealing } = options
  const file = sealIdentityFile(crypto, systemRandom, seed, { ...sealing, scrypt: nodeScrypt })
  writePrivateFile(path, file, { overwrite })
}

/** Writes a seed unencrypted, for relays that start without a person. @throws {IdentityError} `identity/file-exists` */
export function writePlainIdentityFile(
  crypto: Crypto,
  path: string,
  seed: Uint8Array,
  options: WriteOptions = {},
): void {
  writePrivateFile(path, plainIdentityFile(crypto, seed), options)
}

/** Reads the seed in an identity file. @throws {IdentityError} as {@link openIdentityFile} does */
export function readIdentityFile(crypto: Crypto, path: string, options: ReadOptions = {}): Uint8Array {
  const { warn = (text) => process.emitWarning(text), ...opening } = options
  // Opening a named pipe would wait for its writer; so it is not waited for, and then refused as no regular file.
  const file = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0))
  try {
    const { mode, size } = fstatSync(file)
    if ((mode & constants.S_IFMT) !== constants.S_IFREG || size > FILE_SEALED_BYTES) {
      throw new IdentityError({ code: 'identity/file-format' })
    }
    if (hasOwners && (mode & 0o077) !== 0) {
      warn(`${path} has mode ${(mode & 0o777).toString(8)}: others may use this identity; chmod 600 it`)
    }
    return openIdentityFile(crypto, new Uint8Array(readFileSync(file)), { ...opening, scrypt: nodeScrypt })
  } finally {
    closeSync(file)
  }
}

/**
 * Writes a file that only its owner may read, all or nothing: after a crash there is the old file or the new one, and
 * what was written is on the disk when this returns.
 * @throws {IdentityError} `identity/file-exists`
 */
export function writePrivateFile(path: string, bytes: Uint8Array, options: WriteOptions = {}): void {
  const temporary = `${path}.${toHex(randomBytes(8))}.tmp`
  const file = openSync(temporary, 'wx', 0o600)
  try {
    try {
      writeFileSync(file, bytes)
      fsyncSync(file)
    } finally {
      closeSync(file)
    }
    if (options.overwrite === true) renameSync(temporary, path)
    else placeNew(temporary, path)
  } catch (error) {
    rmSync(temporary, { force: true })
    throw error
  }
  syncDirectory(dirname(path))
}

const hasOwners = process.platform !== 'win32'

/** Gives `temporary` the name `path` unless that exists: a hard link never replaces, where a rename would. */
function placeNew(temporary: string, path: string): void {
  try {
    linkSync(temporary, path)
    unlinkSync(temporary)
  } catch (error) {
    const code = systemCodeOf(error)
    if (code === 'EEXIST') throw new IdentityError({ code: 'identity/file-exists', path })
    if (code === undefined || !WITHOUT_LINKS.includes(code)) throw error
    claimName(path)
    renameSync(temporary, path)
  }
}

/** What file systems without hard links answer. */
const WITHOUT_LINKS: readonly string[] = ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK']

/** Makes an empty file of this name, for the rename to replace; so of two writers at once one is refused. */
function claimName(path: string): void {
  try {
    closeSync(openSync(path, 'wx', 0o600))
  } catch (error) {
    if (systemCodeOf(error) === 'EEXIST') throw new IdentityError({ code: 'identity/file-exists', path })
    throw error
  }
}

/** Makes the new name durable; Windows opens no directories, and keeps names in its journal. */
function syncDirectory(path: string): void {
  if (!hasOwners) return
  const directory = openSync(path, 'r')
  try {
    fsyncSync(directory)
  } finally {
    closeSync(directory)
  }
}

function systemCodeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}
