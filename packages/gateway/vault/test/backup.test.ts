import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect, onTestFinished, test } from 'vitest'
import { recount, type Vault } from '../src/index.ts'
import { backupSqliteLedger, openSqliteVault, readSqliteLedger, restoreSqliteLedger } from '../src/sqlite.ts'
import { crypto, folder, random, request, seed } from './kit.ts'

const publicKey = crypto.publicKey(seed)

async function opened(path: string): Promise<Vault> {
  const vault = await openSqliteVault({ path, seed, crypto, random })
  onTestFinished(() => vault.close())
  return vault
}

async function ledgerOf(path: string, entries: number): Promise<void> {
  const vault = await opened(path)
  await Promise.all(Array.from({ length: entries }, (_, at) => vault.append(request({ account: `did:key:${at % 7}` }))))
  await vault.close()
}

/** A folder with a ledger of 300 entries, and a backup of it. */
async function backedUp() {
  const home = folder()
  const [path, backup] = [join(home, 'ledger.db'), join(home, 'backup.db')]
  await ledgerOf(path, 300)
  await backupSqliteLedger({ path, to: backup, crypto })
  return { home, path, backup }
}

async function entriesOf(path: string): Promise<number> {
  const ledger = readSqliteLedger(path)
  const { entries, faults } = await recount(crypto, ledger).finally(() => ledger.close())
  expect(faults).toEqual([])
  return entries
}

test('a backup holds one moment of a ledger that goes on being written, and is one file', async () => {
  const home = folder()
  const path = join(home, 'ledger.db')
  const vault = await opened(path)
  let stop = false
  const writer = (async () => {
    while (!stop) await vault.append(request())
  })()
  await vault.append(request({ idempotencyKey: 'before' }))
  const found = await backupSqliteLedger({ path, to: join(home, 'backup.db'), crypto })
  stop = true
  await writer
  expect(found.faults).toEqual([])
  expect(found.entries).toBeGreaterThan(0)
  expect(found.entries).toBeLessThanOrEqual((await vault.head())!.size)
  expect(await entriesOf(join(home, 'backup.db'))).toBe(found.entries)
  expect(readdirSync(home).filter((name) => name.startsWith('backup'))).toEqual(['backup.db'])
  const again = backupSqliteLedger({ path, to: join(home, 'backup.db'), crypto })
  await expect(again).rejects.toMatchObject({ detail: { code: 'vault/not-empty' } })
})

test('a restored ledger goes on where the backup ended, and answers its repeats', async () => {
  const home = folder()
  const path = join(home, 'ledger.db')
  const vault = await opened(path)
  const asked = request()
  const first = await vault.append(asked)
  await backupSqliteLedger({ path, to: join(home, 'backup.db'), crypto })
  const elsewhere = join(folder(), 'ledger.db')
  const restored = await restoreSqliteLedger({ from: join(home, 'backup.db'), path: elsewhere, publicKey, crypto })
  expect(restored).toMatchObject({ entries: 1, faults: [], erasedAgain: 0 })
  const again = await opened(elsewhere)
  expect(await again.append(asked)).toEqual({ ...first, replayed: true })
  expect((await again.append(request())).entry.index).toBe(1)
})

test('a ledger that stands there gives way only if told, and is kept', async () => {
  const { path, backup } = await backedUp()
  const vault = await opened(path)
  await vault.append(request())
  await expect(restoreSqliteLedger({ from: backup, path, publicKey, crypto, replace: true })).rejects.toMatchObject({
    detail: { code: 'vault/locked', pid: process.pid },
  })
  await vault.close()
  await expect(restoreSqliteLedger({ from: backup, path, publicKey, crypto })).rejects.toMatchObject({
    detail: { code: 'vault/not-empty', path },
  })
  await restoreSqliteLedger({ from: backup, path, publicKey, crypto, replace: true })
  expect([await entriesOf(path), await entriesOf(`${path}.replaced`)]).toEqual([300, 301])
  await expect(restoreSqliteLedger({ from: backup, path, publicKey, crypto, replace: true })).rejects.toMatchObject({
    detail: { code: 'vault/not-empty', path: `${path}.replaced` },
  })
})

test('what the ledger in place had erased stays erased', async () => {
  const { path, backup } = await backedUp()
  const vault = await opened(path)
  expect(await vault.erase('did:key:3')).toBe(true)
  await vault.append(request({ account: 'did:key:later' }))
  await vault.close()
  const restored = await restoreSqliteLedger({ from: backup, path, publicKey, crypto, replace: true })
  expect(restored.erasedAgain).toBe(1)
  const again = await opened(path)
  expect(await again.account('did:key:3')).toBeUndefined()
  expect(await again.account('did:key:4')).toBeDefined()
  expect(readFileSync(path).includes('did:key:3')).toBe(false)
})

test.each([
  ['an entry changed', 'UPDATE entry SET amount = amount + 1 WHERE idx = 7', 'vault/corrupt'],
  ['an entry lost', 'DELETE FROM entry WHERE idx = 299', 'vault/corrupt'],
  ['a stored hash changed', 'UPDATE node SET hash = zeroblob(32)', 'vault/corrupt'],
  ['a schema of a newer program', 'PRAGMA user_version = 99', 'vault/schema'],
  ['another key', 'UPDATE log SET public_key = zeroblob(32)', 'vault/key'],
])('a backup with %s replaces nothing', async (_, sql, code) => {
  const { home, path, backup } = await backedUp()
  const bent = new DatabaseSync(backup)
  bent.exec(sql)
  bent.close()
  const before = readFileSync(path)
  const restored = restoreSqliteLedger({ from: backup, path, publicKey, crypto, replace: true })
  await expect(restored).rejects.toMatchObject({ detail: { code } })
  expect(readFileSync(path).equals(before)).toBe(true)
  expect(readdirSync(home).filter((name) => /restoring|unverified|replaced/.test(name))).toEqual([])
})

test('a file that is no ledger, and one that is not there, restore nothing', async () => {
  const home = folder()
  writeFileSync(join(home, 'list'), 'a shopping list'.repeat(1_000))
  for (const from of [join(home, 'list'), join(home, 'none')]) {
    const restored = restoreSqliteLedger({ from, path: join(home, 'ledger.db'), publicKey, crypto })
    await expect(restored).rejects.toMatchObject({ detail: { code: 'vault/storage' } })
  }
  expect(existsSync(join(home, 'ledger.db'))).toBe(false)
})

test('a broken ledger can be replaced, and is kept as it was', async () => {
  const { path, backup } = await backedUp()
  const bytes = readFileSync(path).fill(0xff, 0, 4_096)
  writeFileSync(path, bytes)
  const restored = await restoreSqliteLedger({ from: backup, path, publicKey, crypto, replace: true })
  expect(restored).toMatchObject({ entries: 300, erasedAgain: undefined })
  expect(await entriesOf(path)).toBe(300)
  expect(readFileSync(`${path}.replaced`).equals(bytes)).toBe(true)
})
