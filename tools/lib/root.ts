import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The repository. */
export const rootFolder: string = fileURLToPath(new URL('../..', import.meta.url))

/** The file that Node.js runs for a command of a package that the tools depend on. */
export function programOf(packageName: string, command: string = packageName): string {
  const require = createRequire(join(rootFolder, 'tools', 'package.json'))
  const manifest = require.resolve(`${packageName}/package.json`)
  const { bin } = require(manifest)
  return join(dirname(manifest), typeof bin === 'string' ? bin : bin[command])
}
