import { closeSync, copyFileSync, existsSync, fsyncSync, openSync, renameSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { equalBytes } from '@nexus/codec'
import type { Crypto } from '@nexus/crypto'
import { VaultError } from '../errors.ts'
import { type Recount, recount } from '../recount.ts'
import { storageError } from '../storage-error.ts'
import { lockLedger } from './lock.ts'
import { readSqliteLedger } from './open.ts'

/** What every backup and restore is told. */
export interface CopyOptions {
  readonly crypto: Crypto
  /** Told the entries that were verified. */
  readonly progress?: (entries: number) => void
}

export interface SqliteBackupOptions extends CopyOptions {
  /** The ledger's file; the gateway that holds it may go on writing. */
  readonly path: string
  /** The backup's file, which must not be there yet. */
  readonly to: string
}

export interface SqliteRestoreOptions extends CopyOptions {
  /** A backup of either engine, or the file of a ledger. */
  readonly from: string
  /** Where the ledger is to stand; no gateway may hold it. */
  readonly path: string
  /** The log's key: a ledger of another one is refused. */
  readonly publicKey: Uint8Array
  /** Whether a ledger that stands there gives way; it is kept as `<path>.replaced`. */
  readonly replace?: boolean
}

/** What was restored, and how many people were erased from it because the ledger before had erased them. */
export interface Restored extends Recount {
  /** `undefined` where the ledger before could not be read. */
  readonly erasedAgain: number | undefined
}

/**
 * Writes one moment of a ledger into a file of its own, counts it again, and only then gives it its name.
 * @throws {VaultError} `vault/not-empty`, `vault/corrupt`, `vault/schema`, `vault/storage`
 */
export function backupSqliteLedger({ path, to, ...options }: SqliteBackupOptions): Promise<Recount> {
  return makeVerified(to, options, (unnamed) => snapshot(path, unnamed))
}

/**
 * Puts a backup in a ledger's place after a full recount of the very file that will stand there. Whom the ledger before
 * had erased is erased from the restored one too.
 * @throws {VaultError} `vault/locked`, `vault/not-empty`, `vault/key`, `vault/corrupt`, `vault/schema`, `vault/storage`
 */
export async function restoreSqliteLedger(options: SqliteRestoreOptions): Promise<Restored> {
  const { from, path, publicKey, replace = false } = options
  const lock = lockLedger(path)
  try {
    const stands = existsSync(path)
    if (stands && !replace) throw new VaultError({ code: 'vault/not-empty', path })
    if (stands) refuseExisting(`${path}.replaced`)
    let erasedAgain: number | undefined = 0
    const verified = `${path}.restoring`
    discard(verified)
    const found = await makeVerified(verified, options, (unnamed) => {
      snapshot(from, unnamed)
      checkKey(unnamed, publicKey)
      if (stands) erasedAgain = eraseAgain(unnamed, path)
    })
    if (stands) keepReplaced(path)
    renameSync(verified, path)
    flush(dirname(path))
    return { ...found, erasedAgain }
  } catch (error) {
    throw storageError(error)
  } finally {
    lock[Symbol.dispose]()
  }
}

/**
 * Has a ledger file made beside `to`, counts it again and names it `to`; nothing is left of one that is not sound.
 * @throws {VaultError} `vault/not-empty`, `vault/corrupt`, `vault/storage`
 */
export async function makeVerified(
  to: string,
  { crypto, progress }: CopyOptions,
  make: (unnamed: string) => Promise<void> | void,
): Promise<Recount> {
  refuseExisting(to)
  const unnamed = `${to}.unverified`
  discard(unnamed)
  try {
    await make(unnamed)
    const ledger = readSqliteLedger(unnamed)
    const found = await recount(crypto, ledger, progress).finally(() => ledger.close())
    checkSound(found)
    flush(unnamed)
    renameSync(unnamed, to)
    flush(dirname(to))
    return found
  } catch (error) {
    discard(unnamed)
    throw storageError(error)
  }
}

/** @throws {VaultError} `vault/corrupt` with the first fault */
export function checkSound({ faults: [fault] }: Recount): void {
  if (fault !== undefined) throw new VaultError({ code: 'vault/corrupt', what: fault })
}

/** All of a ledger at one moment, log of writes included, as one compact file. */
function snapshot(path: string, to: string): void {
  using db = new DatabaseSync(path, { readOnly: true })
  db.prepare('VACUUM INTO ?').run(to)
}

function checkKey(path: string, publicKey: Uint8Array): void {
  using db = new DatabaseSync(path, { readOnly: true })
  const held = db.prepare('SELECT public_key FROM log').get()?.['public_key'] as Uint8Array | undefined
  if (held === undefined || !equalBytes(held, publicKey)) throw new VaultError({ code: 'vault/key', path })
}

/** People of `path` whom the ledger `before` knows by their pseudonym alone. */
function eraseAgain(path: string, before: string): number | undefined {
  using db = new DatabaseSync(path)
  db.exec('PRAGMA secure_delete = ON')
  try {
    db.prepare('ATTACH ? AS before').run(before)
    const { changes } = db
      .prepare(
        `DELETE FROM main.person WHERE party IN (
           SELECT mine.no FROM main.party mine JOIN before.party theirs ON theirs.pseudonym = mine.pseudonym
           WHERE theirs.no NOT IN (SELECT party FROM before.person))`,
      )
      .run()
    return Number(changes)
  } catch {
    return undefined
  }
}

/** Copies what is to be replaced, with its log of writes folded in; one that is broken is copied as it is. */
function keepReplaced(path: string): void {
  try {
    using db = new DatabaseSync(path)
    db.exec('PRAGMA journal_mode = DELETE')
  } catch {
    if (existsSync(`${path}-wal`)) copyFileSync(`${path}-wal`, `${path}.replaced-wal`)
  }
  copyFileSync(path, `${path}.replaced`)
  flush(`${path}.replaced`)
  flush(dirname(path))
  for (const end of ['-wal', '-shm']) rmSync(`${path}${end}`, { force: true })
}

function refuseExisting(path: string): void {
  if (existsSync(path)) throw new VaultError({ code: 'vault/not-empty', path })
}

function discard(path: string): void {
  for (const end of ['', '-wal', '-shm', '-journal']) rmSync(`${path}${end}`, { force: true })
}

/** What was written to a file, or a name in a folder, is on the disk afterwards. */
function flush(path: string): void {
  const file = openSync(path, 'r')
  try {
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}
