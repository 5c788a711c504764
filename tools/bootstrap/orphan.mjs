import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import process from 'node:process'

/**
 * Returns a function that tells whether whoever started us is gone: our parent or, where that is the shell that npm puts
 * between, npm itself. On Windows a child cannot tell.
 */
export function orphanWatch() {
  const parent = process.ppid
  const npm = process.env.npm_lifecycle_event === undefined ? 0 : parentOf(parent)
  return () => process.ppid !== parent || (npm > 1 && hasLeft(parent, npm))
}

/** On Linux a dead process may linger as a zombie, but its children have another parent by then. */
function hasLeft(shell, npm) {
  return process.platform === 'linux' ? parentOf(shell) !== npm : !isAlive(npm)
}

/** The process id of a process's parent; 0 where nothing tells. */
function parentOf(pid) {
  if (process.platform === 'win32') return 0
  try {
    if (process.platform !== 'linux') {
      return Number(spawnSync('ps', ['-o', 'ppid=', '-p', String(pid)], { encoding: 'utf8' }).stdout)
    }
    // Fields of stat: the id, the name in brackets, the state, the parent.
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return Number(stat.slice(stat.lastIndexOf(')')).split(' ')[2])
  } catch {
    return 0
  }
}

/** Whether a process of that id exists, ours or someone else's. */
export function isAlive(pid) {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error.code === 'EPERM'
  }
}
