import { join } from 'node:path'
import process from 'node:process'
import { environment, runTethered } from './child.mjs'
import { ExpectedFailure } from './failure.mjs'
import { rootFolder } from './paths.mjs'
import { toolchain } from './toolchain.mjs'
import { buildOnce, installWorkspace } from './workspace.mjs'

const PAGE = { folder: 'packages/toolkit/dashboard', script: 'build:page', output: 'dist/page' }
/** What `npm start NAME` runs: the package to install, the program with its first arguments, the page if it shows one. */
const DEMOS = {
  demo: {
    package: '@nexus/pi-bridge',
    program: 'apps/pi-bridge/src/bin/nexus-node.ts',
    args: ['demo'],
    page: PAGE,
    /** Keeps its state, so that it knows the flag --fresh. */
    hasState: true,
  },
  segment: {
    package: '@nexus/pi-bridge',
    program: 'apps/pi-bridge/src/bin/nexus-segment.ts',
    args: ['demo'],
    page: PAGE,
  },
  gateway: {
    package: '@nexus/gateway-api',
    program: 'apps/gateway-api/src/bin/nexus-gateway.ts',
    args: ['demo'],
    hasState: true,
  },
}

/** `npm start [NAME] [-- flags]`: installs what the demo needs, builds its page, runs it to its end. */
export async function start(args) {
  const named = args.length > 0 && !args[0].startsWith('-')
  const name = named ? args[0] : 'demo'
  const demo = DEMOS[name]
  if (demo === undefined) {
    const known = Object.keys(DEMOS).join(', ')
    throw new ExpectedFailure(`There is no demo "${name}" in this version of NEXUS. npm start runs: ${known}.`)
  }
  const tools = await toolchain()
  await installWorkspace(tools, demo.package)
  if (demo.page !== undefined) await buildOnce(tools, demo.page)
  const flags = args.slice(named ? 1 : 0)
  // `npm start --fresh`, without the `--` in between: npm takes the flag for a setting of its own.
  if (process.env.npm_config_fresh === 'true' && !flags.includes('--fresh') && demo.hasState) flags.push('--fresh')
  const program = ['--conditions=nexus-source', '--disable-warning=ExperimentalWarning', join(rootFolder, demo.program)]
  return runTethered(tools.node, [...program, ...demo.args, ...flags], { env: environment(tools.node) })
}
