import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import process from 'node:process'
import { environment, run } from './child.mjs'
import { ExpectedFailure } from './failure.mjs'
import { withLock } from './lock.mjs'
import { rootFolder } from './paths.mjs'

const stampFolder = join(rootFolder, 'node_modules', '.nexus')

/**
 * Installs the dependencies of one package and of what it stands on, or of everything (`'all'`), exactly as locked.
 * Does nothing, and touches no network, when they are there already.
 */
export async function installWorkspace({ node, pnpm }, scope) {
  const wanted = hashOf(manifests())
  const installed = () => {
    const stamp = JSON.parse(readStamp('install') || '{}')
    return stamp.manifests === wanted ? stamp.scopes : []
  }
  const isCurrent = () => ['all', scope].some((name) => installed().includes(name))
  if (isCurrent()) return
  await withLock(join(rootFolder, 'node_modules', '.nexus-lock'), async () => {
    if (isCurrent()) return
    const filter = scope === 'all' ? [] : ['--filter', `${scope}...`]
    const reporter = process.stderr.isTTY ? 'default' : 'append-only'
    const flags = ['--frozen-lockfile', '--prod=false', '--ignore-scripts', `--reporter=${reporter}`]
    const settings = ['--config.confirmModulesPurge=false', '--config.updateNotifier=false']
    const startMs = Date.now()
    process.stderr.write(`Installing the dependencies of ${scope === 'all' ? 'everything' : scope} …\n`)
    const exitCode = await run(node, [pnpm, 'install', ...flags, ...settings, ...filter], { env: environment(node) })
    if (exitCode !== 0) throw new ExpectedFailure('pnpm could not install the dependencies; its own words are above.')
    process.stderr.write(`… done in ${((Date.now() - startMs) / 1000).toFixed(1)} s\n`)
    writeStamp('install', JSON.stringify({ manifests: wanted, scopes: [...installed(), scope] }))
  })
}

/** Runs the script of a package that makes `output`, unless that is there and its sources are as they were then. */
export async function buildOnce({ node, pnpm }, { folder, script, output }) {
  const scripts = readdirSync(join(rootFolder, folder)).filter((file) => /\.mjs$|^package\.json$/.test(file))
  const sources = filesIn(join(rootFolder, folder, 'src')).concat(scripts.map((file) => join(rootFolder, folder, file)))
  const wanted = hashOf(sources)
  const name = `${folder}-${script}`.replace(/[^a-z0-9]+/gi, '-')
  if (readStamp(name) === wanted && existsSync(join(rootFolder, folder, output))) return
  const exitCode = await run(node, [pnpm, '--dir', folder, 'run', script], { env: environment(node), quiet: true })
  if (exitCode !== 0) throw new ExpectedFailure(`${script} of ${folder} failed; its own words are above.`)
  writeStamp(name, wanted)
}

/** Everything that decides what an install brings. */
function manifests() {
  const folders = ['apps', ...readdirSync(join(rootFolder, 'packages')).map((layer) => join('packages', layer))]
  const members = folders.flatMap((folder) => readdirSync(join(rootFolder, folder)).map((name) => join(folder, name)))
  return [
    'pnpm-lock.yaml',
    'pnpm-workspace.yaml',
    ...['.', 'bench', 'conformance-vectors', 'tools', ...members].map(manifestOf),
  ]
    .map((file) => join(rootFolder, file))
    .filter((file) => existsSync(file))
}

function manifestOf(folder) {
  return join(folder, 'package.json')
}

function filesIn(folder) {
  return readdirSync(folder)
    .map((name) => join(folder, name))
    .flatMap((path) => (statSync(path).isDirectory() ? filesIn(path) : [path]))
}

function hashOf(files) {
  const hash = createHash('sha256').update(`${process.platform} ${process.arch}\n`)
  for (const file of files.sort()) hash.update(`${file.slice(rootFolder.length)}\n`).update(readFileSync(file))
  return hash.digest('hex')
}

function readStamp(name) {
  const file = join(stampFolder, name)
  return existsSync(file) ? readFileSync(file, 'utf8') : undefined
}

function writeStamp(name, value) {
  const file = join(stampFolder, name)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, value)
}
