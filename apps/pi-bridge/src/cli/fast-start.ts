import { enableCompileCache } from 'node:module'
import { join } from 'node:path'
import envPaths from 'env-paths'

/**
 * Keeps compiled code between runs, which halves the time that a command takes to begin. In the user's own folder: in a
 * shared one, others could put code there. Without such a folder nothing is kept.
 */
export function fastStart(): void {
  enableCompileCache(join(envPaths('nexus', { suffix: '' }).cache, 'compiled'))
}
