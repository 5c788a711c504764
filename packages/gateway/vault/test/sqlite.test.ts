import { copyFileSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { recount, Vault, VaultError } from '../src/index.ts'
import { openSqliteStore, openSqliteVault, readSqliteLedger, type SqliteStore } from '../src/sqlite.ts'
import { checkVaultStore } from '../src/testing.ts'
import { crypto, folder, random, request, seed } from './kit.ts'

checkVaultStore('SQLite', async () => ({
  crypto,
  random,
  async create() {
    const path = join(folder(), 'ledger.db')
    const open = () => openSqliteStore({ path, seed, crypto, random })
    return { store: open(), reopen: async () => open() }
  },
}))

const opened = (path: string, key = seed) => openSqliteVault({ path, seed: key, crypto, random })

describe('the file', () => {
  test('is held by one process, which a second start names', async () => {
    const path = join(folder(), 'ledger.db')
    const vault = await opened(path)
    await expect(opened(path)).rejects.toMatchObject({ detail: { code: 'vault/locked', path, pid: process.pid } })
    await vault.close()
    await (await opened(path)).close()
  })

  test('is refused under another key, and left as it was', async () => {
    const path = join(folder(), 'ledger.db')
    const vault = await opened(path)
    await vault.append(request())
    await vault.close()
    const other = crypto.sha256(seed)
    await expect(opened(path, other)).rejects.toMatchObject({ detail: { code: 'vault/key', path } })
    const again = await opened(path)
    expect((await again.head())!.size).toBe(1)
    await again.close()
  })

  test('is read beside the process that holds it', async () => {
    const path = join(folder(), 'ledger.db')
    const vault = await opened(path)
    await vault.append(request())
    const ledger = readSqliteLedger(path)
    await vault.append(request())
    // It stays at the moment it was opened at, so that a count of a ledger that grows comes out.
    expect(await recount(crypto, ledger)).toMatchObject({ entries: 1, faults: [] })
    await ledger.close()
    await vault.close()
    expect(() => readSqliteLedger(join(folder(), 'none.db'))).toThrow(VaultError)
  })

  test('of a newer program is refused', async () => {
    const path = join(folder(), 'ledger.db')
    await (await opened(path)).close()
    const db = new DatabaseSync(path)
    db.exec('PRAGMA user_version = 99')
    db.close()
    await expect(opened(path)).rejects.toMatchObject({ detail: { code: 'vault/schema', found: 99, known: 1 } })
  })

  test('that is no database is refused and not touched', async () => {
    const path = join(folder(), 'ledger.db')
    writeFileSync(path, 'a shopping list'.repeat(1_000))
    await expect(opened(path)).rejects.toMatchObject({ detail: { code: 'vault/storage' } })
    expect(readFileSync(path, 'utf8')).toBe('a shopping list'.repeat(1_000))
  })

  test('that was bent is refused', async () => {
    const path = join(folder(), 'ledger.db')
    const vault = await opened(path)
    await Promise.all(Array.from({ length: 500 }, () => vault.append(request())))
    await vault.close()
    const bytes = readFileSync(path)
    bytes.fill(0xff, bytes.length >> 1, (bytes.length >> 1) + 4_096)
    writeFileSync(path, bytes)
    await expect(opened(path)).rejects.toMatchObject({ detail: { code: expect.stringMatching(/corrupt|storage/) } })
  })
})

describe('a recount finds', () => {
  const sound = mkdtempSync(join(tmpdir(), 'nexus-vault-'))
  const path = join(sound, 'ledger.db')
  afterAll(() => rmSync(sound, { recursive: true, force: true }))
  beforeAll(async () => {
    const vault = await opened(path)
    for (let batch = 0; batch < 3; batch++)
      await Promise.all(Array.from({ length: 100 }, () => vault.append(request())))
    await vault.close()
  })

  const tampered = async (sql: string): Promise<readonly string[]> => {
    const copy = join(folder(), 'copy.db')
    copyFileSync(path, copy)
    const db = new DatabaseSync(copy)
    db.exec(sql)
    db.close()
    const ledger = readSqliteLedger(copy)
    const { faults } = await recount(crypto, ledger)
    await ledger.close()
    return faults
  }

  test.each([
    [
      'a changed amount',
      'UPDATE entry SET amount = amount + 1, creator = creator + 1 WHERE idx = 7',
      /another root|sum of/,
    ],
    ['a changed split', 'UPDATE entry SET fee = fee - 1, pool = pool + 1 WHERE idx = 7', /not split by its policy/],
    ['an unknown policy', 'UPDATE entry SET policy = 9 WHERE idx = 7', /policy 9/],
    ['a lost entry', 'DELETE FROM entry WHERE idx = 7', /stands where 7 belongs/],
    ['a lost last entry', 'DELETE FROM entry WHERE idx = 299', /newest head/],
    ['another time', 'UPDATE entry SET time_ms = time_ms + 1 WHERE idx = 7', /another root/],
    ['a changed total', 'UPDATE party SET amount = amount + 1 WHERE entries > 0', /sum of its entries/],
    ['a changed ledger total', 'UPDATE log SET fee = fee + 1', /ledger totals/],
    ['a lost account', 'UPDATE party SET pseudonym = zeroblob(32) WHERE entries > 0', /another root/],
    ['a forged signature', 'UPDATE head SET signature = zeroblob(64) WHERE size = 300', /not signed/],
    ['a changed hash', 'UPDATE node SET hash = zeroblob(32)', /hash 0 of level 8/],
    ['a lost hash', 'DELETE FROM node', /hash 0 of level 8/],
    ['a changed edge', 'UPDATE log SET frontier = zeroblob(length(frontier))', /edge of the tree/],
    ['a swapped salt', 'UPDATE person SET salt = zeroblob(32)', /not that of its person/],
    ['a lost head', 'DELETE FROM head WHERE size = 300', /no head holds|newest head/],
  ])('%s', async (_, sql, fault) => {
    expect((await tampered(sql)).join('\n')).toMatch(fault)
  })

  test('nothing in a sound ledger', async () => {
    expect(await tampered('SELECT 1')).toEqual([])
  })
})

describe('bad requests are refused before they queue', () => {
  test('each field, with what it wants', async () => {
    const vault = await opened(join(folder(), 'ledger.db'))
    const bad = [
      ['actor', { actor: '' }],
      ['actor', { actor: 'x'.repeat(256) }],
      ['account', { account: '\ud800' }],
      ['account', { account: 'a\0b' }],
      ['idempotency key', { idempotencyKey: '' }],
      ['idempotency key', { idempotencyKey: 'k'.repeat(65) }],
      ['idempotency key', { idempotencyKey: 'two words' }],
      ['route', { route: 'é' }],
      ['request hash', { requestHash: new Uint8Array(31) }],
    ] as const
    for (const [field, fields] of bad) {
      const refused = vault.append(request(fields))
      await expect(refused, JSON.stringify(fields)).rejects.toMatchObject({ detail: { code: 'vault/field', field } })
    }
    expect(vault.waiting).toBe(0)
    expect(await vault.head()).toBeUndefined()
    await vault.close()
  })

  test('the queue has an end', async () => {
    const vault = await opened(join(folder(), 'ledger.db'))
    const asked = Array.from({ length: 10_050 }, () => vault.append(request()))
    const outcomes = await Promise.allSettled(asked)
    const refused = outcomes.filter(({ status }) => status === 'rejected')
    expect(refused).toHaveLength(50)
    expect(refused[0]).toMatchObject({ reason: { detail: { code: 'vault/busy', waiting: 10_000 } } })
    expect((await vault.head())!.size).toBe(10_000)
    await vault.close()
  })
})

describe('an unknown outcome', () => {
  const vaultOver = (change: (store: SqliteStore) => void) => {
    const store = openSqliteStore({ path: join(folder(), 'ledger.db'), seed, crypto, random })
    change(store)
    const vault = new Vault(store, { crypto, random, now: Date.now, defer: setImmediate })
    onTestFinished(() => vault.close())
    return vault
  }
  const unknown = (): VaultError => new VaultError({ code: 'vault/outcome-unknown' })

  test('that was written is found again as the first answer, and told as growth', async () => {
    const vault = vaultOver((store) => {
      const commit = store.commit.bind(store)
      store.commit = async (...given) => {
        store.commit = commit
        await commit(...given)
        throw unknown()
      }
    })
    const sizes: number[] = []
    vault.onGrowth((size) => sizes.push(size))
    const twice = request()
    const receipts = await Promise.all([twice, request(), twice].map((asked) => vault.append(asked)))
    expect(receipts.map(({ entry, replayed }) => [entry.index, replayed])).toEqual([
      [0, false],
      [1, false],
      [0, true],
    ])
    expect(receipts[1]!.head).toEqual(await vault.head())
    expect(sizes).toEqual([2])
  })

  test('that was not written is written, once', async () => {
    const vault = vaultOver((store) => {
      const commit = store.commit.bind(store)
      store.commit = async () => {
        store.commit = commit
        throw unknown()
      }
    })
    expect(await vault.append(request())).toMatchObject({ replayed: false, entry: { index: 0 } })
    expect((await vault.head())!.size).toBe(1)
  })

  test('stays unknown where the second try fails too, whatever that one says', async () => {
    const failures = [unknown(), new VaultError({ code: 'vault/storage', reason: 'no route to host' })]
    const vault = vaultOver((store) => {
      store.commit = async () => {
        throw failures.shift()
      }
    })
    await expect(vault.append(request())).rejects.toMatchObject({ detail: { code: 'vault/outcome-unknown' } })
    expect(failures).toEqual([])
  })
})

describe('an export', () => {
  test('goes through everything in pages, each entry once in each of its roles', async () => {
    const vault = await opened(join(folder(), 'ledger.db'))
    onTestFinished(() => vault.close())
    const ann = 'did:key:ann'
    await Promise.all(Array.from({ length: 1_500 }, () => vault.append(request({ account: ann }))))
    await Promise.all(Array.from({ length: 700 }, () => vault.append(request({ actor: ann, account: 'did:key:ben' }))))
    const credited: number[] = []
    const asked: number[] = []
    let page = await vault.export(ann)
    let pages = 1
    const { totals } = page!
    for (; page !== undefined; pages++) {
      expect(page.credited.length + page.asked.length).toBeLessThanOrEqual(1_000)
      credited.push(...page.credited.map(({ index }) => index))
      asked.push(...page.asked.map(({ index }) => index))
      if (page.next === undefined) break
      page = await vault.export(ann, page.next)
    }
    expect([pages, totals!.entries]).toEqual([3, 1_500])
    expect(credited).toEqual(Array.from({ length: 1_500 }, (_, at) => 1_499 - at))
    expect(asked).toEqual(Array.from({ length: 700 }, (_, at) => 2_199 - at))
  })
})

test('a writing thread that ends is told of, and nothing is taken from then on', async () => {
  const away = join(folder(), 'away')
  const home = folder()
  const told: VaultError[] = []
  const vault = await openSqliteVault({
    path: join(home, 'ledger.db'),
    seed,
    crypto,
    random,
    onFailure: (error) => told.push(error),
  })
  renameSync(home, away)
  await expect(vault.append(request())).rejects.toMatchObject({ detail: { code: 'vault/outcome-unknown' } })
  await expect(vault.append(request())).rejects.toMatchObject({ detail: { code: 'vault/storage' } })
  expect(told.map(({ detail }) => detail.code)).toEqual(['vault/storage'])
  await vault.close()
  expect(told).toHaveLength(1)
})

test('what a reader keeps in the log of writes after an erase goes when the reader does', async () => {
  const path = join(folder(), 'ledger.db')
  const vault = await opened(path)
  onTestFinished(() => vault.close())
  await vault.append(request({ account: 'did:key:someone-to-forget' }))
  const held = () => readFileSync(`${path}-wal`).includes('someone-to-forget')
  const reader = readSqliteLedger(path)
  expect(await vault.erase('did:key:someone-to-forget')).toBe(true)
  expect(held()).toBe(true)
  // Writing goes on meanwhile: nobody waits for the reader.
  const before = performance.now()
  await vault.append(request())
  expect(performance.now() - before).toBeLessThan(2_000)
  await reader.close()
  await expect.poll(held, { timeout: 5_000 }).toBe(false)
  expect(readFileSync(path).includes('someone-to-forget')).toBe(false)
})

test('a first answer that cannot be read leaves only its repeats without one, and says that it may stand', async () => {
  const store = openSqliteStore({ path: join(folder(), 'ledger.db'), seed, crypto, random })
  const vault = new Vault(store, { crypto, random, now: Date.now, defer: setImmediate })
  const first = request()
  await vault.append(first)
  store.headOf = () => Promise.reject(new VaultError({ code: 'vault/storage', reason: 'the connection is lost' }))
  const [fresh, repeat] = await Promise.allSettled([vault.append(request()), vault.append(first)])
  expect(fresh).toMatchObject({ status: 'fulfilled', value: { replayed: false, entry: { index: 1 } } })
  expect(repeat).toMatchObject({ status: 'rejected', reason: { detail: { code: 'vault/outcome-unknown' } } })
  await vault.close()
})
