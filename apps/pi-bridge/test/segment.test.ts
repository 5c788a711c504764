import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, expect, test } from 'vitest'
import { CommandFailure } from '../src/cli/failure.ts'
import { loadSegmentSettings } from '../src/segment/settings.ts'

const PROGRAM = fileURLToPath(new URL('../src/bin/nexus-segment.ts', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'nexus-segment-'))
// No interface of this name: the node runs, and says nothing to any network.
const env = { ...process.env, NX0_STATE_DIR: join(folder, 'state'), NX0_INTERFACES: 'none0', NX0_NAME: 'tester' }

afterAll(() => rmSync(folder, { recursive: true, force: true }))

function segment(...args: string[]): { child: ChildProcess; out: () => string; exit: Promise<number | null> } {
  const flags = ['--conditions=nexus-source', '--disable-warning=ExperimentalWarning']
  const child = spawn(process.execPath, [...flags, PROGRAM, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] })
  let text = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (text += chunk))
  return { child, out: () => text, exit: new Promise((resolve) => child.once('close', resolve)) }
}

test('starts, shows its status, refuses a second one, ends; without it status says that nothing runs', async () => {
  const lonely = segment('status')
  expect(await lonely.exit).toBe(3)
  const running = segment('start', '--json')
  await expect.poll(running.out, { timeout: 20_000 }).toContain('nexus-segment-started/1')
  const status = segment('status', '--json')
  expect(await status.exit).toBe(0)
  expect(JSON.parse(status.out())).toMatchObject({ schema: 'nexus-segment/1', name: 'tester', interfaces: [] })
  const second = segment('start')
  expect(await second.exit).toBe(6)
  running.child.kill('SIGTERM')
  expect(await running.exit).toBe(0)
})

test('settings come from the file, then from variables, and each wrong one is named', () => {
  const file = join(folder, 'nexus.toml')
  writeFileSync(file, '[segment]\nname = "Tent"\nego = 40\nzone = "Medical"\npassphraseFile = "secret"\n')
  expect(loadSegmentSettings(file, { NX0_EGO: '50', NX0_TYPE: 'Bridge', NX0_PORT: '20000' })).toMatchObject({
    ...{ name: 'Tent', ego: 50, type: 'Bridge', zone: 'Medical', port: 20_000, admission: 'passphrase' },
  })
  const key = 'ab'.repeat(32)
  expect(loadSegmentSettings(undefined, { NX0_ALLOW: `${key}=7,${'cd'.repeat(32)}` })).toMatchObject({
    ...{ admission: 'allow-list', allow: { [key]: 7, ['cd'.repeat(32)]: 'any' } },
  })
  expect(loadSegmentSettings(undefined, {}).admission).toBe('open')
  const refused = (env: Record<string, string>) => () => loadSegmentSettings(undefined, env)
  expect(refused({ NX0_EGO: '300' })).toThrow(CommandFailure)
  expect(refused({ NX0_EGO: '300' })).toThrow(/ego/)
  expect(refused({ NX0_TYPE: 'Boat' })).toThrow(/type/)
  expect(refused({ NX0_ADMISSION: 'passphrase' })).toThrow(/passphraseFile/)
  expect(refused({ NX0_ALLOW: 'xyz' })).toThrow(/allow\.xyz/)
})
