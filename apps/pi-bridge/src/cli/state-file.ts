import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { Store } from '@nexus/channels'
import { loadConfig } from '../config/load.ts'
import { CommandFailure } from './failure.ts'
import type { GlobalFlags } from './frame.ts'

export interface StateFlags {
  /** A node's state file; that of the configuration, if not given. */
  readonly state?: string
}

/** The state file that is meant, whether there is one or not. */
export function statePath(global: GlobalFlags, flags: StateFlags): string {
  return flags.state ?? join(loadConfig({ file: global.config, env: process.env }).config.stateDir, 'state.db')
}

/** @throws {CommandFailure} where there is no file */
export function existingState(global: GlobalFlags, flags: StateFlags): string {
  const path = statePath(global, flags)
  if (existsSync(path)) return path
  const next = 'start the node once, or name its state file with --state'
  throw new CommandFailure({ exit: 'notFound', code: 'no-state', message: `there is no ${path}`, next })
}

/**
 * Reads a state file that a running node may be writing to, and changes nothing.
 * @throws {CommandFailure} where it is no such file, or damaged
 */
export function readState<T>(path: string, read: (store: Pick<Store, 'get' | 'entries'>) => T): T {
  return onDatabase(path, (database) => {
    const one = database.prepare('SELECT value FROM state WHERE key = ?')
    const some = database.prepare('SELECT key, value FROM state WHERE key >= ? AND key < ?')
    return read({
      get: (key) => one.get(key)?.['value'] as Uint8Array | undefined,
      entries: (prefix) =>
        some
          .all(prefix, `${prefix}\uffff`)
          .map(({ key, value }): [string, Uint8Array] => [key as string, value as Uint8Array]),
    })
  })
}

/** Copies a state file as it is at one moment. @throws {CommandFailure} */
export function copyState(path: string, copy: string): void {
  onDatabase(path, (database) => database.prepare('VACUUM INTO ?').run(copy))
}

function onDatabase<T>(path: string, work: (database: DatabaseSync) => T): T {
  try {
    const database = new DatabaseSync(path, { readOnly: true })
    try {
      return work(database)
    } finally {
      database.close()
    }
  } catch (error) {
    const message = `${path} cannot be read: ${(error as Error).message}`
    throw new CommandFailure({ exit: 'failed', code: 'state-damaged', message }, { cause: error })
  }
}
