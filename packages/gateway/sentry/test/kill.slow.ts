import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { toHex } from '@nexus/codec'
import { expect, test } from 'vitest'
import { openSqliteSentryStore } from '../src/sqlite.ts'
import { openGate } from './gate.ts'
import { folder, seed } from './kit.ts'

const KILLS = Number(process.env['NEXUS_KILLS'] ?? 5)

test(`${KILLS} kills under load: nothing that came through comes through again`, {
  timeout: 60_000 + KILLS * 5_000,
}, async () => {
  const path = join(folder(), 'sentry.db')
  let admitted = 0
  let again = 0
  for (let kill = 0; kill < KILLS; kill++) {
    const lines = await runUntilKilled(path, 300 + ((kill * 137) % 500))
    const store = openSqliteSentryStore({ path })
    const gate = await openGate({ store })
    gate.nowMs = Date.now()
    const verdicts = await Promise.all(
      lines.map((line) => {
        const [targetUri, headers] = JSON.parse(line)
        return gate.sentry.admit({
          method: 'GET',
          targetUri,
          headers,
          body: new Uint8Array(0),
          remoteAddress: '127.0.0.1',
        })
      }),
    )
    admitted += lines.length
    again += verdicts.filter(({ kind }) => kind === 'admitted').length
    await store.close()
  }
  console.log(`${KILLS} kills, ${admitted} requests came through, ${again} again`)
  expect(admitted).toBeGreaterThan(KILLS * 10)
  expect(again).toBe(0)
})

/** Lines that are whole: what was written before the kill. It comes `afterMs` after the first. */
function runUntilKilled(path: string, afterMs: number): Promise<readonly string[]> {
  const child = fileURLToPath(new URL('kill-child.ts', import.meta.url))
  const flags = ['--conditions=nexus-source', '--disable-warning=ExperimentalWarning']
  const running = spawn(process.execPath, [...flags, child, path, toHex(seed)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let text = ''
  return new Promise((resolve) => {
    running.stdout.once('data', () => setTimeout(() => running.kill('SIGKILL'), afterMs))
    running.stdout.on('data', (chunk) => {
      text += chunk
    })
    running.once('close', () => resolve(text.split('\n').slice(0, -1)))
  })
}
