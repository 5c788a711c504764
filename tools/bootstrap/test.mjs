import { join } from 'node:path'
import { environment, runTethered } from './child.mjs'
import { rootFolder } from './paths.mjs'
import { toolchain } from './toolchain.mjs'
import { installWorkspace } from './workspace.mjs'

/** `npm test [-- vitest flags]`: installs everything, then runs every check (tools/test.mjs). */
export async function test(args) {
  const tools = await toolchain()
  await installWorkspace(tools, 'all')
  return runTethered(tools.node, [join(rootFolder, 'tools', 'test.mjs'), ...args], { env: environment(tools.node) })
}
