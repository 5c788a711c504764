import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { fromHex } from '@nexus/codec'
import { Ledger, readStoredLedger, type StoredLedger } from '@nexus/crdt-ledger'
import type { Crypto } from '@nexus/crypto'
import { CommandFailure } from '../cli/failure.ts'
import type { GlobalFlags } from '../cli/frame.ts'
import { loadConfig } from '../config/load.ts'

/** Flags of the subcommands of nexus-ledger. */
export interface LedgerFlags {
  /** A node's state file; that of the configuration, if not given. */
  readonly state?: string
}

export interface OpenedLedger {
  readonly path: string
  readonly stored: StoredLedger
  /** The replica as the node would make it at its next start. */
  readonly ledger: Ledger
}

/**
 * Reads the ledger in a node's state file and changes nothing: the node may be running.
 * @throws {CommandFailure} where there is no file, or no ledger in it
 */
export function openLedger(crypto: Crypto, global: GlobalFlags, flags: LedgerFlags): OpenedLedger {
  const path = flags.state ?? join(loadConfig({ file: global.config, env: process.env }).config.stateDir, 'state.db')
  if (!existsSync(path)) {
    const next = 'start the node once, or name its state file with --state'
    throw new CommandFailure({ exit: 'notFound', code: 'no-state', message: `there is no ${path}`, next })
  }
  const stored = readStored(crypto, path)
  if (stored.snapshot === undefined) throw withoutSnapshot(path, stored)
  const ledger = new Ledger({ crypto, snapshot: stored.snapshot })
  ledger.load(stored.records)
  return { path, stored, ledger }
}

/** A NodeID of 32 hexadecimal digits. @throws {CommandFailure} for another text */
export function nodeIdFrom(text: string): Uint8Array {
  if (/^[0-9a-f]{32}$/i.test(text)) return fromHex(text)
  const message = `${JSON.stringify(text)} is no NodeID`
  throw new CommandFailure({ exit: 'usage', code: 'usage', message, next: 'a NodeID has 32 hexadecimal digits' })
}

function readStored(crypto: Crypto, path: string): StoredLedger {
  const database = new DatabaseSync(path, { readOnly: true })
  try {
    const one = database.prepare('SELECT value FROM state WHERE key = ?')
    const some = database.prepare('SELECT key, value FROM state WHERE key >= ? AND key < ?')
    return readStoredLedger(crypto, {
      get: (key) => one.get(key)?.['value'] as Uint8Array | undefined,
      entries: (prefix) =>
        some
          .all(prefix, `${prefix}\uffff`)
          .map(({ key, value }): [string, Uint8Array] => [key as string, value as Uint8Array]),
    })
  } catch (error) {
    const message = `${path} cannot be read: ${(error as Error).message}`
    throw new CommandFailure({ exit: 'failed', code: 'state-damaged', message }, { cause: error })
  } finally {
    database.close()
  }
}

function withoutSnapshot(path: string, { damaged }: StoredLedger): CommandFailure {
  const [first] = damaged
  if (first === undefined) {
    const message = `${path} holds no ledger: the node takes no part in an economy`
    return new CommandFailure({ exit: 'notFound', code: 'no-ledger', message })
  }
  const message = `the snapshot in ${path} is damaged: ${first.why}`
  const next = 'the node puts it aside at its next start and learns the ledger again from its neighbours'
  return new CommandFailure({ exit: 'failed', code: 'snapshot-damaged', message, next })
}
