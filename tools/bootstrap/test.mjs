import { join } from 'node:path'
import { environment, runTethered } from './child.mjs'
import { rootFolder } from './paths.mjs'
import { toolchain } from './toolchain.mjs'
import { installWorkspace } from './workspace.mjs'

/** `npm test` and `npm run slow`: installs everything, then runs tools/test.ts or tools/slow.ts with the same arguments. */
export async function test(program, args) {
  const tools = await toolchain()
  await installWorkspace(tools, 'all')
  const flags = ['--disable-warning=ExperimentalWarning', join(rootFolder, 'tools', program)]
  return runTethered(tools.node, [...flags, ...args], { env: environment(tools.node) })
}
