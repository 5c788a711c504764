import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { CommandFailure } from '../cli/failure.ts'

/**
 * Keeps a second node off the state folder. The lock is SQLite's own on a file beside the state: the kernel gives it back
 * when the process ends in whatever way, so that nothing stale is ever left.
 */
export interface StateLock {
  release(): void
}

const SQLITE_BUSY = 5

/** @throws {CommandFailure} `running` where another process holds it */
export function lockState(stateDir: string): StateLock {
  const db = new DatabaseSync(join(stateDir, 'lock'))
  try {
    db.exec('PRAGMA busy_timeout = 0; PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE')
  } catch (error) {
    db.close()
    if ((error as { errcode?: number }).errcode !== SQLITE_BUSY) throw error
    throw new CommandFailure({
      exit: 'running',
      code: 'already-running',
      message: `a node is already running on ${stateDir}`,
      next: 'look at it with nexus-status, end it with nexus-node stop, or give the other node a --state-dir of its own',
    })
  }
  return { release: () => void (db.isOpen && db.close()) }
}
