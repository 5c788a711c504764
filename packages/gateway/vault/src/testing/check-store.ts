import { encodeUtf8, equalBytes, toHex } from '@nexus/codec'
import type { Crypto, Random } from '@nexus/crypto'
import { describe, expect, onTestFinished, test } from 'vitest'
import {
  type AppendRequest,
  entryLeaf,
  isConsistent,
  isIncluded,
  recount,
  Vault,
  type VaultStore,
  verifyHead,
} from '../index.ts'

/** A place where stores of one engine are made. */
export interface VaultStoreHost {
  readonly crypto: Crypto
  readonly random: Random
  /** An empty ledger of its own; `reopen` opens the same one again, after a close. */
  create(): Promise<{ readonly store: VaultStore; reopen(): Promise<VaultStore> }>
}

/** Checks an engine against the rules of the vault. `host` is called once, when the tests run. */
export function checkVaultStore(name: string, host: () => Promise<VaultStoreHost>): void {
  describe(`${name}: a store of the vault`, () => {
    checkProofs(host)
    checkRequests(host)
    checkAccounts(host)
    checkLife(host)
  })
}

type Host = () => Promise<VaultStoreHost>

function checkProofs(host: Host): void {
  test('answers with entry and head, dense from 0, and proves each entry', async () => {
    const { vault, crypto } = await open(host)
    const receipts = await Promise.all(Array.from({ length: 700 }, (_, at) => vault.append(request(crypto, at))))
    expect(receipts.map(({ entry }) => entry.index)).toEqual(receipts.map((_, at) => at))
    const head = (await vault.head())!
    expect(head.size).toBe(700)
    for (const at of [0, 1, 255, 256, 257, 511, 512, 699]) {
      const { entry, head: at_ } = (await vault.receipt(at))!
      expect(verifyHead(crypto, vault.publicKey, at_)).toBe(true)
      expect(at_).toEqual(receipts[at]!.head)
      const proof = await vault.inclusion(at, head.size)
      expect(isIncluded(crypto, entryLeaf(crypto, entry), at, head.size, proof, head.root)).toBe(true)
    }
    for (const first of [1, 2, 256, 300, 699, 700]) {
      const proof = await vault.consistency(first, head.size)
      const firstRoot = await vault.rootAt(first)
      expect(isConsistent(crypto, first, firstRoot, head.size, head.root, proof)).toBe(true)
    }
    await expect(vault.inclusion(700, 700)).rejects.toMatchObject({ detail: { code: 'vault/range' } })
    await expect(vault.inclusion(0, 701)).rejects.toMatchObject({ detail: { code: 'vault/range' } })
  })

  test('is found sound by a recount over many batches', async () => {
    const { vault, store, crypto } = await open(host)
    for (let batch = 0; batch < 12; batch++) {
      const accounts = Array.from({ length: 50 }, (_, at) => `did:key:${(batch * 7 + at) % 23}`)
      await Promise.all(accounts.map((account, at) => vault.append(request(crypto, `${batch}/${at}`, { account }))))
    }
    const found = await recount(crypto, store)
    expect(found).toMatchObject({ entries: 600, accounts: 23, faults: [] })
    expect(found.heads).toBeGreaterThanOrEqual(12)
    expect(found.totals).toEqual(await vault.totals())
  })
}

function checkRequests(host: Host): void {
  test('answers a repeat with the first answer, and refuses another request under its key', async () => {
    const { vault, crypto } = await open(host)
    const first = await vault.append(request(crypto, 'a'))
    await vault.append(request(crypto, 'b'))
    const again = await vault.append(request(crypto, 'a'))
    expect(again).toEqual({ ...first, replayed: true })
    const other = { ...request(crypto, 'a'), requestHash: crypto.sha256(encodeUtf8('another')) }
    await expect(vault.append(other)).rejects.toMatchObject({
      detail: { code: 'vault/idempotency-conflict', index: first.entry.index },
    })
    // The key belongs to who used it, and to the operation.
    const stranger = await vault.append(request(crypto, 'a', { actor: 'did:key:other' }))
    const elsewhere = await vault.append(request(crypto, 'a', { route: 'POST/v2/entries' }))
    expect([stranger.entry.index, elsewhere.entry.index]).toEqual([2, 3])
    expect((await vault.head())!.size).toBe(4)
  })

  test('takes a key once from a crowd, in one batch and across batches', async () => {
    const { vault, crypto } = await open(host)
    const crowd = Array.from({ length: 50 }, () => vault.append(request(crypto, 'one')))
    const receipts = await Promise.all(crowd)
    expect(new Set(receipts.map(({ entry }) => toHex(entry.id))).size).toBe(1)
    expect(receipts.filter(({ replayed }) => !replayed)).toHaveLength(1)
    expect((await vault.head())!.size).toBe(1)
  })

  test('refuses by itself what breaks a rule, and takes what stands around it', async () => {
    const { vault, crypto } = await open(host)
    const most = 2n ** 63n - 1n
    const outcomes = await Promise.allSettled([
      vault.append(request(crypto, 'first', { amount: most - 1_000n })),
      vault.append(request(crypto, 'too much', { amount: 1_001n })),
      vault.append(request(crypto, 'fits', { amount: 1_000n })),
      vault.append(request(crypto, 'small', { amount: 99n })),
      vault.append(request(crypto, 'policy', { policy: 2 })),
    ])
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'rejected', 'rejected'])
    expect(await vault.totals()).toMatchObject({ amount: most, entries: 2 })
    // A refused request has left nothing: its key is free, and who asked for the first time is not known.
    const refused = vault.append(request(crypto, 'too much', { amount: 500n, account: 'did:key:new' }))
    await expect(refused).rejects.toMatchObject({ detail: { code: 'vault/allocation' } })
    expect(await vault.account('did:key:new')).toBeUndefined()
  })
}

function checkAccounts(host: Host): void {
  test('keeps totals of accounts, and pages of a history that stay while the log grows', async () => {
    const { vault, crypto } = await open(host)
    const write = (at: number) =>
      vault.append(request(crypto, `h${at}`, { account: at % 3 === 0 ? 'did:key:ann' : 'did:key:ben' }))
    for (let at = 0; at < 30; at++) await write(at)
    expect(await vault.account('did:key:ann')).toEqual({
      amount: 10_050n,
      creator: 6_040n,
      pool: 3_010n,
      fee: 1_000n,
      entries: 10,
    })
    const first = await vault.history({ account: 'did:key:ann', count: 4 })
    for (let at = 30; at < 40; at++) await write(at)
    const second = await vault.history({ account: 'did:key:ann', cursor: first.next!, count: 4 })
    const third = await vault.history({ account: 'did:key:ann', cursor: second.next!, count: 4 })
    const indices = [first, second, third].flatMap(({ entries }) => entries.map(({ index }) => index))
    expect(indices).toEqual([27, 24, 21, 18, 15, 12, 9, 6, 3, 0])
    expect(third.next).toBeUndefined()
    expect((await vault.history({ count: 3 })).entries.map(({ index }) => index)).toEqual([39, 38, 37])
    expect(await vault.history({ account: 'did:key:nobody', count: 3 })).toEqual({ entries: [] })
    for (const count of [-1, 0, 1.5, Number.NaN])
      await expect(vault.history({ account: 'did:key:ann', count })).rejects.toBeInstanceOf(RangeError)
  })

  test('forgets a person for good, and its proofs keep working', async () => {
    const { vault, store, crypto } = await open(host)
    const { entry } = await vault.append(request(crypto, 'p', { account: 'did:key:ann' }))
    const data = (await vault.export('did:key:ann'))!
    expect(equalBytes(crypto.hmacSha256(data.salt, encodeUtf8('did:key:ann')), entry.account)).toBe(true)
    expect(data.credited).toEqual([entry])
    expect(data.asked).toEqual([])
    expect((await vault.export('did:key:app'))!.asked).toEqual([entry])
    expect(await vault.erase('did:key:ann')).toBe(true)
    expect(await vault.erase('did:key:ann')).toBe(false)
    expect(await vault.export('did:key:ann')).toBeUndefined()
    const later = await vault.append(request(crypto, 'q', { account: 'did:key:ann' }))
    expect(equalBytes(later.entry.account, entry.account)).toBe(false)
    const head = (await vault.head())!
    const proof = await vault.inclusion(0, head.size)
    expect(isIncluded(crypto, entryLeaf(crypto, entry), 0, head.size, proof, head.root)).toBe(true)
    expect((await recount(crypto, store)).faults).toEqual([])
  })
}

function checkLife(host: Host): void {
  test('holds everything after it is opened again', async () => {
    const { vault, crypto, reopen } = await open(host)
    const first = await vault.append(request(crypto, 'kept'))
    await vault.close()
    const again = await reopen()
    expect(again.logId).toEqual(first.head.logId)
    expect(await again.append(request(crypto, 'kept'))).toEqual({ ...first, replayed: true })
    expect((await again.append(request(crypto, 'next'))).entry.index).toBe(1)
  })

  test('writes what waits before it closes, and nothing after', async () => {
    const { vault, crypto, reopen } = await open(host)
    const waiting = Array.from({ length: 20 }, (_, at) => vault.append(request(crypto, at)))
    await vault.close()
    expect((await Promise.all(waiting)).at(-1)!.entry.index).toBe(19)
    await expect(vault.append(request(crypto, 'late'))).rejects.toMatchObject({ detail: { code: 'vault/closed' } })
    expect((await (await reopen()).head())!.size).toBe(20)
  })

  test('tells of growth after the commit', async () => {
    const { vault, crypto } = await open(host)
    const sizes: number[] = []
    const stop = vault.onGrowth((size) => sizes.push(size))
    await vault.append(request(crypto, 1))
    await vault.append(request(crypto, 1))
    await vault.append(request(crypto, 2))
    stop()
    await vault.append(request(crypto, 3))
    expect(sizes).toEqual([1, 2])
  })
}

async function open(host: () => Promise<VaultStoreHost>) {
  const { crypto, random, create } = await host()
  const { store, reopen } = await create()
  const vaultOf = (held: VaultStore): Vault => {
    const vault = new Vault(held, { crypto, random, now: Date.now, defer: (step) => setImmediate(step) })
    onTestFinished(() => vault.close())
    return vault
  }
  return { vault: vaultOf(store), store, crypto, reopen: async () => vaultOf(await reopen()) }
}

function request(crypto: Crypto, key: number | string, fields: Partial<AppendRequest> = {}): AppendRequest {
  const idempotencyKey = `${key}`.replaceAll(' ', '-')
  const requestHash = crypto.sha256(encodeUtf8(idempotencyKey))
  const named = { actor: 'did:key:app', account: 'did:key:ann', route: 'POST/v1/entries' }
  return { ...named, amount: 1_005n, policy: 1, idempotencyKey, requestHash, ...fields }
}
