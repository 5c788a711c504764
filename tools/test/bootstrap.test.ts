import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { rootFolder } from '../lib/root.ts'

const bootstrap = (file: string) => pathToFileURL(join(rootFolder, 'tools/bootstrap', file)).href
const LIMIT_MS = 8_000

let folder: string
const started: ChildProcess[] = []

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'nexus üß '))
})

afterEach(() => {
  for (const child of started.splice(0)) child.kill('SIGKILL')
  rmSync(folder, { recursive: true, force: true })
})

/** A module in the scratch folder, whose name has a space and letters beyond ASCII. */
function write(name: string, text: string): string {
  const file = join(folder, name)
  writeFileSync(file, text)
  return file
}

function start(file: string, env: Record<string, string | undefined> = {}): ChildProcess {
  const child = spawn(process.execPath, [file], { stdio: 'ignore', env: { ...process.env, ...env } })
  started.push(child)
  return child
}

async function appears(name: string): Promise<string> {
  const file = join(folder, name)
  for (const endMs = Date.now() + LIMIT_MS; Date.now() < endMs; ) {
    if (existsSync(file)) return readFileSync(file, 'utf8')
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  throw new Error(`${name} did not appear`)
}

/** A program that says that it is there, and says goodbye when it is asked to end. */
function demo(): string {
  const note = (name: string, value: string) => `writeFileSync(${JSON.stringify(join(folder, name))}, ${value})`
  return write(
    'demo.mjs',
    `import { writeFileSync } from 'node:fs'
     process.on('SIGTERM', () => { ${note('goodbye', "'SIGTERM'")}; process.exit(3) })
     setInterval(() => {}, 1000)
     ${note('hello', 'String(process.pid)')}`,
  )
}

function launcher(): string {
  return write(
    'launcher.mjs',
    `import { runTethered } from ${JSON.stringify(bootstrap('child.mjs'))}
     process.exitCode = await runTethered(process.execPath, [${JSON.stringify(demo())}])`,
  )
}

describe.skipIf(process.platform === 'win32')('a program that npm start runs', () => {
  test('gets the signal that its launcher gets, and its exit code is the launcher’s', async () => {
    const child = start(launcher())
    await appears('hello')
    child.kill('SIGTERM')
    expect(await once(child, 'exit')).toEqual([3, null])
    expect(await appears('goodbye')).toBe('SIGTERM')
  })

  test('ends when its launcher is killed without a word', async () => {
    const child = start(launcher())
    await appears('hello')
    child.kill('SIGKILL')
    expect(await appears('goodbye')).toBe('SIGTERM')
  })

  test.each(['parent', 'npm behind a shell'])('ends when the %s is killed', async (who) => {
    const shell = write(
      'shell.mjs',
      `import { spawn } from 'node:child_process'
       spawn(process.execPath, [${JSON.stringify(launcher())}], { stdio: 'ignore' })
       setInterval(() => {}, 1000)`,
    )
    const npm = write(
      'npm.mjs',
      `import { spawn } from 'node:child_process'
       import { writeFileSync } from 'node:fs'
       const shell = spawn(process.execPath, [${JSON.stringify(shell)}], { stdio: 'ignore' })
       writeFileSync(${JSON.stringify(join(folder, 'shell-pid'))}, String(shell.pid))
       setInterval(() => {}, 1000)`,
    )
    const underNpm = who !== 'parent'
    const child = start(underNpm ? npm : shell, { npm_lifecycle_event: underNpm ? 'start' : undefined })
    await appears('hello')
    child.kill('SIGKILL')
    expect(await appears('goodbye')).toBe('SIGTERM')
    if (underNpm) process.kill(Number(await appears('shell-pid')), 'SIGKILL')
  })
})

describe('two installs into one folder', () => {
  const use = () =>
    write(
      'install.mjs',
      `import { existsSync, rmSync, writeFileSync } from 'node:fs'
       import { withLock } from ${JSON.stringify(bootstrap('lock.mjs'))}
       const busy = ${JSON.stringify(join(folder, 'busy'))}
       await withLock(${JSON.stringify(join(folder, 'lock'))}, async () => {
         if (existsSync(busy)) process.exitCode = 1
         writeFileSync(busy, '')
         await new Promise((resolve) => setTimeout(resolve, 300))
         rmSync(busy)
       })`,
    )

  test('wait for each other', async () => {
    const file = use()
    const exits = await Promise.all([start(file), start(file)].map((child) => once(child, 'exit')))
    expect(exits).toEqual([
      [0, null],
      [0, null],
    ])
    expect(existsSync(join(folder, 'lock'))).toBe(false)
  })

  test('do not wait for a dead one', async () => {
    const dead = start(write('nothing.mjs', ''))
    await once(dead, 'exit')
    mkdirSync(join(folder, 'lock'))
    write(join('lock', 'pid'), String(dead.pid))
    expect(await once(start(use()), 'exit')).toEqual([0, null])
  })
})

test('an unknown demo is answered with the ones there are', async () => {
  const args = [join(rootFolder, 'tools/bootstrap/run.mjs'), 'start', 'nothing']
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'] })
  started.push(child)
  let said = ''
  child.stderr.on('data', (chunk) => {
    said += chunk
  })
  expect(await once(child, 'close')).toEqual([1, null])
  expect(said).toMatch(/no demo "nothing".*npm start runs: demo/)
})
