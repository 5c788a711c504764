import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { recount, Vault, VaultError } from '../src/index.ts'
import { openSqliteStore, openSqliteVault, readSqliteLedger } from '../src/sqlite.ts'
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
    const ledger = readSqliteLedger(path)
    await vault.append(request())
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
    for (let batch = 0; batch < 3; batch++) await Promise.all(Array.from({ length: 5 }, () => vault.append(request())))
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
    ['a lost last entry', 'DELETE FROM entry WHERE idx = 14', /newest head/],
    ['another time', 'UPDATE entry SET time_ms = time_ms + 1 WHERE idx = 7', /another root/],
    ['a changed total', 'UPDATE party SET amount = amount + 1 WHERE entries > 0', /sum of its entries/],
    ['a changed ledger total', 'UPDATE log SET fee = fee + 1', /ledger totals/],
    ['a lost account', 'UPDATE party SET pseudonym = zeroblob(32) WHERE entries > 0', /another root/],
    ['a forged signature', 'UPDATE head SET signature = zeroblob(64) WHERE size = 15', /not signed/],
    ['a lost head', 'DELETE FROM head WHERE size = 15', /no head holds|newest head/],
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
