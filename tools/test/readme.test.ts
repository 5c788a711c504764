import { spawn } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { members, readText } from '../lib/house.ts'
import { typescriptBlocks } from '../lib/manifests.ts'
import { rootFolder } from '../lib/root.ts'

const EXAMPLE_LIMIT_MS = 20_000
const AT_ONCE = 2

const withReadme = members().filter(({ folder, files }) => files.includes(`${folder}/README.md`))
const free: (() => void)[] = []
let running = 0

/** Each example runs as a reader would run it: a file in the package's folder, in a process of its own. */
for (const { folder } of withReadme) {
  const blocks = typescriptBlocks(readText(`${folder}/README.md`))
  if (blocks.length === 0) continue
  describe.concurrent(`${folder}/README.md`, () => {
    const scratch = join(rootFolder, folder, '.readme')
    afterAll(() => rmSync(scratch, { recursive: true, force: true }))

    test.each(blocks)('the example at line $line runs', async ({ code, line }) => {
      mkdirSync(scratch, { recursive: true })
      const file = join(scratch, `line-${line}.ts`)
      writeFileSync(file, code)
      expect(await takeTurn(() => runExample(file, join(rootFolder, folder)))).toEqual({ exitCode: 0, errors: '' })
    })
  })
}

test('every package under packages/ has an example in its README', () => {
  const without = withReadme
    .filter(({ folder }) => folder.startsWith('packages/'))
    .filter(({ folder }) => typescriptBlocks(readText(`${folder}/README.md`)).length === 0)
  expect(without.map(({ folder }) => folder)).toEqual([])
})

async function takeTurn<T>(work: () => Promise<T>): Promise<T> {
  if (running >= AT_ONCE) await new Promise<void>((resolve) => free.push(resolve))
  running += 1
  try {
    return await work()
  } finally {
    running -= 1
    free.shift()?.()
  }
}

function runExample(file: string, cwd: string): Promise<{ exitCode: number | null; errors: string }> {
  const flags = ['--conditions=nexus-source', '--disable-warning=ExperimentalWarning', '--unhandled-rejections=strict']
  const child = spawn(process.execPath, [...flags, file], { cwd, stdio: ['ignore', 'ignore', 'pipe'] })
  let errors = ''
  child.stderr.on('data', (chunk) => {
    errors += chunk
  })
  const timer = setTimeout(() => {
    errors += `still running after ${EXAMPLE_LIMIT_MS} ms`
    child.kill('SIGKILL')
  }, EXAMPLE_LIMIT_MS)
  return new Promise((resolve) => {
    child.once('close', (exitCode) => {
      clearTimeout(timer)
      resolve({ exitCode, errors })
    })
  })
}
