/**
 * Builds the package in the current folder into dist/: an ES module and a declaration for each entry of its exports, from
 * the source that the entry names under `nexus-source`, and a program for each of its bins. Dependencies stay imports;
 * what entries share becomes a chunk. A page that the package serves (`build:page`) comes last. Run by turbo, which has built the dependencies before.
 */
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { build } from 'tsup'
import { worldOf } from './lib/entries.ts'
import { programOf, rootFolder } from './lib/root.ts'
import { runStep } from './lib/steps.ts'

/** A consumer has no sources: `./x.ts` in a declaration means `./x.js`, which resolves to `./x.d.ts`. */
const RELATIVE_SOURCE = /(\b(?:from|import)\s*\(?\s*['"]\.{1,2}\/[^'"]*)\.ts(['"])/g

const folder = process.cwd()
const manifest = JSON.parse(readFileSync('package.json', 'utf8'))
const entries = Object.entries(manifest.exports ?? {})
  .filter(([, target]) => target['nexus-source'])
  .map(([entry, target]) => ({ entry, source: target['nexus-source'], output: target.default }))
const programs = Object.values(manifest.bin ?? {}).map((output) => ({ source: sourceOf(output), output }))

rmSync('dist', { recursive: true, force: true })
await bundle()
if (entries.length > 0) await declare()
if (manifest.scripts['build:page']) {
  const pnpm = join(rootFolder, 'tools', 'bootstrap', 'node_modules', 'pnpm', 'bin', 'pnpm.cjs')
  await mustRun([pnpm, '--dir', folder, 'run', 'build:page'])
}

async function bundle() {
  const portable = programs.length === 0 && entries.some(({ entry }) => worldOf(manifest.name, entry) === undefined)
  await build({
    entry: Object.fromEntries([...entries, ...programs].map(({ source, output }) => [nameOf(output), source])),
    outDir: 'dist',
    format: 'esm',
    target: 'es2022',
    platform: portable ? 'neutral' : 'node',
    external: [/^node:/],
    removeNodeProtocol: false,
    splitting: true,
    treeshake: true,
    sourcemap: false,
    dts: false,
    clean: false,
    silent: true,
    config: false,
  })
}

async function declare() {
  const project = join(folder, 'dist', 'tsconfig.json')
  const compilerOptions = {
    noEmit: false,
    declaration: true,
    emitDeclarationOnly: true,
    rootDir: '../src',
    outDir: '.',
    customConditions: [],
  }
  const config = { extends: join(rootFolder, 'tsconfig.base.json'), compilerOptions }
  const files = entries.map(({ source }) => join('..', source))
  writeFileSync(project, JSON.stringify({ ...config, files, include: ['../src/**/*.d.ts'] }))
  await mustRun([programOf('typescript', 'tsc'), '-p', project])
  rmSync(project)
  for (const file of readdirSync('dist', { recursive: true }).filter((name) => name.endsWith('.d.ts'))) {
    const path = join('dist', file)
    writeFileSync(path, readFileSync(path, 'utf8').replaceAll(RELATIVE_SOURCE, '$1.js$2'))
  }
}

/** `./dist/bin/x.js` is built from `./src/bin/x.ts`. */
function sourceOf(output) {
  return `./src/${nameOf(output)}.ts`
}

function nameOf(output) {
  return output.replace(/^\.\/dist\//, '').replace(/\.js$/, '')
}

async function mustRun(args) {
  const { exitCode, output } = await runStep(process.execPath, args, { quiet: true })
  if (exitCode === 0) return
  process.stderr.write(output)
  process.exit(exitCode)
}
