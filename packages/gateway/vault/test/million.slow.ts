import { statSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { recount, Vault, type VaultStore } from '../src/index.ts'
import { openPostgresStore } from '../src/postgres.ts'
import { openSqliteStore } from '../src/sqlite.ts'
import { crypto, folder, random, request, seed } from './kit.ts'
import { postgresPrograms, startPostgres } from './postgres-server.ts'

const count = Number(process.env['NEXUS_ENTRIES'] ?? 20_000)
const timeoutMs = 60_000 + count
const ASKED_AT_ONCE = 500

/** Appends `count` entries, 500 under way at any time; recounts all. Prints rate, waits and the time of the recount. */
async function fill(name: string, store: VaultStore, bytesOf: () => number | undefined): Promise<void> {
  const vault = new Vault(store, { crypto, random, now: Date.now, defer: setImmediate })
  const waitsMs = new Float64Array(count)
  let n = 0
  const writer = async (): Promise<void> => {
    while (n < count) {
      const at = n++
      const asked = performance.now()
      await vault.append(request({ account: `did:key:${at % 5_000}` }))
      waitsMs[at] = performance.now() - asked
    }
  }
  const began = performance.now()
  await Promise.all(Array.from({ length: ASKED_AT_ONCE }, writer))
  const tookS = (performance.now() - began) / 1_000
  waitsMs.sort()
  const recounted = performance.now()
  const { entries, faults } = await recount(crypto, store)
  const recountS = (performance.now() - recounted) / 1_000
  const bytes = bytesOf()
  await vault.close()
  expect([entries, faults]).toEqual([count, []])
  const at = (share: number): string => `${waitsMs[Math.floor(count * share)]!.toFixed(1)} ms`
  console.log(
    `${name}: ${count} entries in ${tookS.toFixed(1)} s, ${Math.round(count / tookS)}/s, p50 ${at(0.5)}, p99 ${at(0.99)}; ` +
      `recount in ${recountS.toFixed(1)} s, 0 faults${bytes === undefined ? '' : `; ${Math.round(bytes / count)} B an entry`}`,
  )
}

test(
  `SQLite: ${count} entries, and a full recount`,
  async () => {
    const path = join(folder(), 'ledger.db')
    await fill('SQLite', openSqliteStore({ path, seed, crypto, random }), () => statSync(path).size)
  },
  timeoutMs,
)

const programs = postgresPrograms()
const skipped = programs === undefined && process.env['CI'] === undefined
if (skipped) console.warn('PostgreSQL is not on this machine (initdb, postgres): its entries are SKIPPED')

test.skipIf(skipped)(
  `PostgreSQL: ${count} entries, and a full recount`,
  async () => {
    if (programs === undefined) throw new Error('PostgreSQL (initdb, postgres) is needed here')
    const { url, stop } = await startPostgres(programs)
    try {
      await fill('PostgreSQL', await openPostgresStore({ url, seed, crypto, random }), () => undefined)
    } finally {
      await stop()
    }
  },
  timeoutMs,
)
