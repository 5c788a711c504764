import { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { recount } from '../src/index.ts'
import { openPostgresStore, openPostgresVault } from '../src/postgres.ts'
import { checkVaultStore } from '../src/testing.ts'
import { crypto, random, request, seed } from './kit.ts'
import { postgresPrograms, startPostgres, type TestServer } from './postgres-server.ts'

const programs = postgresPrograms()
if (programs === undefined && process.env['CI'] === undefined) {
  console.warn('PostgreSQL is not on this machine (initdb, postgres): its suite of the vault is SKIPPED')
}

describe.skipIf(programs === undefined && process.env['CI'] === undefined)('PostgreSQL', { timeout: 60_000 }, () => {
  let server: TestServer
  let schemas = 0
  beforeAll(async () => {
    if (programs === undefined)
      throw new Error('PostgreSQL (initdb, postgres) is needed here and is not on this machine')
    server = await startPostgres(programs)
  }, 60_000)
  afterAll(() => server?.stop())

  /** A schema of its own in the server's one database: making a database copies a thousand files. */
  async function schema(more = ''): Promise<string> {
    const name = `ledger_${schemas++}`
    const client = new Client({ connectionString: server.url })
    await client.connect()
    await client.query(`CREATE SCHEMA ${name}`)
    await client.end()
    return `${server.url}?options=${encodeURIComponent(`-c search_path=${name}${more}`)}`
  }

  checkVaultStore('PostgreSQL', async () => ({
    crypto,
    random,
    async create() {
      const url = await schema()
      const open = () => openPostgresStore({ url, seed, crypto, random })
      return { store: await open(), reopen: open }
    },
  }))

  test('several gateways on one ledger give one dense log, and one entry for a key that all were asked for', async () => {
    const url = await schema()
    const vaults = await Promise.all(Array.from({ length: 4 }, () => openPostgresVault({ url, seed, crypto, random })))
    const own = vaults.flatMap((vault, at) =>
      Array.from({ length: 60 }, (_, n) =>
        vault.append(request({ idempotencyKey: `own-${at}-${n}`, account: `did:key:${n % 9}` })),
      ),
    )
    const shared = vaults.flatMap((vault) =>
      Array.from({ length: 20 }, (_, n) => vault.append(request({ idempotencyKey: `shared-${n}` }))),
    )
    const receipts = await Promise.all([...own, ...shared])
    const indices = new Set(receipts.map(({ entry }) => entry.index))
    expect([...indices].toSorted((a, b) => a - b)).toEqual(Array.from({ length: 260 }, (_, at) => at))
    expect(receipts.slice(240).filter(({ replayed }) => !replayed)).toHaveLength(20)
    await Promise.all(vaults.map((vault) => vault.close()))
    const store = await openPostgresStore({ url, seed, crypto, random })
    expect(await recount(crypto, store)).toMatchObject({ entries: 260, faults: [] })
    await store.close()
  })

  test('a server that dies loses no answered entry, and what is asked again is answered once', async () => {
    const url = await schema()
    const vault = await openPostgresVault({ url, seed, crypto, random })
    const answered = new Map<string, number>()
    const unknown: string[] = []
    let stop = false
    const writer = (async () => {
      for (let n = 0; !stop; n++) {
        const key = `crash-${n}`
        await vault.append(request({ idempotencyKey: key })).then(
          ({ entry }) => answered.set(key, entry.index),
          () => unknown.push(key),
        )
        if (unknown.length > 0) await new Promise((resolve) => setTimeout(resolve, 20))
      }
    })()
    await new Promise((resolve) => setTimeout(resolve, 400))
    await server.crashAndRestart()
    await new Promise((resolve) => setTimeout(resolve, 300))
    stop = true
    await writer
    expect(answered.size).toBeGreaterThan(10)
    expect(unknown.length).toBeGreaterThan(0)
    for (const key of unknown) answered.set(key, (await vault.append(request({ idempotencyKey: key }))).entry.index)
    for (const [key, index] of answered) {
      expect((await vault.append(request({ idempotencyKey: key }))).entry.index).toBe(index)
    }
    expect((await vault.head())!.size).toBe(answered.size)
    await vault.close()
  })

  test('a transaction that the engine takes back is tried again', async () => {
    const url = await schema(' -c default_transaction_isolation=serializable')
    const vaults = await Promise.all(Array.from({ length: 3 }, () => openPostgresVault({ url, seed, crypto, random })))
    const receipts = await Promise.all(
      vaults.flatMap((vault, at) =>
        Array.from({ length: 15 }, (_, n) => vault.append(request({ idempotencyKey: `s-${at}-${n}` }))),
      ),
    )
    expect(new Set(receipts.map(({ entry }) => entry.index)).size).toBe(45)
    await Promise.all(vaults.map((vault) => vault.close()))
  })

  test('another key is refused, and so are a schema in use for something else and a database that is not there', async () => {
    const url = await schema()
    await (await openPostgresVault({ url, seed, crypto, random })).close()
    const other = openPostgresVault({ url, seed: crypto.sha256(seed), crypto, random })
    await expect(other).rejects.toMatchObject({ detail: { code: 'vault/key' } })
    const taken = await schema()
    const client = new Client({ connectionString: taken })
    await client.connect()
    await client.query('CREATE TABLE head (of text)')
    await client.end()
    const inTheWay = openPostgresVault({ url: taken, seed, crypto, random })
    await expect(inTheWay).rejects.toMatchObject({
      detail: { code: 'vault/storage', reason: expect.stringMatching(/head.*exists/) },
    })
    const nowhere = openPostgresVault({ url: `${server.url}-not-there`, seed, crypto, random })
    await expect(nowhere).rejects.toMatchObject({ detail: { code: 'vault/storage' } })
  })
})
