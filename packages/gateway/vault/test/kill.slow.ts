import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { recount, Vault, type VaultStore } from '../src/index.ts'
import { openPostgresStore } from '../src/postgres.ts'
import { openSqliteStore } from '../src/sqlite.ts'
import { crypto, folder, random, request, seed } from './kit.ts'
import { postgresPrograms, startPostgres } from './postgres-server.ts'

const kills = Number(process.env['NEXUS_KILLS'] ?? 10)
const timeoutMs = 60_000 + kills * 5_000
const child = fileURLToPath(new URL('kill-child.ts', import.meta.url))

/** Starts the writer, kills it some time after its first answer, and gives what it had answered by then. */
function killedRun(place: string, run: number, afterMs: number): Promise<Map<string, number>> {
  const args = ['--conditions=nexus-source', '--disable-warning=ExperimentalWarning', child, place, `${run}`]
  const writer = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  let printed = ''
  writer.stdout.setEncoding('utf8')
  writer.stdout.on('data', (text: string) => {
    if (printed === '') setTimeout(() => writer.kill('SIGKILL'), afterMs)
    printed += text
  })
  return new Promise((resolve) => {
    writer.once('close', () => {
      const lines = printed.slice(0, printed.lastIndexOf('\n')).split('\n')
      const answers = lines.filter((line) => line !== '').map((line) => line.split(' ') as [string, string])
      resolve(new Map(answers.map(([key, index]) => [key, Number(index)])))
    })
  })
}

async function checkKills(place: string, open: () => Promise<VaultStore> | VaultStore): Promise<void> {
  const answered = new Map<string, number>()
  for (let run = 0; run < kills; run++) {
    const afterMs = (random(1)[0]! * 3) % 400
    for (const [key, index] of await killedRun(place, run, afterMs)) answered.set(key, index)
  }
  expect(answered.size).toBeGreaterThan(kills * 10)

  const store = await open()
  const { entries, faults } = await recount(crypto, store)
  expect(faults).toEqual([])
  expect(entries).toBeGreaterThanOrEqual(answered.size)

  const vault = new Vault(store, { crypto, random, now: Date.now, defer: setImmediate })
  const keys = [...answered.keys()]
  for (let from = 0; from < keys.length; from += 1_000) {
    const asked = keys.slice(from, from + 1_000)
    const again = await Promise.all(asked.map((idempotencyKey) => vault.append(request({ idempotencyKey }))))
    again.forEach(({ entry, replayed }, at) => {
      expect([replayed, entry.index]).toEqual([true, answered.get(asked[at]!)])
    })
  }
  expect((await vault.head())!.size).toBe(entries)
  await vault.close()
  console.log(`${kills} kills, ${answered.size} answered, ${entries} entries, 0 lost`)
}

test(
  `SQLite: ${kills} kills under load lose no answered entry and leave none half written`,
  async () => {
    const path = join(folder(), 'ledger.db')
    await checkKills(path, () => openSqliteStore({ path, seed, crypto, random }))
  },
  timeoutMs,
)

const programs = postgresPrograms()
const skipped = programs === undefined && process.env['CI'] === undefined
if (skipped) console.warn('PostgreSQL is not on this machine (initdb, postgres): its kills are SKIPPED')

test.skipIf(skipped)(
  `PostgreSQL: ${kills} kills of a gateway under load lose no answered entry and leave none half written`,
  async () => {
    if (programs === undefined) throw new Error('PostgreSQL (initdb, postgres) is needed here')
    const { url, stop } = await startPostgres(programs)
    await checkKills(url, () => openPostgresStore({ url, seed, crypto, random })).finally(stop)
  },
  timeoutMs,
)
