import { readdirSync, rmSync } from 'node:fs'
import { CommandFailure } from '../cli/failure.ts'
import { PLAN } from './plan.ts'

/** The genesis of the demonstration's economy, in its state folder beside a folder for each node. */
export const GENESIS_FILE = 'genesis'

/** Removes the state of the demonstration. @throws {CommandFailure} for a folder that holds anything else: it stays as it is */
export function clearState(stateDir: string): void {
  const own = [GENESIS_FILE, ...PLAN.map(({ name }) => name)]
  const stranger = namesIn(stateDir).find((name) => !own.includes(name))
  if (stranger !== undefined) {
    const message = `${stateDir} holds ${stranger}, which is not of the demonstration: nothing is removed`
    const next = 'name another folder with --state'
    throw new CommandFailure({ exit: 'failed', code: 'state-foreign', message, next })
  }
  rmSync(stateDir, { recursive: true, force: true })
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}
