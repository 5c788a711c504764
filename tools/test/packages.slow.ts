import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { build } from 'esbuild'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { worldOf } from '../lib/entries.ts'
import { type Manifest, members } from '../lib/house.ts'
import { programOf, rootFolder } from '../lib/root.ts'

const MINUTES_MS = 60_000
const run = promisify(execFile)
const packages = members().filter(({ folder, manifest }) => folder.startsWith('packages/') && !manifest.private)
const entries = packages.flatMap(({ manifest }) =>
  Object.keys(manifest.exports ?? {}).map((entry) => describeEntry(manifest, entry)),
)

/** A stranger's project: our tarballs, the registry's packages, no workspace, no condition of ours. */
const consumer = mkdtempSync(join(tmpdir(), 'nexus-consumer-'))
const tarballs = join(consumer, 'tarballs')

beforeAll(async () => {
  await run(process.execPath, [programOf('turbo'), 'run', 'build', '--output-logs=errors-only', '--no-daemon'], {
    cwd: rootFolder,
    env: { ...process.env, TURBO_TELEMETRY_DISABLED: '1' },
  })
  mkdirSync(tarballs)
  const pnpm = join(rootFolder, 'tools/bootstrap/node_modules/pnpm/bin/pnpm.cjs')
  for (const { folder } of packages) {
    await run(process.execPath, [pnpm, 'pack', '--pack-destination', tarballs], { cwd: join(rootFolder, folder) })
  }
  writeFileSync(join(consumer, 'package.json'), JSON.stringify({ name: 'stranger', private: true, type: 'module' }))
  const files = readdirSync(tarballs).map((file) => `./tarballs/${file}`)
  const types = ['node', 'ws'].map((name) => `@types/${name}@${versionOf(`@types/${name}`)}`)
  await run('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', '--ignore-scripts', ...files, ...types], {
    cwd: consumer,
    shell: process.platform === 'win32',
  })
}, 5 * MINUTES_MS)

afterAll(() => rmSync(consumer, { recursive: true, force: true }), MINUTES_MS)

test('a packed package names versions, not the workspace', () => {
  expect(entries.length).toBeGreaterThan(packages.length)
  for (const { manifest } of packages) {
    const installed = readFileSync(join(consumer, 'node_modules', manifest.name, 'package.json'), 'utf8')
    expect(installed, manifest.name).not.toMatch(/workspace:|catalog:/)
  }
})

test(
  'a stranger’s TypeScript understands every entry',
  async () => {
    const lines = entries.map(({ name }, index) => `import * as entry${index} from '${name}'\nvoid entry${index}`)
    writeFileSync(join(consumer, 'all.ts'), lines.join('\n'))
    const compilerOptions = { strict: true, noEmit: true, module: 'nodenext', target: 'es2023', types: ['node'] }
    writeFileSync(join(consumer, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['all.ts'] }))
    expect(await faultsOf(programOf('typescript', 'tsc'), ['--pretty', 'false'])).toBe('')
  },
  MINUTES_MS,
)

test.each(entries.filter(({ needsRunner }) => !needsRunner))('$name loads in Node.js', async ({ name }) => {
  expect(await faultsOf('--input-type=module', ['-e', `await import(${JSON.stringify(name)})`])).toBe('')
})

test.each(entries.filter(({ world }) => world === undefined))('$name bundles for a browser', async ({ name }) => {
  const stdin = { contents: `export * from ${JSON.stringify(name)}`, resolveDir: consumer }
  const { errors } = await build({
    stdin,
    bundle: true,
    platform: 'browser',
    format: 'esm',
    write: false,
    logLevel: 'silent',
  })
  expect(errors).toEqual([])
})

describe.each(packages.map((member) => [member.manifest.name, member] as const))('%s', (_, { folder, manifest }) => {
  test('publint has nothing to say', async () => {
    const { messages } = await publint({
      pkgDir: join(rootFolder, folder),
      level: 'warning',
      strict: true,
      pack: false,
    })
    expect(messages.map((message) => formatMessage(message, manifest as never, { color: false }))).toEqual([])
  })

  test('its types are those of its modules', async () => {
    const file = readdirSync(tarballs).find(
      (name) =>
        name.startsWith(`${manifest.name.slice(1).replace('/', '-')}-0`) ||
        name.startsWith(`${manifest.name.slice(1).replace('/', '-')}-${manifest.version}`),
    )
    const args = [
      join(tarballs, file as string),
      '--profile',
      'esm-only',
      '--format',
      'ascii',
      '--no-color',
      '--no-emoji',
    ]
    expect(await faultsOf(programOf('@arethetypeswrong/cli', 'attw'), args)).toBe('')
  })
})

interface Entry {
  readonly name: string
  /** Why it needs Node.js, if it does. */
  readonly world: string | undefined
  /** It runs inside a test runner, which its package leaves to the consumer to bring, and cannot load without one. */
  readonly needsRunner: boolean
}

function describeEntry(manifest: Manifest, entry: string): Entry {
  return {
    name: manifest.name + entry.slice(1),
    world: worldOf(manifest.name, entry),
    needsRunner: entry === './testing' && manifest.peerDependenciesMeta?.['vitest']?.optional === true,
  }
}

async function faultsOf(program: string, args: readonly string[]): Promise<string> {
  try {
    await run(process.execPath, [program, ...args], { cwd: consumer })
    return ''
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string }
    return stdout + stderr || String(error)
  }
}

function versionOf(name: string): string {
  const workspace = readFileSync(join(rootFolder, 'pnpm-workspace.yaml'), 'utf8')
  const [, version] = new RegExp(`^ {2}"?${name}"?: (.+)$`, 'm').exec(workspace) ?? []
  if (version === undefined) throw new Error(`the catalog lacks ${name}`)
  return version
}
