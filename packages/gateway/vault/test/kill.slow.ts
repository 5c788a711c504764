import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { recount } from '../src/index.ts'
import { openSqliteStore, openSqliteVault } from '../src/sqlite.ts'
import { crypto, folder, random, request, seed } from './kit.ts'

const kills = Number(process.env['NEXUS_KILLS'] ?? 10)
const child = fileURLToPath(new URL('kill-child.ts', import.meta.url))

/** Starts the writer, kills it some time after its first answer, and gives what it had answered by then. */
function killedRun(path: string, run: number, afterMs: number): Promise<Map<string, number>> {
  const args = ['--conditions=nexus-source', '--disable-warning=ExperimentalWarning', child, path, `${run}`]
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
      resolve(
        new Map(
          lines
            .filter((line) => line !== '')
            .map((line) => {
              const [key, index] = line.split(' ') as [string, string]
              return [key, Number(index)]
            }),
        ),
      )
    })
  })
}

test(
  `${kills} kills under load lose no answered entry and leave none half written`,
  async () => {
    const path = join(folder(), 'ledger.db')
    const answered = new Map<string, number>()
    for (let run = 0; run < kills; run++) {
      const afterMs = (random(1)[0]! * 3) % 400
      for (const [key, index] of await killedRun(path, run, afterMs)) answered.set(key, index)
    }
    expect(answered.size).toBeGreaterThan(kills * 10)

    const store = openSqliteStore({ path, seed, crypto, random })
    const { entries, faults } = await recount(crypto, store)
    expect(faults).toEqual([])
    expect(entries).toBeGreaterThanOrEqual(answered.size)
    await store.close()

    const vault = await openSqliteVault({ path, seed, crypto, random })
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
  },
  60_000 + kills * 5_000,
)
