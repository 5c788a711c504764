import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import process from 'node:process'
import { isAlive } from './orphan.mjs'

const POLL_MS = 500
const UNNAMED_MS = 5000

/** Runs `work` while no other process of this user installs into the same folder; says so once when it has to wait. */
export async function withLock(folder, work) {
  mkdirSync(dirname(folder), { recursive: true })
  let told = false
  while (!take(folder)) {
    if (!told) process.stderr.write('Another npm start or npm test is installing here; waiting for it.\n')
    told = true
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
  }
  try {
    return await work()
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function take(folder) {
  try {
    mkdirSync(folder)
    writeFileSync(join(folder, 'pid'), String(process.pid))
    return true
  } catch (error) {
    if (error.code !== 'EEXIST') throw error
    if (isHeld(folder)) return false
    rmSync(folder, { recursive: true, force: true })
    return take(folder)
  }
}

/** A lock is held while its process lives; one without a process id yet, for the moment that writing it takes. */
function isHeld(folder) {
  try {
    return isAlive(Number(readFileSync(join(folder, 'pid'), 'utf8')))
  } catch {
    const stat = statSync(folder, { throwIfNoEntry: false })
    return stat !== undefined && Date.now() - stat.mtimeMs < UNNAMED_MS
  }
}
