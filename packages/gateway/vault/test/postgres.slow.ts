import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { recount } from '../src/index.ts'
import { backupPostgresLedger, openPostgresStore, openPostgresVault, restorePostgresLedger } from '../src/postgres.ts'
import { openSqliteVault, restoreSqliteLedger } from '../src/sqlite.ts'
import { checkVaultStore } from '../src/testing.ts'
import { cuttable } from './cuttable.ts'
import { crypto, folder, random, request, seed } from './kit.ts'
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

  test('a ledger moves from SQLite to PostgreSQL and back, and stays the same log', async () => {
    const home = folder()
    const path = join(home, 'ledger.db')
    const small = await openSqliteVault({ path, seed, crypto, random })
    const asked = Array.from({ length: 2_345 }, (_, at) => request({ account: `did:key:${at % 31}` }))
    const receipts = await Promise.all(asked.map((one) => small.append(one)))
    await small.erase('did:key:30')
    const url = await schema()
    // The gateway that is to be left may still run.
    const moved = await restorePostgresLedger({ from: path, url, publicKey: crypto.publicKey(seed), crypto })
    expect(moved).toMatchObject({ entries: 2_345, accounts: 31, faults: [] })
    await small.close()
    const large = await openPostgresVault({ url, seed, crypto, random })
    expect(await large.append(asked[7]!)).toEqual({ ...receipts[7], replayed: true })
    expect(await large.account('did:key:30')).toBeUndefined()
    const later = await Promise.all(
      Array.from({ length: 300 }, (_, at) => large.append(request({ account: `new-${at}` }))),
    )
    expect(later[0]!.entry.index).toBe(2_345)
    const backup = join(home, 'backup.db')
    expect(await backupPostgresLedger({ url, to: backup, crypto })).toMatchObject({ entries: 2_645, faults: [] })
    const back = join(home, 'back.db')
    await restoreSqliteLedger({ from: backup, path: back, publicKey: crypto.publicKey(seed), crypto })
    const again = await openSqliteVault({ path: back, seed, crypto, random })
    expect(await again.head()).toEqual(await large.head())
    expect(await again.totals()).toEqual(await large.totals())
    expect((await again.append(asked[9]!)).replayed).toBe(true)
    await Promise.all([again.close(), large.close()])
  })

  test('a restore into PostgreSQL that is refused leaves the ledger as it was', async () => {
    const home = folder()
    const path = join(home, 'ledger.db')
    const small = await openSqliteVault({ path, seed, crypto, random })
    await Promise.all(Array.from({ length: 300 }, () => small.append(request())))
    await small.close()
    const bent = new DatabaseSync(path)
    bent.exec('UPDATE entry SET amount = amount + 1 WHERE idx = 250')
    bent.close()
    const url = await schema()
    const vault = await openPostgresVault({ url, seed, crypto, random })
    const publicKey = crypto.publicKey(seed)
    await expect(restorePostgresLedger({ from: path, url, publicKey, crypto })).rejects.toMatchObject({
      detail: { code: 'vault/corrupt' },
    })
    await vault.append(request())
    await expect(restorePostgresLedger({ from: path, url, publicKey, crypto })).rejects.toMatchObject({
      detail: { code: 'vault/not-empty' },
    })
    expect(await vault.head()).toMatchObject({ size: 1 })
    await vault.close()
    const other = restorePostgresLedger({ from: path, url: await schema(), publicKey: random(32), crypto })
    await expect(other).rejects.toMatchObject({ detail: { code: 'vault/key' } })
  })

  test('a gateway whose ledger was replaced below it writes nothing', async () => {
    const path = join(folder(), 'ledger.db')
    const small = await openSqliteVault({ path, seed, crypto, random })
    await small.append(request())
    const url = await schema()
    const vault = await openPostgresVault({ url, seed, crypto, random })
    await restorePostgresLedger({ from: path, url, publicKey: crypto.publicKey(seed), crypto })
    await expect(vault.append(request())).rejects.toMatchObject({ detail: { code: 'vault/corrupt' } })
    await Promise.all([vault.close(), small.close()])
  })

  test('a network that falls silent holds nobody for ever, and what it hid is found when it is back', async () => {
    const network = await cuttable(Number(new URL(server.url).port))
    onTestFinished(() => network.close())
    const direct = await schema()
    const url = direct.replace(/:\d+\//, `:${network.port}/`)
    const vault = await openPostgresVault({ url, seed, crypto, random, timeoutMs: 400 })
    const other = await openPostgresVault({ url: direct, seed, crypto, random })
    const first = request()
    await vault.append(first)
    // Silence from the moment of COMMIT: the server hears it, its answer is lost.
    network.cutAfter('COMMIT')
    const cut = request()
    const before = performance.now()
    await expect(vault.append(cut)).rejects.toMatchObject({ detail: { code: 'vault/outcome-unknown' } })
    expect(performance.now() - before).toBeLessThan(4_000)
    const later = vault.append(request())
    await expect(later).rejects.toMatchObject({ detail: { code: 'vault/storage' } })
    // The others go on.
    expect((await other.append(request())).entry.index).toBe(2)
    network.heal()
    expect(await vault.append(cut)).toMatchObject({ replayed: true, entry: { index: 1 } })
    // Cut off inside a transaction, it does not hold the log's row.
    network.cutAfter('FOR UPDATE')
    const inside = vault.append(request())
    await expect(inside).rejects.toMatchObject({ detail: { code: 'vault/storage' } })
    expect((await other.append(request())).entry.index).toBe(3)
    const closing = performance.now()
    await vault.close()
    expect(performance.now() - closing).toBeLessThan(2_000)
    await other.close()
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
